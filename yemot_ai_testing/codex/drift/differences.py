"""What differs between two recordings of one case, and how much that matters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final, Literal

from yemot_ai_testing.codex.drift.reader_check import event_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["Change", "Severity", "changes"]

Severity = Literal["breaks us", "lost field", "new field", "wording"]
"""From the worst to the most harmless: a turn comes to something else; something is no longer told;
something more is told; the same is told in other words or numbers."""

_SHOWN: Final = 160
_ABSENT: Final = "—"
_ENTRY: Final = re.compile(r"^\s*(?:-\w, )?(--[a-z][\w-]*|[a-z][\w-]*)(?: <\w+>)?(?:\.\.\.)?(?:  |$)")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        severity: how bad it is, as far as the two recordings alone can tell.
        what: the thing that differs.
        before: how it was.
        after: how it is.
    """

    severity: Severity
    what: str
    before: str
    after: str


def changes(old: Recording, new: Recording) -> Iterator[Change]:
    """Yield what differs; times, and the version where it is told, do not count."""
    if old.exit_code != new.exit_code:
        yield Change("breaks us", "exit code", str(old.exit_code), str(new.exit_code))
    if (old.argv, old.stdin) != (new.argv, new.stdin):
        yield Change("breaks us", "what the process was given", _short(old.argv), _short(new.argv))
    old_events, new_events = _events(old), _events(new)
    yield from _stream(old_events, new_events)
    yield from _lines("stdout", _texts(old), _texts(new), told=True)
    yield from _lines("stderr", _errors(old), _errors(new), told=False)


def _events(recording: Recording) -> list[dict[str, Any]]:
    return [event for line in recording.stdout if (event := event_of(line))]


def _texts(recording: Recording) -> list[str]:
    """The lines that are no events."""
    return [_unversioned(line.text, recording) for line in recording.stdout if not event_of(line)]


def _errors(recording: Recording) -> list[str]:
    return [_unversioned(line, recording) for line in recording.stderr]


def _unversioned(text: str, recording: Recording) -> str:
    return text.replace(recording.version, "{version}")


def _stream(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> Iterator[Change]:
    before, after = [_kind(event) for event in old], [_kind(event) for event in new]
    for tag, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            for one, other in zip(old[i:j], new[k:n], strict=True):
                yield from _fields(_kind(one), one, other)
            continue
        yield from (Change("lost field", f"event {kind}", "told", _ABSENT) for kind in before[i:j])
        yield from (Change("new field", f"event {kind}", _ABSENT, "told") for kind in after[k:n])


def _kind(event: Mapping[str, Any]) -> str:
    item = event.get("item")
    kind = str(event.get("type"))
    return f"{kind} ({item.get('type')})" if isinstance(item, dict) else kind


def _fields(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = dict(_flat(old)), dict(_flat(new))
    for name in sorted(before.keys() | after.keys()):
        what = f"{kind}: {name}"
        if name not in after:
            yield Change("lost field", what, _short(before[name]), _ABSENT)
        elif name not in before:
            yield Change("new field", what, _ABSENT, _short(after[name]))
        elif before[name] != after[name]:
            yield Change("wording", what, _short(before[name]), _short(after[name]))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def _lines(stream: str, old: Sequence[str], new: Sequence[str], *, told: bool) -> Iterator[Change]:
    """Lines of plain text: what is new, what is gone, and what is said otherwise.

    Args:
        stream: its name.
        old: its lines.
        new: its lines.
        told: what it says is part of the answer, and no mere explanation of it.
    """
    before, after = (_entries(old), _entries(new)) if told else ({}, {})
    lost, come = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    if lost:
        yield Change("lost field", stream, _short(", ".join(lost)), _ABSENT)
    if come:
        yield Change("new field", stream, _ABSENT, _short(", ".join(come)))
    names = before.keys() ^ after.keys()
    was, now = _prose(old, names), _prose(new, names)
    gone, more = [line for line in was if line not in now], [line for line in now if line not in was]
    if gone or more:
        yield Change("wording", stream, _short_lines(gone), _short_lines(more))


def _entries(lines: Sequence[str]) -> dict[str, str]:
    """The lines of a list, by the name that each begins with: a feature, a subcommand, an option."""
    return {found[1]: line for line in lines if (found := _ENTRY.match(line))}


def _prose(lines: Sequence[str], names: Container[str]) -> list[str]:
    """The lines without those of these entries, and without the width of their columns."""
    kept = [line for line in lines if not ((found := _ENTRY.match(line)) and found[1] in names)]
    return [" ".join(line.split()) for line in kept if line.strip()]


def _short_lines(lines: Sequence[str]) -> str:
    if not lines:
        return _ABSENT
    first = _short(" ".join(lines[0].split()))
    return first if len(lines) == 1 else f"{first} (and {len(lines) - 1} more)"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else " ".join(value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
