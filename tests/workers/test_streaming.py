"""An answer that one worker writes while the line asks another one."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.workers.worker_group import Line, until
from yemot_ai import AIFlow, DialogSettings, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.protocol import Read, Response, Text
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import SessionStore, Turn

SENTENCES = [f"זה משפט {word}. " for word in ["אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה"]]


@dataclass
class SteppedModel:
    """A model that writes one sentence for each permit, for any worker."""

    asked: list[str] = field(default_factory=list)
    histories: list[Sequence[Exchange]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    written: int = 0
    permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def writes(self, count: int = 1) -> None:
        for _ in range(count):
            self.permits.release()


@dataclass
class StreamingProvider:
    """The provider of one worker."""

    model: SteppedModel
    worker: str
    engine: Engine
    name: str = "writer"

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        self.model.asked.append(self.worker)
        self.model.histories.append(tuple(history))
        try:
            for sentence in SENTENCES:
                while not self.model.permits.acquire(blocking=False):  # noqa: ASYNC110 - a thread releases the permit
                    await asyncio.sleep(0.005)
                self.model.written += 1
                yield sentence
        except asyncio.CancelledError:
            self.model.stopped.append(self.worker)
            raise
        yield Reply("".join(SENTENCES), "session")

    async def start_session(self, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)


@dataclass
class StreamingWorker:
    """A worker."""

    flow: AIFlow
    engine: Engine


@dataclass
class StreamingGroup:
    """Two workers over one store."""

    model: SteppedModel
    workers: list[StreamingWorker]
    reported: list[Turn]

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.workers[0].flow.handle_request(pairs)


@pytest.fixture
def group(make_store: Callable[[], SessionStore]) -> Iterator[StreamingGroup]:
    model, workers, reported = SteppedModel(), [], []
    for name in "AB":
        engine = Engine()
        ai = YemotAI(provider=StreamingProvider(model, name, engine), store=make_store(), lease=1.0)
        ai.on_turn(lambda _call_id, turn: reported.append(turn))
        flow = AIFlow(ai, dialog=DialogSettings(filler=None, answer_wait=5.0, poll_wait=0.4))
        flow.ai_agent("agent", greeting="שלום")(lambda call, text: None)
        workers.append(StreamingWorker(flow, engine))
    yield StreamingGroup(model, workers, reported)
    for worker in workers:
        worker.flow.ai.end("c1")
        worker.flow.ai.close()
        worker.engine.close()


@pytest.fixture
def line(group: StreamingGroup) -> Line:
    return Line(group)  # type: ignore[arg-type]  # a line only needs the workers


def spoken(answer: str) -> list[str]:
    read = tuple(Response.parse(answer))[-1]
    assert isinstance(read, Read)
    return [message.text for message in read.messages if isinstance(message, Text)]


def test_no_sentence_is_lost_or_said_twice_though_each_poll_reaches_the_other_worker(
    group: StreamingGroup, line: Line
) -> None:
    line.enter(0)
    group.model.writes()
    heard = spoken(line.gives("ספר", 0))
    at = 0
    while line.is_polling:
        at += 1
        group.model.writes(at % 3)
        heard += spoken(line.polls(at % 2))
        asked = line.answer
        assert line.again(1 - at % 2) == asked

    assert re.findall(r"[^\s,]+", " ".join(heard)) == re.findall(r"[^\s.]+", "".join(SENTENCES))
    assert group.model.asked == ["A"]


def test_one_poll_at_two_workers_at_once_has_one_answer(group: StreamingGroup, line: Line) -> None:
    line.enter(0)
    group.model.writes()
    line.gives("ספר", 0)
    line.values.append((line.asked, "None"))
    line.time += 5
    request, answers = line.request(), []

    def asks(worker: StreamingWorker) -> None:
        answers.append(worker.flow.handle_request(request))

    asking = [threading.Thread(target=asks, args=(worker,)) for worker in group.workers]
    for thread in asking:
        thread.start()
    group.model.writes(2)
    for thread in asking:
        thread.join()

    assert len(set(answers)) == 1


def test_a_key_at_another_worker_stops_the_model_and_is_known_to_the_next_turn(
    group: StreamingGroup, line: Line
) -> None:
    line.enter(0)
    group.model.writes()
    line.gives("ספר", 0)

    assert line.gives("5", 1) == "read=noop-listen=ai_2,no,voice"
    until(lambda: group.model.stopped == ["A"])
    group.model.writes(len(SENTENCES))
    line.gives("ומה עוד?", 1)
    assert group.model.asked == ["A", "B"]
    assert group.model.histories[1] == (Exchange("ספר", "זה משפט אחת."),)
    until(lambda: len(group.reported) > 1)
    assert [turn.answer for turn in group.reported] == ["זה משפט אחת.", "".join(SENTENCES)]


def test_the_key_that_leaves_stops_the_model_of_another_worker(group: StreamingGroup, line: Line) -> None:
    line.enter(0)
    group.model.writes()
    line.gives("ספר", 0)
    line.polls(0)

    assert line.gives("9", 1).startswith("id_list_message=t-להתראות")
    until(lambda: group.model.stopped == ["A"])


def test_a_hang_up_at_another_worker_stops_the_model(group: StreamingGroup, line: Line) -> None:
    line.enter(0)
    group.model.writes()
    line.gives("ספר", 0)
    line.hangs_up(1)

    until(lambda: group.model.stopped == ["A"])


def test_the_partial_answer_of_a_lost_worker_is_spoken_once_with_an_apology_and_remembered(
    group: StreamingGroup, line: Line
) -> None:
    line.enter(0)
    group.model.writes()
    heard = spoken(line.gives("ספר", 0))
    group.model.writes()
    until(lambda: group.model.written == 2)
    blocked = threading.Event()
    resume = threading.Event()

    def block() -> None:
        blocked.set()
        resume.wait()

    until(lambda: _pieces(group) == 2)
    group.workers[0].engine.loop.call_soon_threadsafe(block)
    assert blocked.wait(10)
    try:
        while line.is_polling:
            heard += spoken(line.polls(1))
    finally:
        resume.set()

    assert " ".join(heard) == "זה משפט אחת זה משפט שתיים סליחה, התשובה נקטעה, אפשר לשאול שוב"
    assert group.model.asked == ["A"]

    group.model.writes(len(SENTENCES))
    line.gives("המשך", 1)
    assert group.model.histories[1] == (Exchange("ספר", "זה משפט אחת. זה משפט שתיים."),)


def _pieces(group: StreamingGroup) -> int:
    ai = group.workers[1].flow.ai
    session = ai.engine.run(ai.store.load("c1"))
    return max((len(turn.pieces) for turn in session.turns), default=0) if session else 0
