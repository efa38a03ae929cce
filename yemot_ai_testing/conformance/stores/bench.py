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
from yemot_ai_testing.conformance.rule import Breach, that

__all__ = [
    "SOON",
    "Bench",
    "Loop",
    "MakeStore",
    "Rule",
    "Rules",
    "StoreVerdict",
    "eventually",
    "is_refused",
    "loop_of_its_own",
]

T = TypeVar("T")

MakeStore: TypeAlias = "Callable[[], SessionStore]"
Check: TypeAlias = "Callable[[Bench], Awaitable[None]]"

SOON: Final = 5.0
"""Seconds within which whatever shall happen happens, on a busy machine too."""

LOOK: Final = 0.02


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of session stores.

    Attributes:
        id: stable; its first word is the subject.
        title: the rule, as a sentence.
        check: tries it on a bench.
    """

    id: str
    title: str
    check: Check


@dataclass(frozen=True, slots=True)
class StoreVerdict:
    """What came of one rule.

    Attributes:
        rule: which.
        outcome: ``held`` or ``breached``.
        expected: what the rule says, if it was breached.
        seen: what the store did, if it was.
        seconds: how long it took.
    """

    rule: Rule
    outcome: Literal["held", "breached"]
    expected: str = ""
    seen: str = ""
    seconds: float = 0.0


class Rules:
    """The rules of one subject, in order."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.rules: list[Rule] = []

    def rule(self, name: str, title: str) -> Callable[[Check], Check]:
        """Make a rule of a function that tries it."""

        def entered(check: Check) -> Check:
            self.rules.append(Rule(f"{self.subject}-{name}", title, check))
            return check

        return entered


class Bench:
    """Two views of one store, as two workers have them, and names that nobody else uses.

    Args:
        make_store: opens the store once more.

    Attributes:
        store: one view.
        other: another one.
    """

    def __init__(self, make_store: MakeStore) -> None:
        self.store = make_store()
        self.other = make_store()
        self._mark = uuid.uuid4().hex

    def name(self, word: str = "call") -> str:
        """Return a name of this trial's own; the same word is the same name."""
        return f"{word}-{self._mark}"

    def session(self, word: str = "call", **fields: Any) -> Session:  # noqa: ANN401 - a session's own fields
        """Return a session that was never saved."""
        return Session(self.name(word), **fields)

    async def save(self, session: Session, *, ttl: float = 60.0) -> Session:
        """Save, in the first view."""
        return await self.store.save(session, ttl=ttl)

    async def saved(self, word: str = "call", *, ttl: float = 60.0, **fields: Any) -> Session:  # noqa: ANN401 - likewise
        """Save a new session, and return it as stored."""
        return await self.save(self.session(word, **fields), ttl=ttl)

    async def listed(self, *, idle: float = 0.0) -> set[str]:
        """Return which sessions of this trial are listed, by the word they were named by."""
        found = [one async for one in self.other.call_ids(idle=idle) if one.endswith(self._mark)]
        that(len(found) == len(set(found)), "each call listed once", found)
        return {one.removesuffix(f"-{self._mark}") for one in found}

    async def close(self) -> None:
        """Let both views go, as far as they are open on this event loop."""
        for store in {id(one): one for one in (self.store, self.other)}.values():
            if isinstance(store, _Closing):
                await store.aclose()


@runtime_checkable
class _Closing(Protocol):
    async def aclose(self) -> None: ...


async def is_refused(saving: Awaitable[Session], what: str) -> SessionConflictError:
    """Expect a save to be refused; return the error."""
    try:
        saved = await saving
    except SessionConflictError as error:
        return error
    raise Breach(
        f"{what} to be refused with SessionConflictError", f"it was saved as version {saved.version}"
    )


async def eventually(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Expect something to come about soon."""
    give_up = time.monotonic() + SOON
    while not await holds():
        that(time.monotonic() < give_up, f"{what} within {SOON:g} s", "it did not come about")
        await asyncio.sleep(LOOK)


class Loop:
    """An event loop in a thread of its own: another worker, which can be frozen."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="yemot-other-worker", daemon=True)
        self._thread.start()
        self._thaw = threading.Event()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` there."""
        return await asyncio.wrap_future(self.start(work))

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``work`` there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def freeze(self) -> None:
        """Let nothing happen there until it is thawed, as in a process that is stopped or swapped out."""
        self._thaw.clear()
        self._loop.call_soon_threadsafe(self._thaw.wait, SOON * 4)

    def thaw(self) -> None:
        """Let it go on."""
        self._thaw.set()

    def close(self) -> None:
        """End the thread, and let go of what the stores hold in it."""
        self.thaw()
        self.start(self._leave()).result(SOON)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SOON)
        self._loop.close()

    async def _leave(self) -> None:
        this = asyncio.current_task()
        left = {task for task in asyncio.all_tasks() if task is not this}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self._bench.close()


@asynccontextmanager
async def loop_of_its_own(bench: Bench) -> AsyncIterator[Loop]:
    """Provide another worker's loop."""
    loop = Loop(bench)
    try:
        yield loop
    finally:
        loop.close()
