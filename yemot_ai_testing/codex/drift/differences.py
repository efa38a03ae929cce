"""Differences between two recordings of one case, with their severity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["Change", "Severity", "compare_recordings"]

Severity = Literal["breaks us", "lost field", "new field", "wording"]
"""From the worst to the mildest: a turn has another outcome; output is missing; there is more output; the
same output has other words or numbers."""

_MAX_LENGTH: Final = 160
_ABSENT: Final = "—"
_ENTRY: Final = re.compile(r"^\s*(?:-\w, )?(--[a-z][\w-]*|[a-z][\w-]*)(?: <\w+>)?(?:\.\.\.)?(?:  |$)")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        severity: how bad it is, judged from the two recordings alone.
        what: the thing that differs.
        before: the old value.
        after: the new value.
    """

    severity: Severity
    what: str
    before: str
    after: str


def compare_recordings(old: Recording, new: Recording) -> Iterator[Change]:
    """Yield the differences, except times, the login shell of the machine and the version itself."""
    if old.exit_code != new.exit_code:
        yield Change("breaks us", "exit code", str(old.exit_code), str(new.exit_code))
    if (old.argv, old.stdin) != (new.argv, new.stdin):
        yield Change("breaks us", "input of the process", _shorten(old.argv), _shorten(new.argv))
    old_events, new_events = _parsed_events(old), _parsed_events(new)
    yield from _event_changes(old_events, new_events)
    yield from _text_changes("stdout", _plain_lines(old), _plain_lines(new), is_answer=True)
    yield from _text_changes("stderr", _stderr_lines(old), _stderr_lines(new), is_answer=False)


def _parsed_events(recording: Recording) -> list[dict[str, Any]]:
    return [line.event for line in recording.stdout if line.event]


def _plain_lines(recording: Recording) -> list[str]:
    """Return the lines that are not events."""
    return [_without_version(line.text, recording) for line in recording.stdout if not line.event]


def _stderr_lines(recording: Recording) -> list[str]:
    return [_without_version(line, recording) for line in recording.stderr]


def _without_version(text: str, recording: Recording) -> str:
    return text.replace(recording.version, "{version}")


def _event_changes(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> Iterator[Change]:
    before, after = [_event_type(event) for event in old], [_event_type(event) for event in new]
    for tag, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            for old_event, new_event in zip(old[i:j], new[k:n], strict=True):
                yield from _field_changes(_event_type(old_event), old_event, new_event)
            continue
        yield from (Change("lost field", f"event {kind}", "written", _ABSENT) for kind in before[i:j])
        yield from (Change("new field", f"event {kind}", _ABSENT, "written") for kind in after[k:n])


_LOGIN_SHELL: Final = re.compile(r"^(?:\S*/)?(?:ba|da|k|z)?sh (?=-l?c )")
"""Codex runs a command by the shell that the machine's account of the user names."""


def _event_type(event: Mapping[str, Any]) -> str:
    item = event.get("item")
    kind = str(event.get("type"))
    return f"{kind} ({item.get('type')})" if isinstance(item, dict) else kind


def _field_changes(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = dict(_flatten(old)), dict(_flatten(new))
    for name in sorted(before.keys() | after.keys()):
        what = f"{kind}: {name}"
        if name not in after:
            yield Change("lost field", what, _shorten(before[name]), _ABSENT)
        elif name not in before:
            yield Change("new field", what, _ABSENT, _shorten(after[name]))
        elif before[name] != after[name]:
            yield Change("wording", what, _shorten(before[name]), _shorten(after[name]))


def _flatten(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flatten(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _LOGIN_SHELL.sub("{shell} ", inner) if isinstance(inner, str) else inner


def _text_changes(
    stream: str, old: Sequence[str], new: Sequence[str], *, is_answer: bool
) -> Iterator[Change]:
    """Yield the differences between lines of plain text: new, removed and changed lines.

    Args:
        stream: its name.
        old: its lines.
        new: its lines.
        is_answer: the text is part of the answer, not only an explanation.
    """
    before, after = (_entries_by_name(old), _entries_by_name(new)) if is_answer else ({}, {})
    lost, added = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    if lost:
        yield Change("lost field", stream, _shorten(", ".join(lost)), _ABSENT)
    if added:
        yield Change("new field", stream, _ABSENT, _shorten(", ".join(added)))
    names = before.keys() ^ after.keys()
    old_lines, new_lines = _other_lines(old, names), _other_lines(new, names)
    removed = [line for line in old_lines if line not in new_lines]
    inserted = [line for line in new_lines if line not in old_lines]
    if removed or inserted:
        yield Change("wording", stream, _shorten_lines(removed), _shorten_lines(inserted))


def _entries_by_name(lines: Sequence[str]) -> dict[str, str]:
    """Return the lines of a list, by the name at their start: a feature, a subcommand, an option."""
    return {found[1]: line for line in lines if (found := _ENTRY.match(line))}


def _other_lines(lines: Sequence[str], names: Container[str]) -> list[str]:
    """Return the lines that are not entries of these names, with single spaces between words."""
    others = [line for line in lines if not ((found := _ENTRY.match(line)) and found[1] in names)]
    return [" ".join(line.split()) for line in others if line.strip()]


def _shorten_lines(lines: Sequence[str]) -> str:
    if not lines:
        return _ABSENT
    first = _shorten(" ".join(lines[0].split()))
    return first if len(lines) == 1 else f"{first} (and {len(lines) - 1} more)"


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else " ".join(value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"
