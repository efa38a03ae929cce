"""Sessions as JSON: the record that every persistent store writes.

A record contains the number of its format. A record of a newer format is refused and left unchanged: an
older worker beside a newer one must not overwrite what it cannot read.

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
"""Incremented for changes that an older reader would misunderstand; a new key with a default is none."""

MAX_NUMBER: Final = 2**53
"""The largest integer of a record: a larger one might not fit into the columns of a database."""

MAX_DEPTH: Final = 100
"""Levels of foreign values in a session; the recursion limit of Python would depend on the caller's stack."""

_STORED_NAMES: Final = {(Visit, "spoken_progress"): "told"}
"""Fields that have another name in records, so that workers of several versions can read them."""

_COUNTERS: Final = tuple(field.name for field in dataclasses.fields(Usage))


def encode(session: Session) -> str:
    """Return the record of ``session``.

    Raises:
        TypeError: if ``session`` has a value that JSON cannot represent.
        StoreError: if it is nested too deeply.
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
        call_id: the expected call; None: any.
        version: the expected version; None: any.

    Raises:
        SessionFormatError: if the record has a newer format.
        SessionDamagedError: if it is not a record, or not the expected one.
    """
    return decode_object(parse_object(text), call_id=call_id, version=version)


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object in ``text``.

    Raises:
        SessionDamagedError: if it is not a JSON object.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Its message may quote the text, and what callers said must not be logged.
        raise SessionDamagedError(f"it is not JSON ({type(error).__name__})") from None
    if not isinstance(record, dict):
        raise SessionDamagedError("it is not a JSON object")
    return record


def decode_object(record: object, *, call_id: str | None = None, version: int | None = None) -> Session:
    """Do what ``decode`` does, with JSON that has been parsed.

    A record under the key of another call would let two callers share a conversation; a record with
    another version than the one the store compares could never be replaced.
    """
    if not isinstance(record, dict) or type(record.get("format")) is not int or record["format"] < 1:
        raise SessionDamagedError("it does not name its format")
    if record["format"] > FORMAT:
        raise SessionFormatError(found=record["format"], known=FORMAT)
    try:
        session = _session(record)
    except KeyError as error:
        raise SessionDamagedError(f"{error} is missing") from None
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise SessionDamagedError(f"a value has the wrong type ({type(error).__name__})") from None
    if _is_deep((session.state, session.threads, session.retired)):
        raise SessionDamagedError("it is nested too deeply")
    if call_id is not None and session.call_id != call_id:
        raise SessionDamagedError("it is the record of another call")
    if version is not None and (session.version != version or version == 0):  # 0: never saved
        raise SessionDamagedError("it is not the version that was saved")
    return session


_TOO_DEEP: Final = f"session {{}} is nested too deeply to be saved: at most {MAX_DEPTH} levels"


_SCALARS: Final = frozenset({bool, float, int, str, type(None)})


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):  # and the tuple around them
        level = [inner for outer in level for inner in _children(outer) if type(inner) not in _SCALARS]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _to_json(value: object) -> object:
    """Return ``value`` as a JSON type; one level only, the encoder continues with its parts."""
    if isinstance(value, TurnStatus):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored in a session")


def _fields(value: object) -> dict[str, object]:
    kind: type[Any] = type(value)
    names = [field.name for field in dataclasses.fields(kind)]
    return {_STORED_NAMES.get((kind, name), name): getattr(value, name) for name in names}


def _session(record: Mapping[str, Any]) -> Session:
    return Session(
        call_id=_text(record["call_id"]),
        version=_integer(record["version"]),
        phone=_text(record.get("phone", "")),
        ended=_boolean(record.get("ended", False)),
        started=_number(record.get("started", 0.0)),
        visit=_visit(record.get("visit")),
        next_turn=_integer(record.get("next_turn", 1)),
        names={_text(name): _text(base) for name, base in record.get("names", {}).items()},
        turns=tuple(map(_turn, record.get("turns", ()))),
        earlier=tuple(map(_turn, record.get("earlier", ()))),
        recalled=_boolean(record.get("recalled", False)),
        restarted=tuple(map(_text, record.get("restarted", ()))),
        threads=_mapping(record.get("threads", {})),
        retired=tuple((_text(name), thread) for name, thread in record.get("retired", ())),
        recent=tuple(map(_cached_response, record.get("recent", ()))),
        finished=tuple(map(_handler_outcome, record.get("finished", ()))),
        state=_mapping(record.get("state", {})),
        faults=_integer(record.get("faults", 0)),
    )


def _visit(record: Mapping[str, Any] | None) -> Visit | None:
    if record is None:
        return None
    turn, answer = record.get("decided", (0, ""))
    progress = record.get("told", {})
    return Visit(
        number=_integer(record["number"]),
        extension=_text(record["extension"]),
        first_turn=_integer(record.get("first_turn", 1)),
        names_before=tuple(map(_text, record.get("names_before", ()))),
        seen=_values(record.get("seen", ())),
        left=_boolean(record.get("left", False)),
        silences=_integer(record.get("silences", 0)),
        decided=(_integer(turn), _text(answer)),
        spoken_progress=SpokenProgress(
            _integer(progress.get("turn", 0)),
            tuple((_integer(poll), _integer(stop)) for poll, stop in progress.get("polls", ())),
        ),
    )


def _turn(record: Mapping[str, Any]) -> Turn:
    failure, usage = record.get("failure"), record.get("usage")
    return Turn(
        id=_text(record["id"]),
        text=_text(record["text"]),
        conversation=_text(record.get("conversation", "")),
        status=TurnStatus(record["status"]),
        owner=_text(record.get("owner", "")),
        answer=_text(record.get("answer", "")),
        outcome=_text(record.get("outcome", "")),
        spoken=_text(record.get("spoken", "")),
        failure=None if failure is None else _failure(failure),
        usage=None if usage is None else _usage(usage),
        session_id=_text(record.get("session_id", "")),
        duration=_number(record.get("duration", 0.0)),
        forgotten=_boolean(record.get("forgotten", False)),
        pieces=tuple(map(_text, record.get("pieces", ()))),
        interrupted=_boolean(record.get("interrupted", False)),
        lost=_integer(record.get("lost", 0)),
    )


def _failure(record: Mapping[str, Any]) -> TurnFailure:
    kind = current_kind(_text(record["kind"]))
    return TurnFailure(kind, _text(record["message"]), _mapping(record.get("fields", {})))


def _cached_response(record: Mapping[str, Any]) -> CachedResponse:
    time = record.get("time")
    return CachedResponse(
        request=_text(record["request"]),
        time=None if time is None else _integer(time),
        answer=_text(record["answer"]),
        left=_boolean(record.get("left", False)),
    )


def _handler_outcome(record: Mapping[str, Any]) -> HandlerOutcome:
    return HandlerOutcome(
        run=_text(record["run"]),
        answer=_text(record.get("answer", "")),
        failed=_boolean(record.get("failed", False)),
    )


def _values(values: Iterable[Sequence[Any]]) -> Values:
    return tuple((_text(name), _text(value)) for name, value in values)


def _usage(value: object) -> Usage:
    """Return the known counters; a newer version may have more, and a provider may count in fractions."""
    counted = _mapping(value)
    return Usage(**{name: int(_number(counted[name])) for name in _COUNTERS if name in counted})


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else _reject(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else _reject(value)


def _integer(value: object) -> int:
    return value if type(value) is int and 0 <= value <= MAX_NUMBER else _reject(value)


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else _reject(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return _reject(value)
    return value


def _reject(value: object) -> NoReturn:
    raise TypeError(type(value).__name__)
