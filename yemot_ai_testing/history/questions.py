"""What the line asks a caller for: speech, a number on the keys, or a key.

>>> asked_for("read=t-מה רצונך=said,no,voice"), asked_for("read=t-לאישור הקישו 1=ok,no,1,1,7,No")
('speech', 'key')
>>> asked_for("read=t-הקישו מספר=number,no,,1,7,No"), asked_for("go_to_folder=hangup")
('number', '')
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from yemot_ai.protocol import Read, Tap
from yemot_ai_testing.line.exchange import final_read

__all__ = ["MIN_DIGITS", "AskedFor", "asked_for", "input_of"]

AskedFor: TypeAlias = Literal["", "speech", "number", "key"]
"""What a question takes: ``speech`` (or a recording), a ``number`` on the keys that may be an utterance ID,
or a ``key``: another number of digits, as in a menu or a confirmation. "" asks for nothing."""

MIN_DIGITS: Final = 4
"""The fewest digits of an utterance ID, and the digits of the first 3,000 IDs."""


def asked_for(body: str) -> AskedFor:
    """Return what the last read of a response takes."""
    read = final_read(body)
    return "" if read is None else input_of(read)


def input_of(read: Read) -> AskedFor:
    """Return what a read takes."""
    tap = read.mode
    if not isinstance(tap, Tap):
        return "speech"
    takes_id = (tap.min_digits or 1) <= MIN_DIGITS <= (tap.max_digits or MIN_DIGITS)
    return "number" if takes_id else "key"
