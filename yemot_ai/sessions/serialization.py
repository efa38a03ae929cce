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
import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from yemot_ai.errors import SessionDamagedError, SessionFormatError, StoreError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions.session import Session
from yemot_ai.sessions.turn import TURN_PREFIX, Turn, TurnFailure, TurnStatus, current_kind
from yemot_ai.sessions.visit import Visit

__all__ = ["FORMAT", "decode", "decode_object", "encode", "parse_object"]

T = TypeVar("T")

FORMAT: Final = 1
"""Incremented for changes that an older reader would misunderstand; a new key with a default is none."""

MAX_NUMBER: Final = 2**53
"""The largest integer of a record: a larger one might not fit into the columns of a database."""

MAX_DEPTH: Final = 100
"""Levels of foreign values in a session; the recursion limit of Python would depend on the caller's stack."""

_STORED_NAMES: Final = {(Visit, "spoken_progress"): "told"}
"""Fields that have another name in records, so that workers of several versions can read them."""

_REQUIRED: Final = {(Session, "version"), (Visit, "number"), (Visit, "extension"), (Turn, "status")}
"""Fields that every record has, although the class has a default; one without them is damaged."""

_Reader: TypeAlias = Callable[[Any], Any]

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
        session: Session = _read(Session, record)
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


def _fields(value: Any) -> dict[str, object]:  # noqa: ANN401 - a dataclass
    kind, names = type(value), [field.name for field in dataclasses.fields(value)]
    return {_STORED_NAMES.get((kind, name), name): getattr(value, name) for name in names}


@functools.cache
def _fields_of(kind: Any) -> tuple[tuple[str, str, _Reader, bool], ...]:  # noqa: ANN401 - a dataclass
    """Return each field's name, its key in records, its reader, and whether every record has it."""
    hints = get_type_hints(kind, localns={"JSON": object})
    return tuple(
        (
            field.name,
            _STORED_NAMES.get((kind, field.name), field.name),
            _reader(hints[field.name]),
            (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)
            or (kind, field.name) in _REQUIRED,
        )
        for field in dataclasses.fields(kind)
    )


def _read(kind: Any, value: object) -> Any:  # noqa: ANN401 - a dataclass and its instance
    """Return the dataclass of a JSON object, which may have further keys."""
    record = _checked(dict, value)
    return kind(
        **{
            name: read(record[key])
            for name, key, read, is_required in _fields_of(kind)
            if is_required or key in record
        }
    )


def _reader(hint: Any) -> _Reader:  # noqa: ANN401 - a type
    """Return the function that checks a JSON value and converts it to the type ``hint``."""
    if hint in _READERS:
        return _READERS[hint]
    if dataclasses.is_dataclass(hint):
        return functools.partial(_read, hint)
    origin, arguments = get_origin(hint), get_args(hint)
    parts = [_reader(part) for part in arguments if part is not Ellipsis]
    if origin is UnionType:  # of a type and None
        return lambda value: None if value is None else parts[0](value)
    if origin is Mapping:
        return lambda value: {name: parts[1](inner) for name, inner in _checked(dict, value).items()}
    if Ellipsis in arguments:
        return lambda value: tuple(map(parts[0], _checked(list, value)))
    return lambda value: tuple(read(part) for read, part in zip(parts, _checked(list, value), strict=True))


def _turn(value: object) -> Turn:
    turn: Turn = _read(Turn, value)
    if "parent" not in _checked(dict, value):  # older records: the id of a step began with that of its turn
        parent, _, number = turn.id.rpartition(".")
        is_step = parent.startswith(TURN_PREFIX) and number.isdecimal()
        turn = dataclasses.replace(turn, parent=parent if is_step else "")
    return turn


def _failure(value: object) -> TurnFailure:
    failure: TurnFailure = _read(TurnFailure, value)
    return dataclasses.replace(failure, kind=current_kind(failure.kind))


def _usage(value: object) -> Usage:
    """Return the known counters; a newer version may have more, and a provider may count in fractions."""
    counted = _checked(dict, value)
    return Usage(**{name: int(_number(counted[name])) for name in _COUNTERS if name in counted})


def _checked(kind: type[T], value: object) -> T:
    return value if isinstance(value, kind) else _reject(value)


def _integer(value: object) -> int:
    return value if type(value) is int and 0 <= value <= MAX_NUMBER else _reject(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return _reject(value)
    return value


def _reject(value: object) -> NoReturn:
    raise TypeError(type(value).__name__)


_READERS: Final[Mapping[Any, _Reader]] = {
    bool: functools.partial(_checked, bool),
    float: _number,
    int: _integer,
    object: lambda value: value,
    str: functools.partial(_checked, str),
    type(None): _reject,
    Turn: _turn,
    TurnFailure: _failure,
    TurnStatus: TurnStatus,
    Usage: _usage,
}
