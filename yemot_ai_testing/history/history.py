"""A history: events in the order in which they happened, from any thread and any process.

>>> from yemot_ai_testing.history.events import Reset
>>> history = History(now=lambda: 1.5)
>>> history.add(Reset(history.now(), "call 1"))
>>> History.loads(history.dumps()).events
(Reset(at=1.5, call='call 1'),)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Self

from yemot_ai_testing.history import events
from yemot_ai_testing.history.events import HistoryEvent

__all__ = ["History"]


class History:
    """What happened.

    Args:
        now: seconds; the events' ``at`` is its time. The monotonic clock is the same in every process
            of a machine, so that histories of several processes can be merged.
        first_number: the number after which this one begins to count, so that those of several processes differ.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic, first_number: int = 0) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._events: list[HistoryEvent] = []
        self._last_number = first_number

    def __len__(self) -> int:
        return len(self._events)

    @property
    def events(self) -> tuple[HistoryEvent, ...]:
        """Everything so far."""
        with self._lock:
            return tuple(self._events)

    def add(self, event: HistoryEvent) -> None:
        """Write an event down."""
        with self._lock:
            self._events.append(event)

    def next_number(self) -> int:
        """Return a number that this history has not given away before."""
        with self._lock:
            self._last_number += 1
            return self._last_number

    def dumps(self) -> str:
        """Return the events as lines of JSON."""
        return "".join(
            json.dumps({"event": type(event).__name__, **asdict(event)}, ensure_ascii=False) + "\n"
            for event in self.events
        )

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read what ``dumps`` wrote; lines of several histories may follow each other.

        Raises:
            ValueError: a line is not one of those.
        """
        history = cls()
        # Not splitlines(): an answer may hold separators that JSON leaves as they are.
        found = [_event(line) for line in text.split("\n") if line]
        history._events = sorted(found, key=lambda event: event.at)
        return history

    @classmethod
    def merge(cls, histories: Iterable[History]) -> Self:
        """Return one history of several, in the order of their times."""
        whole = cls()
        several = (event for history in histories for event in history.events)
        whole._events = sorted(several, key=lambda event: event.at)
        return whole


def _event(line: str) -> HistoryEvent:
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError(f"{line[:100]} is no event: that is an object with `event` and its fields")  # noqa: TRY004 - what is wrong is the text
    kind = fields.pop("event", None)
    if kind not in _EVENT_TYPES:
        raise ValueError(f"{kind!r} is no event: there are {', '.join(_EVENT_TYPES)}")
    try:
        event: HistoryEvent = _EVENT_TYPES[kind](
            **{name: _lists_to_tuples(value) for name, value in fields.items()}
        )
    except TypeError as error:
        raise ValueError(f"{line[:100]} is no {kind}: {error}") from error
    return event


def _lists_to_tuples(value: Any) -> Any:  # noqa: ANN401 - whatever JSON has
    return tuple(_lists_to_tuples(one) for one in value) if isinstance(value, list) else value


_EVENT_TYPES = {name: getattr(events, name) for name in events.__all__ if name != "Event"}
