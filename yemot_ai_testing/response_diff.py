"""The difference between two responses, field by field.

>>> compare("read=t-מה=x,no,2", "read=t-מה=x,no,1")
['read.max_digits: 2 → 1']
>>> compare("noop=x", "noop=x&")
['same meaning, written differently: noop=x → noop=x&']
>>> compare("noop=x", "noop=x")
[]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import Field, fields
from difflib import SequenceMatcher
from typing import Any, Final, TypeAlias

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Action, Message, Mode, Play, Read, Response, SimpleAnswer
from yemot_ai.protocol.explain import printable

__all__ = ["compare"]

_CONTEXT: Final = 20
_MAX_WIDTH: Final = 60
_ABSENT: Final = "(nothing)"
_Value: TypeAlias = Action | Message | Mode


def compare(before: str | Response, after: str | Response) -> list[str]:
    """Return the differences, one a line: ``read.max_digits: 2 → 1``.

    Messages and repeated actions are numbered: ``id_list_message[2]``. If a text is not a response, or both
    mean the same, the lines show the texts around the first difference.

    Args:
        before: a response, or its text.
        after: the response to compare with it.

    Returns:
        The lines; none if both are equal byte by byte.
    """
    if str(before) == str(after):
        return []
    old, new = _parse(before), _parse(after)
    if isinstance(old, Response) and isinstance(new, Response):
        if old == new:
            return [f"same meaning, written differently: {_text_difference(str(before), str(after))}"]
        return list(_responses(old, new))
    errors = [
        f"{label} is not a response: {error.reason} (at character {error.position})"
        for label, error in (("the first", old), ("the second", new))
        if isinstance(error, ResponseSyntaxError)
    ]
    return [*errors, _text_difference(str(before), str(after))]


def _parse(response: str | Response) -> Response | ResponseSyntaxError:
    if isinstance(response, Response):
        return response
    try:
        return Response.parse(response)
    except ResponseSyntaxError as error:
        return error


def _responses(before: Response, after: Response) -> Iterator[str]:
    if before.log != after.log:
        yield _changed("log", before.log, after.log)
    old, new = list(before.actions), list(after.actions)
    for i, j in _align([_name(action) for action in old], [_name(action) for action in new]):
        if i is None and j is not None:
            yield f"{_label(new, j)}: {_ABSENT} → {printable(str(new[j]))}"
        elif j is None and i is not None:
            yield f"{_label(old, i)}: {printable(str(old[i]))} → {_ABSENT}"
        elif i is not None and j is not None:
            yield from _actions(_label(new, j), old[i], new[j])


def _actions(label: str, before: Action, after: Action) -> Iterator[str]:
    if isinstance(before, Play | Read) and isinstance(after, Play | Read):
        yield from _messages(label, before.messages, after.messages)
    if type(before) is type(after):
        yield from _attributes(label, before, after, ("messages", "mode"))
    else:
        yield f"{label}: {printable(str(before))} → {printable(str(after))}"
    if isinstance(before, Read) and isinstance(after, Read):
        if type(before.mode) is type(after.mode):
            yield from _attributes(label, before.mode, after.mode)
        else:
            old, new = (
                f"{type(read.mode).__name__} ({printable(read.fields())})" for read in (before, after)
            )
            yield f"{label}.mode: {old} → {new}"


def _messages(label: str, before: Sequence[Message], after: Sequence[Message]) -> Iterator[str]:
    for i, j in _align(list(map(str, before)), list(map(str, after))):
        if i is None and j is not None:
            yield f"{label}.messages[{j + 1}]: {_ABSENT} → {printable(str(after[j]))}"
        elif j is None and i is not None:
            yield f"{label}.messages[{i + 1}]: {printable(str(before[i]))} → {_ABSENT}"
        elif i is not None and j is not None and type(before[i]) is type(after[j]):
            yield from _attributes(f"{label}.messages[{j + 1}]", before[i], after[j])
        elif i is not None and j is not None:
            yield f"{label}.messages[{j + 1}]: {printable(str(before[i]))} → {printable(str(after[j]))}"


def _attributes(label: str, before: _Value, after: _Value, skipped: Collection[str] = ()) -> Iterator[str]:
    field: Field[Any]
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name in skipped or old == new:
            continue
        # A field without repr is a secret.
        yield _changed(f"{label}.{field.name}", old, new) if field.repr else f"{label}.{field.name}: changed"


def _changed(label: str, old: object, new: object) -> str:
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _MAX_WIDTH:
        return f"{label}: {_text_difference(old, new)}"
    return f"{label}: {_value(old)} → {_value(new)}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return printable(value) if value.strip() == value != "" else repr(value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "()"
    return str(value)


def _text_difference(before: str, after: str) -> str:
    """Return the part of both texts around their first difference."""
    if max(len(before), len(after)) <= _MAX_WIDTH:
        return f"{_value(before)} → {_value(after)}"
    start = next(
        (index for index, (old, new) in enumerate(zip(before, after, strict=False)) if old != new),
        min(len(before), len(after)),
    )
    old, new = (_around(text, start) for text in (before, after))
    return f"{old} → {new} (from character {start})"


def _around(text: str, start: int) -> str:
    first = max(start - _CONTEXT, 0)
    excerpt = printable(text[first : start + 2 * _CONTEXT])
    return f"{'…' if first else ''}{excerpt}{'…' if len(text) > start + 2 * _CONTEXT else ''}"


def _align(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Yield pairs of indices that match; None if one side has no match."""
    for _, old_start, old_end, new_start, new_end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        for offset in range(max(old_end - old_start, new_end - new_start)):
            old = old_start + offset if old_start + offset < old_end else None
            new = new_start + offset if new_start + offset < new_end else None
            yield old, new


def _name(action: Action) -> str:
    return "simple answer" if isinstance(action, SimpleAnswer) else action.NAME


def _label(actions: Sequence[Action], index: int) -> str:
    name = _name(actions[index])
    same = [position for position, action in enumerate(actions) if _name(action) == name]
    return name if len(same) == 1 else f"{name}[{same.index(index) + 1}]"
