"""The content of a session's file: the record, when it was saved, and when it expires."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import NamedTuple

from yemot_ai.errors import SessionDamagedError
from yemot_ai.sessions.serialization import decode_object, parse_object
from yemot_ai.sessions.session import Session
from yemot_ai.sessions.stores.files import read_text

__all__ = ["Envelope", "read_envelope", "read_session"]


class Envelope(NamedTuple):
    """A session's file, its times in Unix seconds."""

    record: object
    saved: float
    expires: float


def read_envelope(path: Path) -> Envelope | None:
    """Read a file; return None if there is none.

    Raises:
        SessionDamagedError: if it is not a file of this store.
    """
    text = read_text(path)
    if text is None:
        return None
    try:
        fields = parse_object(text)
        envelope = Envelope(fields["session"], float(fields["saved"]), float(fields["expires"]))
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise SessionDamagedError(f"its envelope is damaged ({type(error).__name__})") from None
    if not (math.isfinite(envelope.saved) and math.isfinite(envelope.expires)):
        raise SessionDamagedError("its times are not finite")
    return envelope


def read_session(path: Path, call_id: str | None) -> Session | None:
    """Read the session of a file; return None if there is none, or it has expired.

    Raises:
        SessionDamagedError: if it is not a file of this store, or of another call than ``call_id``.
        SessionFormatError: if a newer version of this package wrote it.
    """
    envelope = read_envelope(path)
    if envelope is None or envelope.expires <= time.time():
        return None
    return decode_object(envelope.record, call_id=call_id)
