"""An answer that one worker writes while the line asks another one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.support.waiting import until
from tests.workers.conftest import StartGroup
from tests.workers.worker_group import WorkerGroup, add_agent
from yemot_ai import AIFlow, DialogSettings
from yemot_ai._turns.conversation import INTERRUPTION_NOTES
from yemot_ai.protocol import Read, Response, Text
from yemot_ai.providers import Exchange
from yemot_ai.sessions import Turn

SENTENCES = [f"זה משפט {word}. " for word in ["אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה"]]


@dataclass
class Stream:
    """Two workers whose model writes ``SENTENCES``, and a call to them.

    Attributes:
        reported: the turns that the developer's hook got.
    """

    group: WorkerGroup
    reported: list[Turn]

    def __post_init__(self) -> None:
        self.model, self.line = self.group.model, self.group.line()

    def begins(self) -> list[str]:
        """Ask the first worker, which writes one sentence; return what is heard."""
        self.line.enter(at=0)
        self.model.writes()
        return spoken(self.line.gives("ספר", at=0))


@pytest.fixture
def stream(start_group: StartGroup) -> Stream:
    reported: list[Turn] = []

    def add_routes(flow: AIFlow, worker: str) -> None:
        add_agent(flow, worker)
        flow.ai.on_turn(lambda _call_id, turn: reported.append(turn))

    dialog = DialogSettings(filler=None, answer_wait=5.0, poll_wait=0.4)
    return Stream(start_group(add_routes, dialog=dialog, sentences=SENTENCES, lease=1.0), reported)


def spoken(answer: str) -> list[str]:
    read = tuple(Response.parse(answer))[-1]
    assert isinstance(read, Read)
    return [message.text for message in read.messages if isinstance(message, Text)]


def test_no_sentence_is_lost_or_said_twice_though_each_poll_reaches_the_other_worker(stream: Stream) -> None:
    line, heard, at = stream.line, stream.begins(), 0
    while line.is_polling:
        at += 1
        stream.model.writes(at % 3)
        heard += spoken(line.polls(at % 2))
        asked = line.response
        assert line.again(1 - at % 2) == asked

    assert re.findall(r"[^\s,]+", " ".join(heard)) == re.findall(r"[^\s.]+", "".join(SENTENCES))
    assert stream.model.asked == [("A", "ספר")]


def test_one_poll_at_two_workers_at_once_has_one_answer(stream: Stream) -> None:
    stream.begins()
    line = stream.line
    line.values.append((line.asked, "None"))
    line.time += 5
    with ThreadPoolExecutor(2) as both:
        answers = [both.submit(worker.flow.handle_request, line.request()) for worker in stream.group.workers]
        stream.model.writes(2)

    assert len({answer.result() for answer in answers}) == 1


def test_a_key_at_another_worker_stops_the_model_and_is_known_to_the_next_turn(stream: Stream) -> None:
    stream.begins()

    assert stream.line.gives("5", at=1) == "read=noop-listen=ai_2,no,voice"
    until(lambda: stream.model.cancelled == [("A", "ספר")])
    stream.model.writes(len(SENTENCES))
    stream.line.gives("ומה עוד?", at=1)
    assert stream.model.asked == [("A", "ספר"), ("B", f"{INTERRUPTION_NOTES[0]} ומה עוד?")]
    assert stream.model.histories[1] == (Exchange("ספר", "זה משפט אחת."),)
    until(lambda: len(stream.reported) > 1)
    assert [turn.answer for turn in stream.reported] == ["זה משפט אחת.", "".join(SENTENCES)]


def test_the_key_that_leaves_stops_the_model_of_another_worker(stream: Stream) -> None:
    stream.begins()
    stream.line.polls(at=0)

    assert stream.line.gives("9", at=1).startswith("id_list_message=t-להתראות")
    until(lambda: stream.model.cancelled == [("A", "ספר")])


def test_a_hang_up_at_another_worker_stops_the_model(stream: Stream) -> None:
    stream.begins()
    stream.line.hang_up(at=1)

    until(lambda: stream.model.cancelled == [("A", "ספר")])


def test_the_partial_answer_of_a_lost_worker_is_spoken_once_with_an_apology_and_remembered(
    stream: Stream,
) -> None:
    heard, (lost, other) = stream.begins(), stream.group.workers
    stream.model.writes()
    until(lambda: max(len(turn.pieces) for turn in other.load_session().turns) == 2)
    with lost.blocked():
        while stream.line.is_polling:
            heard += spoken(stream.line.polls(at=1))

    assert " ".join(heard) == "זה משפט אחת זה משפט שתיים סליחה, התשובה נקטעה, אפשר לשאול שוב"
    assert stream.model.asked == [("A", "ספר")]

    stream.model.writes(len(SENTENCES))
    stream.line.gives("המשך", at=1)
    assert stream.model.histories[1] == (Exchange("ספר", "זה משפט אחת. זה משפט שתיים."),)
