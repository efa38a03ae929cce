"""Several workers over one store in this process, one model that they ask, and a line that goes round."""

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
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.protocol import Read, Response, lint
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import SessionStore
from yemot_ai_testing.doubles.script import Gate

PATIENT, QUICK = 5.0, 0.1
"""Seconds that a request is held: until the answer is there; hardly, for whoever wants polls."""

SOON = 10.0


def until(condition: Callable[[], object], *, within: float = SOON) -> None:
    """Wait for what must come."""
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "it did not come"
        time.sleep(0.005)


@dataclass
class Model:
    """Answers ``<utterance> אצל <conversation>``, whichever worker asks, when its gate is open.

    Attributes:
        cleaning: seconds that it takes to stop thinking.
    """

    gate: Gate = field(default_factory=Gate)
    asked: list[tuple[str, str]] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    histories: list[Sequence[Exchange]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    cleaning: float = 0.0
    cleaned: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return Counter(prompt for _, prompt in self.asked)

    def wait_for_requests(self, count: int) -> None:
        until(lambda: len(self.asked) >= count)


@dataclass
class Asking:
    """One worker's way to the model."""

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
        self.model.told.append(session)
        return Reply(f"{prompt} אצל {session}", session)


@dataclass
class Worker:
    """A flow with an engine of its own, as a process has."""

    name: str
    flow: AIFlow
    engine: Engine

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the worker stand still, as a stopped process does."""
        thaw, frozen = threading.Event(), threading.Event()

        def stand_still() -> None:
            frozen.set()
            thaw.wait()

        self.engine.loop.call_soon_threadsafe(stand_still)
        assert frozen.wait(SOON)
        try:
            yield
        finally:
            thaw.set()

    def is_idle(self) -> bool:
        """Whether nothing runs here but the sweeper."""
        return len(asyncio.all_tasks(self.engine.loop)) <= 1

    def tasks(self) -> int:
        """Count the turns that run here."""
        return sum(map(len, self.flow.ai.ledger._tasks.values()))


@dataclass
class Crew:
    """The workers; requests go round, one to each."""

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


Equip = Callable[[AIFlow, str], object]


def an_agent(flow: AIFlow, worker: str) -> None:
    @flow.ai_agent("agent", greeting="שלום")
    def agent(call: object, text: str) -> None: ...


def hire(
    make_store: Callable[[], SessionStore],
    equip: Equip = an_agent,
    *,
    count: int = 2,
    lease: float = 10.0,
    hold: float = PATIENT,
    **settings: object,
) -> Crew:
    """Start workers that all do the same."""
    model, workers = Model(), []
    for name in "ABC"[:count]:
        engine = Engine()
        provider = Asking(model, name, engine)
        ai = YemotAI(provider=provider, store=make_store(), lease=lease, **settings)  # type: ignore[arg-type]  # any of its settings
        flow = AIFlow(ai, dialog=DialogSettings(answer_wait=hold, poll_wait=hold))
        equip(flow, name)
        workers.append(Worker(name, flow, engine))
    return Crew(model, workers)


@dataclass
class Line:
    """One call, request by request; each goes to the next worker unless it is told to which."""

    crew: Crew
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
        handle = self.crew if at is None else self.crew.workers[at].flow.handle_request
        self.answer = handle(self.request())
        assert not [problem for problem in lint(self.answer) if problem.level == "error"], self.answer
        return self.answer

    def enter(self, at: int | None = None) -> str:
        self.time += 5
        return self.again(at)

    def gives(self, value: str, at: int | None = None) -> str:
        """Answer the line's question."""
        self.values.append((self.asked, value))
        self.time += 5
        return self.again(at)

    def polls(self, at: int | None = None) -> str:
        assert self.is_polling, self.answer
        return self.gives("Ok", at)

    def waits(self) -> str:
        """Poll, round the workers, until there is an answer."""
        give_up = time.monotonic() + 2 * SOON
        while self.is_polling:
            assert time.monotonic() < give_up, self.answer
            self.polls()
        return self.answer

    def says(self, text: str) -> str:
        self.gives(text)
        return self.waits()

    def hangs_up(self, at: int | None = None) -> str:
        handle = self.crew if at is None else self.crew.workers[at].flow.handle_request
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
