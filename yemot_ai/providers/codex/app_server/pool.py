"""The servers of one event loop: another one is started when those that run are full.

A thread stays with the server that has it loaded, as long as that server lives: another one could only
fork it (see ``server``). All other turns go to the server that was started first and has a free place, so
that the later ones fall idle, and end, when the rush is over.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yemot_ai.errors import OverloadedError, ProviderCrashError, SessionBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from yemot_ai.providers.codex.app_server.server import AppServer

__all__ = ["PoolLimits", "ServerPool"]


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much may be at once.

    Attributes:
        servers: how many servers may run.
        turns: how many turns may run in each.
        waiting: how many turns may wait for a place, over all of them.
        idle_timeout: seconds after which a server without a turn ends, unless it is the only one.
    """

    servers: int
    turns: int
    waiting: int
    idle_timeout: float


@dataclass(slots=True, eq=False)
class _Slot:
    """A server, from the moment in which its start was begun, and how many turns it has been given."""

    starting: asyncio.Task[AppServer]
    turns: int = 0
    idle_timer: asyncio.TimerHandle | None = None

    @property
    def server(self) -> AppServer | None:
        """The server, if it has started."""
        over = not self.starting.done() or self.starting.cancelled() or self.starting.exception() is not None
        return None if over else self.starting.result()

    @property
    def has_ended(self) -> bool:
        """Whether there is no server any more, or never was one."""
        return self.starting.done() and (self.server is None or self.server.ended)

    def has_thread(self, thread_id: str) -> bool:
        """Whether the thread is loaded here."""
        return self.server is not None and self.server.has_thread(thread_id)

    async def aclose(self) -> None:
        """End the server, also one that is being started."""
        self.starting.cancel()
        await asyncio.wait({self.starting})
        if self.server is not None:
            await self.server.aclose()


@dataclass(slots=True, eq=False)
class _Waiter:
    """A turn that waits for a place."""

    thread_id: str
    slot: asyncio.Future[_Slot] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ServerPool:
    """The servers of the running loop; needs one.

    Args:
        start_server: starts a server.
        limits: how much may be at once.

    Attributes:
        loop: whose servers they are.
    """

    def __init__(
        self, start_server: Callable[[], Coroutine[Any, Any, AppServer]], limits: PoolLimits
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._start_server = start_server
        self._limits = limits
        self._slots: list[_Slot] = []
        self._queue: list[_Waiter] = []
        self._busy_threads: set[str] = set()
        self._background_tasks: set[asyncio.Task[None]] = set()

    @property
    def servers(self) -> tuple[AppServer, ...]:
        """Those that run, the one that was started first in front."""
        found = (seat.server for seat in self._slots if not seat.has_ended)
        return tuple(server for server in found if server is not None)

    @property
    def waiting(self) -> int:
        """How many turns wait for a place."""
        return len(self._queue)

    @asynccontextmanager
    async def acquire(self, thread_id: str = "") -> AsyncIterator[AppServer]:
        """A place for one turn, in the server that it belongs to; started, if there has to be another.

        Args:
            thread_id: the thread that goes on; empty for a new one.

        Raises:
            SessionBusyError: a turn of the thread is under way.
            OverloadedError: too many wait already.
            ProviderError: a server did not start.
        """
        if thread_id in self._busy_threads:
            raise SessionBusyError(
                f"a turn of thread {thread_id} is under way", thread_id=thread_id, provider="codex"
            )
        self._busy_threads.update({thread_id} - {""})
        try:
            seat = await self._acquire_slot(thread_id)
            try:
                # Shared by all who wait: one of them that gives up takes it from nobody.
                yield await asyncio.shield(seat.starting)
            finally:
                self._release_slot(seat)
        finally:
            self._busy_threads.discard(thread_id)

    async def aclose(self) -> None:
        """End all servers; turns that run or wait fail."""
        queue, self._queue = self._queue, []
        for one in queue:
            if not one.slot.done():
                message = "the Codex servers were closed before the turn began"
                one.slot.set_exception(ProviderCrashError(message, provider="codex"))
        seats, self._slots = self._slots, []
        for seat in seats:
            _cancel_idle_timer(seat)
        await asyncio.gather(*(seat.aclose() for seat in seats), *self._background_tasks)

    async def _acquire_slot(self, thread_id: str) -> _Slot:
        seat = self._find_slot(thread_id)
        if seat is not None:
            return _occupy(seat)
        if len(self._queue) >= self._limits.waiting:
            running = sum(one.turns for one in self._slots)
            message = f"{running} turns run and {len(self._queue)} wait already (max_servers=, max_turns=, max_waiting=)"
            raise OverloadedError(message, provider="codex")
        waits = _Waiter(thread_id)
        self._queue.append(waits)
        try:
            return await waits.slot
        except asyncio.CancelledError:
            if waits in self._queue:
                self._queue.remove(waits)
            elif not waits.slot.cancelled() and waits.slot.exception() is None:
                # It was given a place in the very moment in which it gave up.
                self._release_slot(waits.slot.result())
            raise

    def _find_slot(self, thread_id: str) -> _Slot | None:
        """Where the turn may begin now; None if it has to wait."""
        self._slots = [seat for seat in self._slots if not seat.has_ended]
        holders = [seat for seat in self._slots if thread_id and seat.has_thread(thread_id)]
        free = next((seat for seat in holders or self._slots if seat.turns < self._limits.turns), None)
        if free is None and not holders and len(self._slots) < self._limits.servers:
            free = self._start_slot()
        return free

    def _start_slot(self) -> _Slot:
        seat = _Slot(asyncio.create_task(self._start_server()))
        # Whoever waited for it may have given up before it failed.
        seat.starting.add_done_callback(_retrieve_exception)
        self._slots.append(seat)
        return seat

    def _release_slot(self, slot: _Slot) -> None:
        slot.turns -= 1
        for one in tuple(self._queue):
            # One that has just given up is still in the queue, and takes no place.
            found = None if one.slot.done() else self._find_slot(one.thread_id)
            if found is not None:
                self._queue.remove(one)
                one.slot.set_result(_occupy(found))
        if not slot.turns and not slot.has_ended:
            slot.idle_timer = self.loop.call_later(self._limits.idle_timeout, self._close_idle, slot)

    def _close_idle(self, slot: _Slot) -> None:
        """End a server that has had nothing to do for a while, if there is another."""
        if len(self.servers) > 1 and slot in self._slots:
            self._slots.remove(slot)
            errand = asyncio.create_task(slot.aclose())
            self._background_tasks.add(errand)
            errand.add_done_callback(self._background_tasks.discard)


def _occupy(slot: _Slot) -> _Slot:
    _cancel_idle_timer(slot)
    slot.turns += 1
    return slot


def _cancel_idle_timer(slot: _Slot) -> None:
    if slot.idle_timer is not None:
        slot.idle_timer.cancel()
        slot.idle_timer = None


def _retrieve_exception(starting: asyncio.Task[AppServer]) -> None:
    if not starting.cancelled():
        starting.exception()
