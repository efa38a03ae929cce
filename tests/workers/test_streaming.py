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
from yemot_ai.protocol import Read, Response, Text
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import SessionStore, Turn

SENTENCES = [f"זה משפט {word}. " for word in ["אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה"]]


@dataclass
class Writer:
    """A model that writes one sentence at each sign, whichever worker asks it."""

    asked: list[str] = field(default_factory=list)
    histories: list[Sequence[Exchange]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    written: int = 0
    signs: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def writes(self, count: int = 1) -> None:
        for _ in range(count):
            self.signs.release()


@dataclass
class Way:
    """One worker's way to the model."""

    model: Writer
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
                while not self.model.signs.acquire(blocking=False):  # noqa: ASYNC110 - the sign is given by a thread
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
class Member:
    """A worker."""

    flow: AIFlow
    engine: Engine


@dataclass
class Staff:
    """Two workers over one store."""

    model: Writer
    workers: list[Member]
    told: list[Turn]

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.workers[0].flow.handle_request(pairs)


@pytest.fixture
def staff(make_store: Callable[[], SessionStore]) -> Iterator[Staff]:
    model, workers, told = Writer(), [], []
    for name in "AB":
        engine = Engine()
        ai = YemotAI(provider=Way(model, name, engine), store=make_store(), lease=1.0)
        ai.on_turn(lambda _call_id, turn: told.append(turn))
        flow = AIFlow(ai, dialog=DialogSettings(filler=None, answer_wait=5.0, poll_wait=0.4))
        flow.ai_agent("agent", greeting="שלום")(lambda call, text: None)
        workers.append(Member(flow, engine))
    yield Staff(model, workers, told)
    for worker in workers:
        worker.flow.ai.end("c1")
        worker.flow.ai.close()
        worker.engine.close()


@pytest.fixture
def line(staff: Staff) -> Line:
    return Line(staff)  # type: ignore[arg-type]  # two workers are a crew to a line


def spoken(answer: str) -> list[str]:
    read = tuple(Response.parse(answer))[-1]
    assert isinstance(read, Read)
    return [message.text for message in read.messages if isinstance(message, Text)]


def test_no_sentence_is_lost_or_said_twice_though_each_poll_reaches_the_other_worker(
    staff: Staff, line: Line
) -> None:
    line.enter(0)
    staff.model.writes()
    heard = spoken(line.gives("ספר", 0))
    at = 0
    while line.is_polling:
        at += 1
        staff.model.writes(at % 3)
        heard += spoken(line.polls(at % 2))
        asked = line.answer
        assert line.again(1 - at % 2) == asked

    assert re.findall(r"[^\s,]+", " ".join(heard)) == re.findall(r"[^\s.]+", "".join(SENTENCES))
    assert staff.model.asked == ["A"]


def test_one_poll_at_two_workers_at_once_has_one_answer(staff: Staff, line: Line) -> None:
    line.enter(0)
    staff.model.writes()
    line.gives("ספר", 0)
    line.values.append((line.asked, "None"))
    line.time += 5
    request, answers = line.request(), []

    def asks(worker: Member) -> None:
        answers.append(worker.flow.handle_request(request))

    asking = [threading.Thread(target=asks, args=(worker,)) for worker in staff.workers]
    for thread in asking:
        thread.start()
    staff.model.writes(2)
    for thread in asking:
        thread.join()

    assert len(set(answers)) == 1


def test_a_key_at_another_worker_stops_the_model_and_is_told_to_the_next_turn(
    staff: Staff, line: Line
) -> None:
    line.enter(0)
    staff.model.writes()
    line.gives("ספר", 0)

    assert line.gives("5", 1) == "read=noop-listen=ai_2,no,voice"
    until(lambda: staff.model.stopped == ["A"])
    staff.model.writes(len(SENTENCES))
    line.gives("ומה עוד?", 1)
    assert staff.model.asked == ["A", "B"]
    assert staff.model.histories[1] == (Exchange("ספר", "זה משפט אחת."),)
    until(lambda: len(staff.told) > 1)
    assert [turn.answer for turn in staff.told] == ["זה משפט אחת.", "".join(SENTENCES)]


def test_the_key_that_leaves_stops_the_model_of_another_worker(staff: Staff, line: Line) -> None:
    line.enter(0)
    staff.model.writes()
    line.gives("ספר", 0)
    line.polls(0)

    assert line.gives("9", 1).startswith("id_list_message=t-להתראות")
    until(lambda: staff.model.stopped == ["A"])


def test_a_hang_up_at_another_worker_stops_the_model(staff: Staff, line: Line) -> None:
    line.enter(0)
    staff.model.writes()
    line.gives("ספר", 0)
    line.hangs_up(1)

    until(lambda: staff.model.stopped == ["A"])


def test_what_a_lost_worker_had_begun_to_say_is_said_once_ended_with_a_word_and_remembered(
    staff: Staff, line: Line
) -> None:
    line.enter(0)
    staff.model.writes()
    heard = spoken(line.gives("ספר", 0))
    staff.model.writes()
    until(lambda: staff.model.written == 2)
    frozen = threading.Event()
    thaw = threading.Event()

    def stand_still() -> None:
        frozen.set()
        thaw.wait()

    until(lambda: _pieces(staff) == 2)
    staff.workers[0].engine.loop.call_soon_threadsafe(stand_still)
    assert frozen.wait(10)
    try:
        while line.is_polling:
            heard += spoken(line.polls(1))
    finally:
        thaw.set()

    assert " ".join(heard) == "זה משפט אחת זה משפט שתיים סליחה, התשובה נקטעה, אפשר לשאול שוב"
    assert staff.model.asked == ["A"]

    staff.model.writes(len(SENTENCES))
    line.gives("המשך", 1)
    assert staff.model.histories[1] == (Exchange("ספר", "זה משפט אחת. זה משפט שתיים."),)


def _pieces(staff: Staff) -> int:
    ai = staff.workers[1].flow.ai
    session = ai.engine.run(ai.store.load("c1"))
    return max((len(turn.pieces) for turn in session.turns), default=0) if session else 0
