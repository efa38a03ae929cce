"""A session as JSON: what every store that outlives a process writes.

The record names its own format. One of a newer format is refused and left as it is: an older
worker beside a newer one must not overwrite what it cannot read.

>>> from yemot_ai.sessions.session import Session
>>> session = Session("c1", version=3, phone="0501234567", state={"size": "גדולה"})
>>> decode(encode(session)) == session
True
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from yemot_ai.errors import SessionDamagedError, SessionFormatError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions.session import Answered, Finished, Session
from yemot_ai.sessions.turn import Failure, Status, Turn
from yemot_ai.sessions.visit import Values, Visit

__all__ = ["FORMAT", "decode", "encode"]

FORMAT: Final = 1
"""Counts the changes that an older reader would misunderstand; a new key with a default is none."""


def encode(session: Session) -> str:
    """Return the record of ``session``.

    Raises:
        TypeError: ``session`` holds something that JSON does not have.
    """
    # ASCII: a lone surrogate, which a line can send, survives as an escape.
    return json.dumps({"format": FORMAT, **asdict(session)}, default=_plain, separators=(",", ":"))


def decode(text: str) -> Session:
    """Return the session of a record.

    Raises:
        SessionFormatError: the record is of a newer format.
        SessionDamagedError: it is no record.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SessionDamagedError(f"it is no JSON: {error}") from error
    if not isinstance(found, dict) or type(found.get("format")) is not int:
        raise SessionDamagedError("it does not name its format")
    if found["format"] > FORMAT:
        raise SessionFormatError(found=found["format"], known=FORMAT)
    try:
        return _session(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SessionDamagedError(f"{type(error).__name__}: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, Status):
        return value.value
    raise TypeError(f"{type(value).__name__} is nothing that a session can hold")


def _session(found: Mapping[str, Any]) -> Session:
    return Session(
        call_id=_text(found["call_id"]),
        version=int(found["version"]),
        phone=_text(found.get("phone", "")),
        ended=bool(found.get("ended", False)),
        started=float(found.get("started", 0.0)),
        visit=_visit(found.get("visit")),
        next_turn=int(found.get("next_turn", 1)),
        names={_text(name): _text(asked) for name, asked in found.get("names", {}).items()},
        turns=tuple(map(_turn, found.get("turns", ()))),
        earlier=tuple(map(_turn, found.get("earlier", ()))),
        recalled=bool(found.get("recalled", False)),
        threads=dict(found.get("threads", {})),
        retired=tuple((_text(name), thread) for name, thread in found.get("retired", ())),
        recent=tuple(map(_answered, found.get("recent", ()))),
        finished=tuple(map(_finished, found.get("finished", ()))),
        state=dict(found.get("state", {})),
        faults=int(found.get("faults", 0)),
    )


def _visit(found: Mapping[str, Any] | None) -> Visit | None:
    if found is None:
        return None
    turn, answer = found.get("decided", (0, ""))
    return Visit(
        number=int(found["number"]),
        extension=_text(found["extension"]),
        first_turn=int(found.get("first_turn", 1)),
        names_before=tuple(map(_text, found.get("names_before", ()))),
        seen=_values(found.get("seen", ())),
        left=bool(found.get("left", False)),
        silences=int(found.get("silences", 0)),
        decided=(int(turn), _text(answer)),
    )


def _turn(found: Mapping[str, Any]) -> Turn:
    failure, usage = found.get("failure"), found.get("usage")
    return Turn(
        id=_text(found["id"]),
        text=_text(found["text"]),
        conversation=_text(found.get("conversation", "")),
        status=Status(found["status"]),
        owner=_text(found.get("owner", "")),
        answer=_text(found.get("answer", "")),
        outcome=_text(found.get("outcome", "")),
        spoken=_text(found.get("spoken", "")),
        failure=None if failure is None else _failure(failure),
        usage=None if usage is None else Usage(**{name: int(count) for name, count in usage.items()}),
        session_id=_text(found.get("session_id", "")),
        duration=float(found.get("duration", 0.0)),
        forgotten=bool(found.get("forgotten", False)),
    )


def _failure(found: Mapping[str, Any]) -> Failure:
    return Failure(_text(found["kind"]), _text(found["message"]), dict(found.get("fields", {})))


def _answered(found: Mapping[str, Any]) -> Answered:
    time = found.get("time")
    return Answered(
        request=_text(found["request"]),
        time=None if time is None else int(time),
        answer=_text(found["answer"]),
        left=bool(found.get("left", False)),
    )


def _finished(found: Mapping[str, Any]) -> Finished:
    return Finished(
        run=_text(found["run"]),
        answer=_text(found.get("answer", "")),
        failed=bool(found.get("failed", False)),
    )


def _values(found: Iterable[Sequence[Any]]) -> Values:
    return tuple((_text(name), _text(value)) for name, value in found)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"{found!r} is no text")
    return found
