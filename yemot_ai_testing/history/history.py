"""A history: a list of events in order, recorded by any thread and process.

>>> from yemot_ai_testing.history.events import ConversationReset
>>> history = History(now=lambda: 1.5)
>>> history.add(ConversationReset(history.now(), "call 1"))
>>> History.loads(history.dumps()).events
(ConversationReset(at=1.5, call='call 1'),)
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
    """The recorded events; safe for several threads.

    Args:
        now: returns the time in seconds for ``at`` of the events. The monotonic clock is the same in every
            process of a machine, so that histories of several processes can be merged.
        first_number: the number before the first one of ``next_number``, to keep processes apart.
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
        """The events so far."""
        with self._lock:
            return tuple(self._events)

    def add(self, event: HistoryEvent) -> None:
        """Append an event."""
        with self._lock:
            self._events.append(event)

    def next_number(self) -> int:
        """Return the next number that is unique in this history."""
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
        """Return the history in the output of ``dumps``; outputs of several histories may be joined.

        Raises:
            ValueError: a line is no event.
        """
        history = cls()
        # Not splitlines(): a response may contain line separators that JSON does not escape.
        loaded = [_event(line) for line in text.split("\n") if line]
        history._events = sorted(loaded, key=lambda event: event.at)
        return history

    @classmethod
    def merge(cls, histories: Iterable[History]) -> Self:
        """Return one history with the events of several, ordered by time."""
        merged = cls()
        all_events = (event for history in histories for event in history.events)
        merged._events = sorted(all_events, key=lambda event: event.at)
        return merged


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


def _lists_to_tuples(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return tuple(_lists_to_tuples(item) for item in value) if isinstance(value, list) else value


_EVENT_TYPES = {name: getattr(events, name) for name in events.__all__ if name != "HistoryEvent"}
