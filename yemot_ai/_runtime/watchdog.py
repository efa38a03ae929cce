"""Finds code that blocks an event loop, and logs where it is.

While an ``async def`` function of a developer sleeps or computes, no call of the process gets an answer, and
nothing fails. So one daemon thread looks at the loops of this process. A loop that stays in one step of one
task for ``LoopMonitor.seconds`` is blocked; the stack of its thread has the line.

Seconds in which the watchdog itself was late do not count, because the process was stopped or the machine was
asleep or overloaded. A call into C code that holds the GIL stops every thread and is not seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from yemot_ai._runtime.developer_place import DeveloperPlace, find_developer_place
from yemot_ai._runtime.tasks import CALL_TASK

__all__ = ["BLOCKED_SECONDS", "Blocking", "Heartbeat", "LoopMonitor", "PingHeartbeat", "watch"]

log = logging.getLogger("yemot_ai")

BLOCKED_SECONDS: Final = 1.0
"""Seconds after which a blocked loop is logged."""

LOOKS: Final = 4
"""How often the watchdog looks at a loop within the seconds after which it counts as blocked."""

OFF_SECONDS: Final = 1.0
"""Seconds between two looks while no loop is watched."""

REPEAT_SECONDS: Final = 60.0
"""Seconds in which a place is explained once."""

KEPT: Final = 100
"""How many blockings a monitor keeps."""

_TO_THREAD: Final = 'write "await asyncio.to_thread(…)" around what takes long'


@dataclass(slots=True, eq=False)
class Blocking:
    """A step of a task that has blocked an event loop.

    Attributes:
        place: the line that was being executed when the loop counted as blocked.
        task: the call and what runs in it; empty if unknown.
        since: when it began, by ``time.monotonic()``.
        ended: when it ended; None while it lasts.
    """

    place: DeveloperPlace
    task: str
    since: float
    ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has blocked the loop."""
        return (time.monotonic() if self.ended is None else self.ended) - self.since

    def __str__(self) -> str:
        source = f": {self.place.source}" if self.place.source else ""
        task = f" ({self.task})" if self.task else ""
        return f"{self.place} blocks the event loop, so that no call gets an answer{source}{task}"

    @property
    def way_out(self) -> str:
        """What to change."""
        if self.place.may_be_plain:
            return (
                f'declare {self.place.entry} with "def" instead of "async def", which runs it in a thread, '
                f"or {_TO_THREAD}"
            )
        if self.place.in_coroutine:
            return _TO_THREAD
        return f"{self.place.entry} runs on the event loop and must return at once: do before what takes long"


@dataclass(slots=True, eq=False)
class LoopMonitor:
    """How the loops of one engine are watched, and what was found.

    Attributes:
        seconds: after how many seconds a loop counts as blocked; 0: never.
        blockings: the newest blockings, the oldest first.
    """

    seconds: float = BLOCKED_SECONDS
    blockings: deque[Blocking] = field(default_factory=lambda: deque(maxlen=KEPT))
    _explained_at: dict[tuple[str, int], float] = field(default_factory=dict)

    def add(self, blocking: Blocking) -> bool:
        """Keep a blocking; return whether to explain it, which is so once a minute for each place."""
        self.blockings.append(blocking)
        place, now = (blocking.place.file, blocking.place.line), time.monotonic()
        if now - self._explained_at.get(place, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._explained_at[place] = now
        return True

    def find(self, since: float) -> Blocking | None:
        """Return the blocking that began at ``since``; None if there is none."""
        return next((blocking for blocking in tuple(self.blockings) if blocking.since == since), None)


class Heartbeat(Protocol):
    """Says whether a loop continues."""

    def busy_since(self) -> float | None:
        """Return since when the loop is in its present step, by ``time.monotonic()``; None: it waits."""
        ...


class PingHeartbeat:
    """Asks a loop to answer, as soon as it has done what it does now.

    Args:
        loop: the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._asked_at: float | None = None

    def busy_since(self) -> float | None:
        """Return when the loop was asked that has not answered yet."""
        loop = self._loop()
        if loop is None or not loop.is_running():
            self._asked_at = None
        elif self._asked_at is None:
            self._asked_at = time.monotonic()
            with contextlib.suppress(RuntimeError):  # it has been closed
                loop.call_soon_threadsafe(self._answer)
        return self._asked_at

    def _answer(self) -> None:
        self._asked_at = None


class _WatchedLoop:
    """One loop, as it was at the last look.

    Args:
        loop: the loop.
        thread: its thread.
        monitor: gets what is found.
        heartbeat: of the loop.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread: threading.Thread,
        monitor: LoopMonitor,
        heartbeat: Heartbeat,
    ) -> None:
        self.monitor = monitor
        self._loop = weakref.ref(loop)
        self._thread = thread
        self._heartbeat = heartbeat
        self._step: tuple[float, int] | None = None
        self._step_seconds = self._run_delay = 0.0
        self._blocking: Blocking | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop; None if nothing uses it any more."""
        return self._loop()

    @property
    def is_closed(self) -> bool:
        """Whether the loop is closed."""
        loop = self.loop
        return loop is None or loop.is_closed()

    def end(self) -> None:
        """Note that nothing blocks the loop any more."""
        self._end_step(None)

    def look(self, elapsed: float) -> None:
        """Compare the loop with the last look, ``elapsed`` seconds ago."""
        loop, since = self.loop, self._heartbeat.busy_since()
        if loop is None or since is None:
            self._end_step(None)
            return
        task, delay_before = asyncio.current_task(loop), self._run_delay
        self._run_delay = _run_delay(self._thread)
        if (since, id(task)) != self._step:
            self._end_step((since, id(task)))
            return
        self._step_seconds += max(elapsed - (self._run_delay - delay_before), 0.0)
        if self._blocking is None and self._step_seconds >= self.monitor.seconds:
            self._begin(since, "" if task is None else task.get_name())

    def _end_step(self, next_step: tuple[float, int] | None) -> None:
        self._step, self._step_seconds = next_step, 0.0
        blocking, self._blocking = self._blocking, None
        if blocking is None:
            return
        blocking.ended = blocking.ended or time.monotonic()
        log.warning("the event loop continues: %s blocked it for %.1f s", blocking.place, blocking.seconds)

    def _begin(self, since: float, task: str) -> None:
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - documented; the only way to its line
        place = None if frame is None else find_developer_place(frame)
        if place is None:
            return
        blocking = self._blocking = Blocking(place, task if task.startswith(CALL_TASK) else "", since)
        if self.monitor.add(blocking):
            log.warning("%s; %s", blocking, blocking.way_out)


def _run_delay(thread: threading.Thread) -> float:
    """Return how many seconds a thread has waited for a processor; 0 where the system does not say it."""
    try:
        numbers = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text("ascii").split()
    except OSError:
        return 0.0
    return int(numbers[1]) / 1e9


class _Watchdog:
    """The thread that looks at the loops of this process; it ends with the last of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the loops and the thread, which a forked child does not have."""
        self._lock = threading.Lock()
        self._watched: dict[int, _WatchedLoop] = {}  # by the id of the loop
        self._thread: threading.Thread | None = None

    def watch(self, loop: asyncio.AbstractEventLoop, watched: _WatchedLoop) -> None:
        """Watch a loop until it is closed."""
        with self._lock:
            self._watched[id(loop)] = watched
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="yemot-ai-watchdog", daemon=True)
                self._thread.start()

    def is_watched(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether a loop is watched."""
        watched = self._watched.get(id(loop))
        return watched is not None and watched.loop is loop

    def _run(self) -> None:
        woke_at = time.monotonic()
        while interval := self._interval():
            time.sleep(interval)
            before, woke_at = woke_at, time.monotonic()
            self._look(min(woke_at - before, interval))  # the rest is its own lateness

    def _look(self, elapsed: float) -> None:
        with self._lock:
            watched = [one for one in self._watched.values() if one.monitor.seconds]
        for one in watched:
            one.look(elapsed)

    def _interval(self) -> float:
        """Return the seconds until the next look; 0 if no loop is left, and the thread must end."""
        with self._lock:
            closed = {key: watched for key, watched in self._watched.items() if watched.is_closed}
            self._watched = {key: one for key, one in self._watched.items() if key not in closed}
            seconds = [watched.monitor.seconds for watched in self._watched.values()]
            if not seconds:
                self._thread = None
        for watched in closed.values():
            watched.end()
        looks = (one / LOOKS for one in seconds if one)
        return min(looks, default=OFF_SECONDS) if seconds else 0.0


_watchdog: Final = _Watchdog()
os.register_at_fork(after_in_child=_watchdog.reset)


def watch(
    loop: asyncio.AbstractEventLoop,
    thread: threading.Thread,
    monitor: LoopMonitor,
    heartbeat: Heartbeat | None = None,
) -> None:
    """Watch a loop until it is closed; one that is watched already keeps its monitor.

    Args:
        loop: the loop.
        thread: the thread in which it runs.
        monitor: gets what is found.
        heartbeat: of the loop; by default the watchdog asks it.
    """
    if not _watchdog.is_watched(loop):
        _watchdog.watch(loop, _WatchedLoop(loop, thread, monitor, heartbeat or PingHeartbeat(loop)))
