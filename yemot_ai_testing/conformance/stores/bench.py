"""The bench on which a rule of session stores is checked."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeAlias, TypeVar, runtime_checkable

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions import Session, SessionStore
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, expect_true

__all__ = [
    "TIMEOUT",
    "StoreBench",
    "StoreFactory",
    "WorkerLoop",
    "eventually",
    "expect_conflict",
    "worker_loop",
]

T = TypeVar("T")

StoreFactory: TypeAlias = "Callable[[], SessionStore]"

TIMEOUT: Final = 5.0
"""Seconds to wait for an expected event, on a busy machine too."""

POLL_INTERVAL: Final = 0.02


class StoreBench:
    """Two views of one store, as two workers have them, and unique names.

    Args:
        make_store: opens a view of the store.
        make_other: opens the store of another application on the same server; None if there is none.

    Attributes:
        store: the view of the first worker.
        second_store: the view of the second worker.
    """

    def __init__(self, make_store: StoreFactory, make_other: StoreFactory | None = None) -> None:
        self.store = make_store()
        self.second_store = make_store()
        self._make_other = make_other
        self._others: list[SessionStore] = []
        self._suffix = uuid.uuid4().hex

    def other_store(self) -> SessionStore:
        """Open the store of another application on the same server.

        Raises:
            NotApplicable: if none was given.
        """
        if self._make_other is None:
            raise NotApplicable("contract.session_store(…, make_other=…) has no store of another application")
        self._others.append(self._make_other())
        return self._others[-1]

    def unique_name(self, word: str = "call") -> str:
        """Return a name that is unique to this bench; the same word gives the same name."""
        return f"{word}-{self._suffix}"

    def new_session(self, word: str = "call", **fields: Any) -> Session:  # noqa: ANN401 - fields of a session
        """Return a session that was never saved."""
        return Session(self.unique_name(word), **fields)

    async def save(self, session: Session, *, ttl: float = 60.0) -> Session:
        """Save a session in the first view."""
        return await self.store.save(session, ttl=ttl)

    async def save_new(self, word: str = "call", *, ttl: float = 60.0, **fields: Any) -> Session:  # noqa: ANN401 - as above
        """Save a new session; return it as stored."""
        return await self.save(self.new_session(word, **fields), ttl=ttl)

    async def listed_names(self, *, idle: float = 0.0) -> set[str]:
        """Return the words of the listed sessions of this bench."""
        found = [one async for one in self.second_store.call_ids(idle=idle) if one.endswith(self._suffix)]
        expect_true(len(found) == len(set(found)), "each call listed once", found)
        return {one.removesuffix(f"-{self._suffix}") for one in found}

    async def close(self) -> None:
        """Close all views on this event loop."""
        stores = (self.store, self.second_store, *self._others)
        for store in {id(store): store for store in stores}.values():
            if isinstance(store, _Closable):
                await store.aclose()


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


async def expect_conflict(save: Awaitable[Session], what: str) -> SessionConflictError:
    """Raise ``Breach`` if a save is not refused; return the error."""
    try:
        saved = await save
    except SessionConflictError as error:
        return error
    raise Breach(
        f"{what} to be refused with SessionConflictError", f"it was saved as version {saved.version}"
    )


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until a condition is true; raise ``Breach`` after the timeout."""
    deadline = time.monotonic() + TIMEOUT
    while not await condition():
        expect_true(time.monotonic() < deadline, f"{what} within {TIMEOUT:g} s", "it did not happen")
        await asyncio.sleep(POLL_INTERVAL)


class WorkerLoop:
    """An event loop in another thread: a second worker, which can be frozen."""

    def __init__(self, bench: StoreBench) -> None:
        self._bench = bench
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="yemot-other-worker", daemon=True)
        self._thread.start()
        self._thawed = threading.Event()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on the worker; return its result."""
        return await asyncio.wrap_future(self.start(coroutine))

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``coroutine`` on the worker."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def freeze(self) -> None:
        """Block the loop until ``thaw``, like a process that is stopped or swapped out."""
        self._thawed.clear()
        self._loop.call_soon_threadsafe(self._thawed.wait, TIMEOUT * 4)

    def thaw(self) -> None:
        """Unblock the loop."""
        self._thawed.set()

    def close(self) -> None:
        """Cancel the tasks, close the stores on this loop, and end the thread."""
        self.thaw()
        self.start(self._cancel_tasks()).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    async def _cancel_tasks(self) -> None:
        current = asyncio.current_task()
        others = {task for task in asyncio.all_tasks() if task is not current}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)
        await self._bench.close()


@asynccontextmanager
async def worker_loop(bench: StoreBench) -> AsyncIterator[WorkerLoop]:
    """Provide the loop of another worker."""
    loop = WorkerLoop(bench)
    try:
        yield loop
    finally:
        loop.close()
