"""A session as JSON: what every store that outlives a process writes.

The record names its own format. One of a newer format is refused and left as it is: an older
worker beside a newer one must not overwrite what it cannot read.

>>> from yemot_ai.sessions.session import Session
>>> session = Session("c1", version=3, phone="0501234567", state={"size": "גדולה"})
>>> decode(encode(session)) == session
True
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from yemot_ai.errors import SessionDamagedError, SessionFormatError, StoreError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions.session import CachedResponse, HandlerOutcome, Session
from yemot_ai.sessions.turn import Turn, TurnFailure, TurnStatus, current_kind
from yemot_ai.sessions.visit import SpokenProgress, Values, Visit

__all__ = ["FORMAT", "decode", "decode_object", "encode", "parse_object"]

FORMAT: Final = 1
"""Counts the changes that an older reader would misunderstand; a new key with a default is none."""


MAX_NUMBER: Final = 2**53
"""More than anybody counts to; a number beyond it, and what follows it, need not fit where it is kept."""

MAX_DEPTH: Final = 100
"""Levels of what others put into a session; how many Python could go down depends on where it stands."""

_STORED_NAMES: Final = {(Visit, "spoken_progress"): "told"}
"""Fields that records call otherwise: workers of several versions read each other's."""

_COUNTERS: Final = tuple(field.name for field in dataclasses.fields(Usage))


def encode(session: Session) -> str:
    """Return the record of ``session``.

    Raises:
        TypeError: ``session`` holds something that JSON does not have.
        StoreError: it is nested too deeply.
    """
    if _is_deep((session.state, session.threads, session.retired)):
        raise StoreError(_TOO_DEEP.format(session.call_id))
    # ASCII: a lone surrogate, which a line can send, survives as an escape.
    try:
        return json.dumps({"format": FORMAT, **_fields(session)}, default=_to_json, separators=(",", ":"))
    except RecursionError as error:
        raise StoreError(_TOO_DEEP.format(session.call_id)) from error


def decode(text: str, *, call_id: str | None = None, version: int | None = None) -> Session:
    """Return the session of a record.

    Args:
        text: the record.
        call_id: whose it should be; None: anybody's.
        version: which version it should be; None: any.

    Raises:
        SessionFormatError: the record is of a newer format.
        SessionDamagedError: it is no record, or another one than it should be.
    """
    return decode_object(parse_object(text), call_id=call_id, version=version)


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object that ``text`` is.

    Raises:
        SessionDamagedError: it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Its message may quote the text, and what callers said does not belong into a log.
        raise SessionDamagedError(f"it is no JSON ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise SessionDamagedError("it is no JSON object")
    return found


def decode_object(found: object, *, call_id: str | None = None, version: int | None = None) -> Session:
    """Do what ``decode`` does, with JSON that was parsed before.

    A record in another call's place would let two callers share a memory; one whose version is not
    the one that the store compares could never be saved over.
    """
    if not isinstance(found, dict) or type(found.get("format")) is not int or found["format"] < 1:
        raise SessionDamagedError("it does not name its format")
    if found["format"] > FORMAT:
        raise SessionFormatError(found=found["format"], known=FORMAT)
    try:
        session = _session(found)
    except KeyError as error:
        raise SessionDamagedError(f"{error} is missing") from None
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise SessionDamagedError(f"a value is not what it should be ({type(error).__name__})") from None
    if _is_deep((session.state, session.threads, session.retired)):
        raise SessionDamagedError("it is nested too deeply")
    if call_id is not None and session.call_id != call_id:
        raise SessionDamagedError("it is the record of another call")
    if version is not None and (session.version != version or version == 0):  # 0: never saved
        raise SessionDamagedError("it is another version than the one that was saved")
    return session


_TOO_DEEP: Final = f"session {{}} is nested too deeply to be saved: at most {MAX_DEPTH} levels"


_SCALARS: Final = frozenset({bool, float, int, str, type(None)})


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):  # and what it stands in
        level = [inner for one in level for inner in _children(one) if type(inner) not in _SCALARS]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _to_json(value: object) -> object:
    """Return what JSON knows of ``value``; one level of it, for the encoder goes on by itself."""
    if isinstance(value, TurnStatus):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is nothing that a session can hold")


def _fields(value: object) -> dict[str, object]:
    kind: type[Any] = type(value)
    names = [field.name for field in dataclasses.fields(kind)]
    return {_STORED_NAMES.get((kind, name), name): getattr(value, name) for name in names}


def _session(found: Mapping[str, Any]) -> Session:
    return Session(
        call_id=_text(found["call_id"]),
        version=_integer(found["version"]),
        phone=_text(found.get("phone", "")),
        ended=_boolean(found.get("ended", False)),
        started=_number(found.get("started", 0.0)),
        visit=_visit(found.get("visit")),
        next_turn=_integer(found.get("next_turn", 1)),
        names={_text(name): _text(asked) for name, asked in found.get("names", {}).items()},
        turns=tuple(map(_turn, found.get("turns", ()))),
        earlier=tuple(map(_turn, found.get("earlier", ()))),
        recalled=_boolean(found.get("recalled", False)),
        restarted=tuple(map(_text, found.get("restarted", ()))),
        threads=_mapping(found.get("threads", {})),
        retired=tuple((_text(name), thread) for name, thread in found.get("retired", ())),
        recent=tuple(map(_cached_response, found.get("recent", ()))),
        finished=tuple(map(_handler_outcome, found.get("finished", ()))),
        state=_mapping(found.get("state", {})),
        faults=_integer(found.get("faults", 0)),
    )


def _visit(found: Mapping[str, Any] | None) -> Visit | None:
    if found is None:
        return None
    turn, answer = found.get("decided", (0, ""))
    told = found.get("told", {})
    return Visit(
        number=_integer(found["number"]),
        extension=_text(found["extension"]),
        first_turn=_integer(found.get("first_turn", 1)),
        names_before=tuple(map(_text, found.get("names_before", ()))),
        seen=_values(found.get("seen", ())),
        left=_boolean(found.get("left", False)),
        silences=_integer(found.get("silences", 0)),
        decided=(_integer(turn), _text(answer)),
        spoken_progress=SpokenProgress(
            _integer(told.get("turn", 0)),
            tuple((_integer(poll), _integer(stop)) for poll, stop in told.get("polls", ())),
        ),
    )


def _turn(found: Mapping[str, Any]) -> Turn:
    failure, usage = found.get("failure"), found.get("usage")
    return Turn(
        id=_text(found["id"]),
        text=_text(found["text"]),
        conversation=_text(found.get("conversation", "")),
        status=TurnStatus(found["status"]),
        owner=_text(found.get("owner", "")),
        answer=_text(found.get("answer", "")),
        outcome=_text(found.get("outcome", "")),
        spoken=_text(found.get("spoken", "")),
        failure=None if failure is None else _failure(failure),
        usage=None if usage is None else _usage(usage),
        session_id=_text(found.get("session_id", "")),
        duration=_number(found.get("duration", 0.0)),
        forgotten=_boolean(found.get("forgotten", False)),
        pieces=tuple(map(_text, found.get("pieces", ()))),
        interrupted=_boolean(found.get("interrupted", False)),
        lost=_integer(found.get("lost", 0)),
    )


def _failure(found: Mapping[str, Any]) -> TurnFailure:
    kind = current_kind(_text(found["kind"]))
    return TurnFailure(kind, _text(found["message"]), _mapping(found.get("fields", {})))


def _cached_response(found: Mapping[str, Any]) -> CachedResponse:
    time = found.get("time")
    return CachedResponse(
        request=_text(found["request"]),
        time=None if time is None else _integer(time),
        answer=_text(found["answer"]),
        left=_boolean(found.get("left", False)),
    )


def _handler_outcome(found: Mapping[str, Any]) -> HandlerOutcome:
    return HandlerOutcome(
        run=_text(found["run"]),
        answer=_text(found.get("answer", "")),
        failed=_boolean(found.get("failed", False)),
    )


def _values(found: Iterable[Sequence[Any]]) -> Values:
    return tuple((_text(name), _text(value)) for name, value in found)


def _usage(found: object) -> Usage:
    """Take the counters that we know; a newer version may count more, and a provider in fractions."""
    counted = _mapping(found)
    return Usage(**{name: int(_number(counted[name])) for name in _COUNTERS if name in counted})


def _mapping(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else _reject(found)


def _text(found: object) -> str:
    return found if isinstance(found, str) else _reject(found)


def _integer(found: object) -> int:
    return found if type(found) is int and 0 <= found <= MAX_NUMBER else _reject(found)


def _boolean(found: object) -> bool:
    return found if isinstance(found, bool) else _reject(found)


def _number(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return _reject(found)
    return found


def _reject(found: object) -> NoReturn:
    raise TypeError(type(found).__name__)
