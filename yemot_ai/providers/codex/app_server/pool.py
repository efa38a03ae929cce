"""The servers of one event loop: another one is started when all are full.

A thread stays with the server that has it loaded while that server runs: another one could only fork it
(see ``server``). All other turns go to the oldest server with a free slot, so that the newer ones become
idle, and end, when the load falls.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yemot_ai._runtime.tasks import retrieve_exception
from yemot_ai.errors import OverloadedError, ProviderCrashError, SessionBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from yemot_ai.providers.codex.app_server.server import AppServer

__all__ = ["PoolLimits", "ServerPool"]


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Limits of a ``ServerPool``.

    Attributes:
        servers: maximum servers.
        turns: maximum turns that run at once in each server.
        waiting: maximum turns that wait for a slot, over all servers.
        idle_timeout: seconds after which a server without a turn ends, unless it is the only one.
    """

    servers: int
    turns: int
    waiting: int
    idle_timeout: float


@dataclass(slots=True, eq=False)
class _Slot:
    """A server that runs or is being started, and the number of its turns."""

    starting: asyncio.Task[AppServer]
    turns: int = 0
    idle_timer: asyncio.TimerHandle | None = None

    @property
    def server(self) -> AppServer | None:
        """The server, if it has started."""
        failed = (
            not self.starting.done() or self.starting.cancelled() or self.starting.exception() is not None
        )
        return None if failed else self.starting.result()

    @property
    def has_ended(self) -> bool:
        """Whether the server has ended or could not be started."""
        return self.starting.done() and (self.server is None or self.server.ended)

    def has_thread(self, thread_id: str) -> bool:
        """Return whether the thread is loaded here."""
        return self.server is not None and self.server.has_thread(thread_id)

    async def aclose(self) -> None:
        """End the server, even while it is being started."""
        self.starting.cancel()
        await asyncio.wait({self.starting})
        if self.server is not None:
            await self.server.aclose()


@dataclass(slots=True, eq=False)
class _Waiter:
    """A turn that waits for a slot."""

    thread_id: str
    slot: asyncio.Future[_Slot] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ServerPool:
    """The servers of the running event loop.

    Args:
        start_server: starts a server.
        limits: maximum servers and turns.

    Attributes:
        loop: the event loop.
    """

    def __init__(
        self, start_server: Callable[[], Coroutine[Any, Any, AppServer]], limits: PoolLimits
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._start_server = start_server
        self._limits = limits
        self._login = ""
        self._slots: list[_Slot] = []
        self._retired: list[_Slot] = []
        self._queue: list[_Waiter] = []
        self._busy_threads: set[str] = set()
        self._background_tasks: set[asyncio.Task[None]] = set()

    @property
    def servers(self) -> tuple[AppServer, ...]:
        """The running servers, oldest first."""
        servers = (slot.server for slot in (*self._slots, *self._retired) if not slot.has_ended)
        return tuple(server for server in servers if server is not None)

    @property
    def waiting(self) -> int:
        """The number of turns that wait for a slot."""
        return len(self._queue)

    async def use_login(self, login: str) -> None:
        """Retire the servers of another login: a server keeps the one of its start (measured, 0.171).

        Their running turns continue; a server ends when it has none.

        Args:
            login: what identifies the login that Codex has to use from now on.
        """
        if login == self._login:
            return
        self._login = login
        slots, self._slots = self._slots, []
        self._retired += [slot for slot in slots if slot.turns]
        for slot in slots:
            _cancel_idle_timer(slot)
        await asyncio.gather(*(slot.aclose() for slot in slots if not slot.turns))

    @asynccontextmanager
    async def acquire(self, thread_id: str = "") -> AsyncIterator[AppServer]:
        """Hold a slot for one turn and yield its server; start another server if necessary.

        Args:
            thread_id: the thread to continue; empty for a new one.

        Raises:
            SessionBusyError: a turn of the thread is running.
            OverloadedError: too many turns wait already.
            ProviderError: a server did not start.
        """
        if thread_id in self._busy_threads:
            raise SessionBusyError(
                f"a turn of thread {thread_id} is already running", thread_id=thread_id, provider="codex"
            )
        self._busy_threads.update({thread_id} - {""})
        try:
            slot = await self._acquire_slot(thread_id)
            try:
                # Several turns await the same start: cancelling one must not cancel the start.
                yield await asyncio.shield(slot.starting)
            finally:
                self._release_slot(slot)
        finally:
            self._busy_threads.discard(thread_id)

    async def aclose(self) -> None:
        """End all servers; turns that run or wait fail."""
        queue, self._queue = self._queue, []
        for waiter in queue:
            if not waiter.slot.done():
                message = "the Codex servers were closed before the turn began"
                waiter.slot.set_exception(ProviderCrashError(message, provider="codex"))
        slots, self._slots, self._retired = [*self._slots, *self._retired], [], []
        for slot in slots:
            _cancel_idle_timer(slot)
        await asyncio.gather(*(slot.aclose() for slot in slots), *self._background_tasks)

    async def _acquire_slot(self, thread_id: str) -> _Slot:
        slot = self._find_slot(thread_id)
        if slot is not None:
            return _occupy(slot)
        if len(self._queue) >= self._limits.waiting:
            running = sum(slot.turns for slot in self._slots)
            full = f"{running} turns run and {len(self._queue)} wait already"
            raise OverloadedError(f"{full} (max_servers=, max_turns=, max_waiting=)", provider="codex")
        waiter = _Waiter(thread_id)
        self._queue.append(waiter)
        try:
            return await waiter.slot
        except asyncio.CancelledError:
            if waiter in self._queue:
                self._queue.remove(waiter)
            elif not waiter.slot.cancelled() and waiter.slot.exception() is None:
                # It got a slot at the moment of its cancellation.
                self._release_slot(waiter.slot.result())
            raise

    def _find_slot(self, thread_id: str) -> _Slot | None:
        """Return the slot in which the turn can begin now; None if it has to wait."""
        self._slots = [slot for slot in self._slots if not slot.has_ended]
        holders = [slot for slot in self._slots if thread_id and slot.has_thread(thread_id)]
        free = next((slot for slot in holders or self._slots if slot.turns < self._limits.turns), None)
        if free is None and not holders and len(self._slots) < self._limits.servers:
            free = self._start_slot()
        return free

    def _start_slot(self) -> _Slot:
        slot = _Slot(asyncio.create_task(self._start_server()))
        # The turn that waits for it may have been cancelled before it fails.
        slot.starting.add_done_callback(retrieve_exception)
        self._slots.append(slot)
        return slot

    def _release_slot(self, slot: _Slot) -> None:
        slot.turns -= 1
        for waiter in tuple(self._queue):
            # A turn that has just been cancelled is still in the queue.
            free = None if waiter.slot.done() else self._find_slot(waiter.thread_id)
            if free is not None:
                self._queue.remove(waiter)
                waiter.slot.set_result(_occupy(free))
        if slot.turns or slot.has_ended:
            return
        if slot in self._retired:
            self._retired.remove(slot)
            self._close_in_background(slot)
        else:
            slot.idle_timer = self.loop.call_later(self._limits.idle_timeout, self._close_idle, slot)

    def _close_idle(self, slot: _Slot) -> None:
        """End an idle server if there is another one."""
        if len(self.servers) > 1 and slot in self._slots:
            self._slots.remove(slot)
            self._close_in_background(slot)

    def _close_in_background(self, slot: _Slot) -> None:
        task = asyncio.create_task(slot.aclose())
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)


def _occupy(slot: _Slot) -> _Slot:
    _cancel_idle_timer(slot)
    slot.turns += 1
    return slot


def _cancel_idle_timer(slot: _Slot) -> None:
    if slot.idle_timer is not None:
        slot.idle_timer.cancel()
        slot.idle_timer = None
