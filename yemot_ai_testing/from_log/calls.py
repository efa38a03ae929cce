"""Sorts the entries of a log by call, and the requests of a call by time.

Only the place of each entry is kept in memory, not its contents: a log may be large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from yemot_ai_testing.from_log.entries import LogExchange, LoggedCall, LogTurn
from yemot_ai_testing.from_log.sources import LogFiles, Place
from yemot_ai_testing.line.exchange import final_read

__all__ = ["MAX_REQUESTS", "CallIndex"]

MAX_REQUESTS: Final = 2000
"""Requests of one call that are read; a longer one is no call of a person."""


@dataclass(slots=True)
class _Group:
    """The places of one call, each with its time."""

    places: list[tuple[float, Place]] = field(default_factory=list)

    @property
    def time(self) -> float:
        return self.places[0][0]


@dataclass(slots=True)
class CallIndex:
    """The calls of a log.

    Args:
        files: the log.

    Attributes:
        requests: how many requests were found.
        without_id: how many of them have no id of a call, so that they belong to none.
    """

    files: LogFiles
    requests: int = 0
    without_id: int = 0
    _groups: list[_Group] = field(default_factory=list)

    @classmethod
    def build(cls, files: LogFiles) -> CallIndex:
        """Read a log once, and return its calls.

        Raises:
            LogFormatError: a file is no log.
            OSError: a file cannot be read.
        """
        index = cls(files)
        index._add_all(files.entries())
        return index

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[LoggedCall]:
        """Yield the calls by time, one by one."""
        return (self.call(number) for number in range(1, len(self) + 1))

    def call(self, number: int) -> LoggedCall:
        """Return a call by its number, from 1."""
        places = [place for _, place in self._groups[number - 1].places[:MAX_REQUESTS]]
        entries = tuple(self.files.read(places))
        exchanges = tuple(entry for entry in entries if isinstance(entry, LogExchange))
        turns = sorted(
            (entry for entry in entries if isinstance(entry, LogTurn)), key=lambda turn: turn.started
        )
        return LoggedCall(number, _ordered(exchanges), tuple(turns))

    def _add_all(self, entries: Iterable[tuple[Place, LogExchange | LogTurn]]) -> None:
        groups: dict[str, _Group] = {}
        turns: list[tuple[str, float, Place]] = []
        latest = 0.0
        for place, entry in entries:
            if isinstance(entry, LogTurn):
                turns.append((entry.call_id, entry.at, place))
                continue
            self.requests += 1
            ids = [key for key in (entry.request.yf_call_id, entry.request.call_id) if key]
            if not ids:
                self.without_id += 1
                continue
            latest = latest if entry.time is None else entry.time
            group = next((groups[key] for key in ids if key in groups), None) or _Group()
            group.places.append((latest, place))
            groups.update(dict.fromkeys(ids, group))
        for call_id, at, place in turns:
            if call_id in groups:
                groups[call_id].places.append((at, place))
        unique = {id(group): group for group in groups.values()}.values()
        for group in unique:
            group.places.sort(key=lambda placed: placed[0])
        self._groups = sorted(unique, key=lambda group: group.time)


def _ordered(exchanges: tuple[LogExchange, ...]) -> tuple[LogExchange, ...]:
    """Return requests in the order in which the line sent them: logs have whole seconds.

    The line sends each value again, so of two requests of one second and one extension the one with fewer
    values came first, unless the other one's response led the caller into the extension again.
    """
    ordered = list(exchanges)
    for end in range(len(ordered)):
        place = end
        while place and _is_before(ordered[place], ordered[place - 1]):
            ordered[place - 1 : place + 1] = ordered[place], ordered[place - 1]
            place -= 1
    return tuple(ordered)


def _is_before(one: LogExchange, other: LogExchange) -> bool:
    if one.time is None or other.time is None or int(one.time) != int(other.time):
        return False
    if one.request.extension != other.request.extension or one.has_turns:  # a record has exact times
        return False
    if one.request.hangup != other.request.hangup:
        return other.request.hangup
    is_shorter = len(one.values) < len(other.values) and other.values[: len(one.values)] == one.values
    return is_shorter and (other.body is None or final_read(other.body) is not None)
