"""One rule that a session store is held to, and the bench it is tried on."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions import Session, SessionStore
from yemot_ai_testing.conformance.rule import Breach, expect_true

__all__ = [
    "TIMEOUT",
    "StoreBench",
    "StoreFactory",
    "StoreRule",
    "StoreRuleGroup",
    "StoreVerdict",
    "WorkerLoop",
    "eventually",
    "expect_conflict",
    "worker_loop",
]

T = TypeVar("T")

StoreFactory: TypeAlias = "Callable[[], SessionStore]"
StoreCheck: TypeAlias = "Callable[[StoreBench], Awaitable[None]]"

TIMEOUT: Final = 5.0
"""Seconds within which whatever shall happen happens, on a busy machine too."""

POLL_INTERVAL: Final = 0.02


@dataclass(frozen=True, slots=True)
class StoreRule:
    """A rule of session stores.

    Attributes:
        id: stable; its first word is the subject.
        title: the rule, as a sentence.
        check: tries it on a bench.
    """

    id: str
    title: str
    check: StoreCheck


@dataclass(frozen=True, slots=True)
class StoreVerdict:
    """What came of one rule.

    Attributes:
        rule: which.
        outcome: ``held`` or ``breached``.
        expected: what the rule says, if it was breached.
        actual: what the store did, if it was.
        seconds: how long it took.
    """

    rule: StoreRule
    outcome: Literal["held", "breached"]
    expected: str = ""
    actual: str = ""
    seconds: float = 0.0


class StoreRuleGroup:
    """The rules of one subject, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rules: list[StoreRule] = []

    def rule(self, name: str, title: str) -> Callable[[StoreCheck], StoreCheck]:
        """Make a rule of a function that tries it."""

        def entered(check: StoreCheck) -> StoreCheck:
            self.rules.append(StoreRule(f"{self.name}-{name}", title, check))
            return check

        return entered


class StoreBench:
    """Two views of one store, as two workers have them, and names that nobody else uses.

    Args:
        make_store: opens the store once more.

    Attributes:
        store: one view.
        second_store: another one.
    """

    def __init__(self, make_store: StoreFactory) -> None:
        self.store = make_store()
        self.second_store = make_store()
        self._suffix = uuid.uuid4().hex

    def unique_name(self, word: str = "call") -> str:
        """Return a name of this trial's own; the same word is the same name."""
        return f"{word}-{self._suffix}"

    def new_session(self, word: str = "call", **fields: Any) -> Session:  # noqa: ANN401 - a session's own fields
        """Return a session that was never saved."""
        return Session(self.unique_name(word), **fields)

    async def save(self, session: Session, *, ttl: float = 60.0) -> Session:
        """Save, in the first view."""
        return await self.store.save(session, ttl=ttl)

    async def save_new(self, word: str = "call", *, ttl: float = 60.0, **fields: Any) -> Session:  # noqa: ANN401 - likewise
        """Save a new session, and return it as stored."""
        return await self.save(self.new_session(word, **fields), ttl=ttl)

    async def listed_names(self, *, idle: float = 0.0) -> set[str]:
        """Return which sessions of this trial are listed, by the word they were named by."""
        found = [one async for one in self.second_store.call_ids(idle=idle) if one.endswith(self._suffix)]
        expect_true(len(found) == len(set(found)), "each call listed once", found)
        return {one.removesuffix(f"-{self._suffix}") for one in found}

    async def close(self) -> None:
        """Let both views go, as far as they are open on this event loop."""
        for store in {id(one): one for one in (self.store, self.second_store)}.values():
            if isinstance(store, _Closable):
                await store.aclose()


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


async def expect_conflict(save: Awaitable[Session], what: str) -> SessionConflictError:
    """Expect a save to be refused; return the error."""
    try:
        saved = await save
    except SessionConflictError as error:
        return error
    raise Breach(
        f"{what} to be refused with SessionConflictError", f"it was saved as version {saved.version}"
    )


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Expect something to come about soon."""
    give_up = time.monotonic() + TIMEOUT
    while not await condition():
        expect_true(time.monotonic() < give_up, f"{what} within {TIMEOUT:g} s", "it did not come about")
        await asyncio.sleep(POLL_INTERVAL)


class WorkerLoop:
    """An event loop in a thread of its own: another worker, which can be frozen."""

    def __init__(self, bench: StoreBench) -> None:
        self._bench = bench
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="yemot-other-worker", daemon=True)
        self._thread.start()
        self._thawed = threading.Event()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` there."""
        return await asyncio.wrap_future(self.start(coroutine))

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``coroutine`` there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def freeze(self) -> None:
        """Let nothing happen there until it is thawed, as in a process that is stopped or swapped out."""
        self._thawed.clear()
        self._loop.call_soon_threadsafe(self._thawed.wait, TIMEOUT * 4)

    def thaw(self) -> None:
        """Let it go on."""
        self._thawed.set()

    def close(self) -> None:
        """End the thread, and let go of what the stores hold in it."""
        self.thaw()
        self.start(self._cancel_tasks()).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    async def _cancel_tasks(self) -> None:
        this = asyncio.current_task()
        left = {task for task in asyncio.all_tasks() if task is not this}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self._bench.close()


@asynccontextmanager
async def worker_loop(bench: StoreBench) -> AsyncIterator[WorkerLoop]:
    """Provide another worker's loop."""
    loop = WorkerLoop(bench)
    try:
        yield loop
    finally:
        loop.close()
