"""Several workers with one store in this process, and their model."""

from __future__ import annotations

import asyncio
import itertools
import threading
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.flow_line import Line
from tests.support.waiting import until
from yemot_ai import AIFlow, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import Session, SessionStore
from yemot_ai_testing.doubles.pauses import wait_until_open
from yemot_ai_testing.doubles.script import Gate

PATIENT = DialogSettings(answer_wait=5.0, poll_wait=5.0)
"""Requests are held until there is an answer."""

QUICK = DialogSettings(answer_wait=0.1, poll_wait=0.1)
"""Requests are hardly held, for tests of polls."""

AddRoutes = Callable[[AIFlow, str], object]
"""Adds the routes of a worker; its arguments are the flow and the name of the worker."""


@dataclass
class Model:
    """The model of all workers: answers ``<utterance> אצל <conversation>``, or with ``sentences``.

    Attributes:
        sentences: the answer of a model that streams; each waits until ``writes`` permits it.
        gate: where the end of an answer waits.
        cleaning: seconds of its cleanup after a cancellation.
        asked: workers and utterances.
    """

    sentences: Sequence[str] = ()
    gate: Gate = field(default_factory=Gate)
    asked: list[tuple[str, str]] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    histories: list[Sequence[Exchange]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    cleaning: float = 0.0
    cleaned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.permits = [Gate() for _ in self.sentences]
        for gate in self.permits:
            gate.hold()

    @property
    def counts(self) -> Counter[str]:
        return Counter(prompt for _, prompt in self.asked)

    def wait_for_requests(self, count: int) -> None:
        until(lambda: len(self.asked) >= count)

    def writes(self, count: int = 1) -> None:
        """Permit the next sentences."""
        for gate in [gate for gate in self.permits if gate.held][:count]:
            gate.release()


@dataclass
class ModelProvider:
    """The provider of one worker."""

    model: Model
    worker: str
    engine: Engine
    name: str = "model"

    @property
    def streams(self) -> bool:
        return bool(self.model.sentences)

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        conversation = str(session or uuid.uuid4().hex[:6])
        self.model.asked.append((self.worker, prompt))
        self.model.histories.append(tuple(history))
        try:
            for sentence, gate in zip(self.model.sentences, self.model.permits, strict=True):
                await wait_until_open(gate)
                yield sentence
            await wait_until_open(self.model.gate)
        except asyncio.CancelledError:
            self.model.cancelled.append((self.worker, prompt))
            await asyncio.sleep(self.model.cleaning)
            self.model.cleaned.append(prompt)
            raise
        self.model.answered.append(conversation)
        yield Reply("".join(self.model.sentences) or f"{prompt} אצל {conversation}", conversation)

    async def end_session(self, session: JSON) -> None:
        self.model.forgotten.append(str(session))


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
        assert blocked.wait(10)
        try:
            yield
        finally:
            resume.set()

    def count_looks(self) -> list[object]:
        """Return a list that gets an item with each look at the store for calls that have ended."""
        store = self.flow.ai._runtime.store
        looks: list[object] = []
        ended = store.ended

        async def counted(call_ids: Collection[str]) -> frozenset[str]:
            looks.append(call_ids)
            return await ended(call_ids)

        setattr(store, "ended", counted)  # noqa: B010 - a method of one object
        return looks

    def is_idle(self) -> bool:
        """Whether only the sweeper runs."""
        return len(asyncio.all_tasks(self.engine.loop)) <= 1

    def tasks(self) -> int:
        """Return the number of running turns."""
        return sum(map(len, self.flow.ai._runtime.ledger._tasks.values()))

    def load_session(self) -> Session:
        """Return the stored session of the call ``c1``."""
        session = self.engine.run(self.flow.ai._runtime.store.load("c1"))
        assert session is not None
        return session


@dataclass
class WorkerGroup:
    """The workers; requests alternate between them."""

    model: Model
    workers: list[Worker]
    turns: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.workers[next(self.turns) % len(self.workers)].flow.handle_request(pairs)

    def line(self, call_id: str = "c1", extension: str = "agent", phone: str = "0501234567") -> Line:
        """Return a call to the workers."""
        flows = [worker.flow for worker in self.workers]
        return Line(flows[0], call_id, extension, phone=phone, workers=flows)

    def waiting_line(self, *, entered_at: int | None = None) -> Line:
        """Return a call whose first turn runs at the first worker, and waits for the model."""
        line = self.line()
        line.enter(at=entered_at)
        self.model.gate.hold()
        line.gives("שלום", at=0)
        self.model.wait_for_requests(1)
        return line

    def close(self) -> None:
        self.model.writes(len(self.model.sentences))
        self.model.gate.release()
        for worker in self.workers:
            until(worker.is_idle)
            worker.flow.ai.close()
            worker.engine.close()


def add_agent(flow: AIFlow, worker: str) -> None:
    @flow.ai_agent("agent", greeting="שלום")
    def agent(call: object, text: str) -> None: ...


def start_workers(
    make_store: Callable[[], SessionStore],
    add_routes: AddRoutes = add_agent,
    *,
    count: int = 2,
    dialog: DialogSettings = PATIENT,
    sentences: Sequence[str] = (),
    **settings: object,
) -> WorkerGroup:
    """Start workers with the same routes; ``settings`` are those of ``YemotAI``."""
    model, workers = Model(sentences), []
    for name in "ABC"[:count]:
        engine = Engine()
        provider = ModelProvider(model, name, engine)
        ai = YemotAI(provider=provider, store=make_store(), **settings)  # type: ignore[arg-type]  # any of its settings
        flow = AIFlow(ai, dialog=dialog)
        add_routes(flow, name)
        workers.append(Worker(name, flow, engine))
    return WorkerGroup(model, workers)
