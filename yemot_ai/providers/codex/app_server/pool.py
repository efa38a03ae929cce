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

__all__ = ["Bounds", "Pool"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be at once.

    Attributes:
        servers: how many servers may run.
        turns: how many turns may run in each.
        waiting: how many turns may wait for a place, over all of them.
        idle: seconds after which a server without a turn ends, unless it is the only one.
    """

    servers: int
    turns: int
    waiting: int
    idle: float


@dataclass(slots=True, eq=False)
class _Seat:
    """A server, from the moment in which its start was begun, and how many turns it has been given."""

    starting: asyncio.Task[AppServer]
    turns: int = 0
    leaves: asyncio.TimerHandle | None = None

    @property
    def server(self) -> AppServer | None:
        """The server, if it has started."""
        over = not self.starting.done() or self.starting.cancelled() or self.starting.exception() is not None
        return None if over else self.starting.result()

    @property
    def over(self) -> bool:
        """Whether there is no server any more, or never was one."""
        return self.starting.done() and (self.server is None or self.server.ended)

    def holds(self, thread_id: str) -> bool:
        """Whether the thread is loaded here."""
        return self.server is not None and self.server.holds(thread_id)

    async def end(self) -> None:
        """End the server, also one that is being started."""
        self.starting.cancel()
        await asyncio.wait({self.starting})
        if self.server is not None:
            await self.server.aclose()


@dataclass(slots=True, eq=False)
class _Waiting:
    """A turn that waits for a place."""

    thread_id: str
    seat: asyncio.Future[_Seat] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Pool:
    """The servers of the running loop; needs one.

    Args:
        start: starts a server.
        bounds: how much may be at once.

    Attributes:
        loop: whose servers they are.
    """

    def __init__(self, start: Callable[[], Coroutine[Any, Any, AppServer]], bounds: Bounds) -> None:
        self.loop = asyncio.get_running_loop()
        self._start = start
        self._bounds = bounds
        self._seats: list[_Seat] = []
        self._queue: list[_Waiting] = []
        self._busy: set[str] = set()
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def servers(self) -> tuple[AppServer, ...]:
        """Those that run, the one that was started first in front."""
        found = (seat.server for seat in self._seats if not seat.over)
        return tuple(server for server in found if server is not None)

    @property
    def waiting(self) -> int:
        """How many turns wait for a place."""
        return len(self._queue)

    @asynccontextmanager
    async def place(self, thread_id: str = "") -> AsyncIterator[AppServer]:
        """A place for one turn, in the server that it belongs to; started, if there has to be another.

        Args:
            thread_id: the thread that goes on; empty for a new one.

        Raises:
            SessionBusyError: a turn of the thread is under way.
            OverloadedError: too many wait already.
            ProviderError: a server did not start.
        """
        if thread_id in self._busy:
            raise SessionBusyError(
                f"a turn of thread {thread_id} is under way", thread_id=thread_id, provider="codex"
            )
        self._busy.update({thread_id} - {""})
        try:
            seat = await self._taken(thread_id)
            try:
                # Shared by all who wait: one of them that gives up takes it from nobody.
                yield await asyncio.shield(seat.starting)
            finally:
                self._give_back(seat)
        finally:
            self._busy.discard(thread_id)

    async def aclose(self) -> None:
        """End all servers; turns that run or wait fail."""
        queue, self._queue = self._queue, []
        for one in queue:
            if not one.seat.done():
                message = "the Codex servers were closed before the turn began"
                one.seat.set_exception(ProviderCrashError(message, provider="codex"))
        seats, self._seats = self._seats, []
        for seat in seats:
            _keep(seat)
        await asyncio.gather(*(seat.end() for seat in seats), *self._errands)

    async def _taken(self, thread_id: str) -> _Seat:
        seat = self._free(thread_id)
        if seat is not None:
            return _given(seat)
        if len(self._queue) >= self._bounds.waiting:
            running = sum(one.turns for one in self._seats)
            message = (
                f"{running} turns run and {len(self._queue)} wait already (servers=, at_once=, waiting=)"
            )
            raise OverloadedError(message, provider="codex")
        waits = _Waiting(thread_id)
        self._queue.append(waits)
        try:
            return await waits.seat
        except asyncio.CancelledError:
            if waits in self._queue:
                self._queue.remove(waits)
            elif not waits.seat.cancelled() and waits.seat.exception() is None:
                # It was given a place in the very moment in which it gave up.
                self._give_back(waits.seat.result())
            raise

    def _free(self, thread_id: str) -> _Seat | None:
        """Where the turn may begin now; None if it has to wait."""
        self._seats = [seat for seat in self._seats if not seat.over]
        holders = [seat for seat in self._seats if thread_id and seat.holds(thread_id)]
        free = next((seat for seat in holders or self._seats if seat.turns < self._bounds.turns), None)
        if free is None and not holders and len(self._seats) < self._bounds.servers:
            free = self._begun()
        return free

    def _begun(self) -> _Seat:
        seat = _Seat(asyncio.create_task(self._start()))
        # Whoever waited for it may have given up before it failed.
        seat.starting.add_done_callback(_look_at)
        self._seats.append(seat)
        return seat

    def _give_back(self, seat: _Seat) -> None:
        seat.turns -= 1
        for one in tuple(self._queue):
            # One that has just given up is still in the queue, and takes no place.
            found = None if one.seat.done() else self._free(one.thread_id)
            if found is not None:
                self._queue.remove(one)
                one.seat.set_result(_given(found))
        if not seat.turns and not seat.over:
            seat.leaves = self.loop.call_later(self._bounds.idle, self._let_go, seat)

    def _let_go(self, seat: _Seat) -> None:
        """End a server that has had nothing to do for a while, if there is another."""
        if len(self.servers) > 1 and seat in self._seats:
            self._seats.remove(seat)
            errand = asyncio.create_task(seat.end())
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)


def _given(seat: _Seat) -> _Seat:
    _keep(seat)
    seat.turns += 1
    return seat


def _keep(seat: _Seat) -> None:
    if seat.leaves is not None:
        seat.leaves.cancel()
        seat.leaves = None


def _look_at(starting: asyncio.Task[AppServer]) -> None:
    if not starting.cancelled():
        starting.exception()
