"""Several workers with one store in this process, their model, and a line that alternates between them."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from yemot_ai import AIFlow, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.protocol import Read, Response, lint
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import SessionStore
from yemot_ai_testing.doubles.script import Gate

PATIENT, QUICK = 5.0, 0.1
"""Seconds for which a request is held: until there is an answer, or hardly, for tests of polls."""

WAIT_TIMEOUT = 10.0


def until(condition: Callable[[], object], *, within: float = WAIT_TIMEOUT) -> None:
    """Wait until ``condition`` is true."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "the condition is still false"
        time.sleep(0.005)


@dataclass
class Model:
    """Answers ``<utterance> אצל <conversation>``, for any worker, when its gate is open.

    Attributes:
        cleaning: seconds of its cleanup after a cancellation.
    """

    gate: Gate = field(default_factory=Gate)
    asked: list[tuple[str, str]] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    histories: list[Sequence[Exchange]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    cleaning: float = 0.0
    cleaned: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return Counter(prompt for _, prompt in self.asked)

    def wait_for_requests(self, count: int) -> None:
        until(lambda: len(self.asked) >= count)


@dataclass
class ModelProvider:
    """The provider of one worker."""

    model: Model
    worker: str
    engine: Engine
    name: str = "model"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        self.model.histories.append(tuple(history))
        return await self._ask(prompt, uuid.uuid4().hex[:6])

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self._ask(prompt, str(session))

    async def end_session(self, session: JSON) -> None:
        self.model.forgotten.append(str(session))

    async def _ask(self, prompt: str, session: str) -> Reply:
        self.model.asked.append((self.worker, prompt))
        loop, opened = asyncio.get_running_loop(), asyncio.Event()
        self.model.gate.when_open(lambda: loop.call_soon_threadsafe(opened.set))
        try:
            await opened.wait()
        except asyncio.CancelledError:
            self.model.cancelled.append((self.worker, prompt))
            await asyncio.sleep(self.model.cleaning)
            self.model.cleaned.append(prompt)
            raise
        self.model.answered.append(session)
        return Reply(f"{prompt} אצל {session}", session)


@dataclass
class Worker:
    """A flow with its own engine, as in a separate process."""

    name: str
    flow: AIFlow
    engine: Engine

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Block the worker, as a stopped process."""
        resume, blocked = threading.Event(), threading.Event()

        def block() -> None:
            blocked.set()
            resume.wait()

        self.engine.loop.call_soon_threadsafe(block)
        assert blocked.wait(WAIT_TIMEOUT)
        try:
            yield
        finally:
            resume.set()

    def is_idle(self) -> bool:
        """Whether only the sweeper runs."""
        return len(asyncio.all_tasks(self.engine.loop)) <= 1

    def tasks(self) -> int:
        """Return the number of running turns."""
        return sum(map(len, self.flow.ai.ledger._tasks.values()))


@dataclass
class WorkerGroup:
    """The workers; requests alternate between them."""

    model: Model
    workers: list[Worker]
    turns: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.workers[next(self.turns) % len(self.workers)].flow.handle_request(pairs)

    def close(self) -> None:
        self.model.gate.release()
        for worker in self.workers:
            until(worker.is_idle)
            worker.flow.ai.close()
            worker.engine.close()


AddRoutes = Callable[[AIFlow, str], object]


def add_agent(flow: AIFlow, worker: str) -> None:
    @flow.ai_agent("agent", greeting="שלום")
    def agent(call: object, text: str) -> None: ...


def start_workers(
    make_store: Callable[[], SessionStore],
    add_routes: AddRoutes = add_agent,
    *,
    count: int = 2,
    lease: float = 10.0,
    hold: float = PATIENT,
    **settings: object,
) -> WorkerGroup:
    """Start workers with the same routes."""
    model, workers = Model(), []
    for name in "ABC"[:count]:
        engine = Engine()
        provider = ModelProvider(model, name, engine)
        ai = YemotAI(provider=provider, store=make_store(), lease=lease, **settings)  # type: ignore[arg-type]  # any of its settings
        flow = AIFlow(ai, dialog=DialogSettings(answer_wait=hold, poll_wait=hold))
        add_routes(flow, name)
        workers.append(Worker(name, flow, engine))
    return WorkerGroup(model, workers)


@dataclass
class Line:
    """One call, request by request; each goes to the next worker unless ``at`` names one."""

    group: WorkerGroup
    call_id: str = "c1"
    extension: str = "agent"
    phone: str = "0501234567"
    time: int = 1000
    values: list[tuple[str, str]] = field(default_factory=list)
    answer: str = ""

    def request(self) -> list[tuple[str, str]]:
        own = [("ApiCallId", self.call_id), ("ApiPhone", self.phone), ("ApiExtension", self.extension)]
        return [*own, ("ApiTime", str(self.time)), *self.values]

    def again(self, at: int | None = None) -> str:
        handle = self.group if at is None else self.group.workers[at].flow.handle_request
        self.answer = handle(self.request())
        assert not [problem for problem in lint(self.answer) if problem.level == "error"], self.answer
        return self.answer

    def enter(self, at: int | None = None) -> str:
        self.time += 5
        return self.again(at)

    def gives(self, value: str, at: int | None = None) -> str:
        """Send a value for the name of the last read."""
        self.values.append((self.asked, value))
        self.time += 5
        return self.again(at)

    def polls(self, at: int | None = None) -> str:
        assert self.is_polling, self.answer
        return self.gives("Ok", at)

    def waits(self) -> str:
        """Poll until there is an answer."""
        deadline = time.monotonic() + 2 * WAIT_TIMEOUT
        while self.is_polling:
            assert time.monotonic() < deadline, self.answer
            self.polls()
        return self.answer

    def says(self, text: str) -> str:
        self.gives(text)
        return self.waits()

    def hangs_up(self, at: int | None = None) -> str:
        handle = self.group if at is None else self.group.workers[at].flow.handle_request
        return handle([*self.request(), ("hangup", "yes"), ("ApiHangupExtension", "/")])

    @property
    def asked(self) -> str:
        last = tuple(Response.parse(self.answer))[-1]
        assert isinstance(last, Read), self.answer
        return last.name

    @property
    def is_polling(self) -> bool:
        last = tuple(Response.parse(self.answer))[-1]
        return isinstance(last, Read) and ("w" in last.name or "x" in last.name)
