"""Answers that are spoken while the model writes them: one cursor gets one response."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.errors import OverloadedError
from yemot_ai.protocol import Read, Response, Text
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

LISTEN = "no,voice"
POLL = "no,1,1,1,No,,,,,1,Ok,None,,no"
THREE = ["הספרייה פתוחה. ", "ביום שישי עד אחת. ", "בשבת סגור."]


@pytest.fixture
def agent(flow: AIFlow) -> AIFlow:
    @flow.ai_agent("a", greeting="שלום")
    def answer_turn(call: AICall, text: str) -> None:
        """Let the AI answer."""

    return flow


def advance(provider: ScriptedProvider, seconds: float) -> None:
    """Advance the virtual clock."""
    provider.engine.clock.sleep(seconds)  # type: ignore[attr-defined]  # its engine's time is virtual


@pytest.mark.usefixtures("agent")
def test_sentences_are_spoken_while_the_model_writes(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=1)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == f"read=t-הספרייה פתוחה=ai_1w1,{POLL}"
    assert line.send(("ai_1w1", "None")) == f"read=t-ביום שישי עד אחת=ai_1w2,{POLL}"
    assert line.send(("ai_1w2", "None")) == f"read=t-בשבת סגור=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_sentences_written_during_a_poll_are_spoken_together(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=1)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == f"read=t-הספרייה פתוחה=ai_1w1,{POLL}"
    advance(provider, 3)
    assert line.send(("ai_1w1", "None")) == f"read=t-ביום שישי עד אחת, בשבת סגור=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_the_filler_is_played_while_a_sentence_is_missing(line: Line, provider: ScriptedProvider) -> None:
    provider.answers([*THREE, ""], after=1, every=3)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == f"read=t-הספרייה פתוחה=ai_1w1,{POLL}"
    assert line.send(("ai_1w1", "None")) == f"read=t-רק רגע=ai_1w2,{POLL}"
    assert line.send(("ai_1w2", "None")) == f"read=t-ביום שישי עד אחת=ai_1w3,{POLL}"
    assert line.send(("ai_1w3", "None")) == f"read=t-רק רגע=ai_1w4,{POLL}"
    advance(provider, 6)
    assert line.send(("ai_1w4", "None")) == f"read=t-בשבת סגור=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_the_line_only_listens_if_nothing_is_left_to_speak(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(["הספרייה פתוחה. ", " \n"], after=1, every=1.5)
    line.enter("a")
    line.send(("ai_1", "מתי?"))

    assert line.send(("ai_1w1", "None")) == f"read=noop-listen=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_an_answer_written_at_once_needs_no_poll(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1)
    line.enter("a")

    expected = f"read=t-הספרייה פתוחה, ביום שישי עד אחת, בשבת סגור=ai_2,{LISTEN}"
    assert line.send(("ai_1", "מתי?")) == expected


@pytest.mark.usefixtures("agent")
def test_unspeakable_pieces_cause_no_poll(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(["😀\n", "---\n", "שלום. ", "סוף"], after=0.5, every=0.5)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == f"read=t-שלום=ai_1w1,{POLL}"
    assert line.send(("ai_1w1", "None")) == f"read=t-סוף=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_emphasis_over_two_sentences_is_not_spoken(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(["*זה חשוב. ", "מאוד.* ", "חייגו *6741."], after=0.5, every=2)
    line.enter("a")

    answers = [line.send(("ai_1", "מתי?"))]
    for number in (1, 2):
        advance(provider, 1)
        answers.append(line.send((f"ai_1w{number}", "None")))
    assert [re.findall(r"t-([^=]*)", answer)[0] for answer in answers] == [
        "זה חשוב",
        "מאוד",
        "חייגו כוכבית.d-6741",
    ]


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("star", ["`*`", "*", '"*"', "(*)", "*,"])
def test_a_key_of_the_telephone_is_heard_in_a_part_of_an_answer(
    line: Line, provider: ScriptedProvider, star: str
) -> None:
    provider.answers([f"הקישו {star} ואז 5. ", "תודה."], after=0.5, every=2)
    line.enter("a")

    assert re.sub("[ ,]+", " ", line.send(("ai_1", "מתי?"))).startswith("read=t-הקישו כוכבית ואז 5=")


@pytest.mark.usefixtures("agent")
def test_repeated_and_late_requests_get_the_first_response(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=3)
    line.enter("a")
    first = line.send(("ai_1", "מתי?"))
    first_request = line.request()
    advance(provider, 3)

    assert line.again() == first
    second = line.send(("ai_1w1", "None"))
    polled = line.request()
    assert second == f"read=t-ביום שישי עד אחת=ai_1w2,{POLL}"
    advance(provider, 3)
    assert line.flow.handle_request(first_request) == first
    assert line.flow.handle_request(polled) == second
    last = line.send(("ai_1w2", "None"))
    assert [line.flow.handle_request(request) for request in (polled, line.request())] == [second, last]
    assert len(provider.requests) == 1


@pytest.mark.usefixtures("agent")
def test_a_key_interrupts_the_answer_and_the_model(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=60).answers("בבקשה")
    line.enter("a")
    line.send(("ai_1", "מתי?"))

    assert line.send(("ai_1w1", "5")) == f"read=noop-listen=ai_2,{LISTEN}"
    advance(provider, 0.1)
    assert provider.running == 0
    assert line.again() == f"read=noop-listen=ai_2,{LISTEN}"
    assert line.send(("ai_2", "תודה")) == f"read=t-בבקשה=ai_3,{LISTEN}"
    assert provider.requests[-1].history == (Exchange("מתי?", "הספרייה פתוחה."),)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("9", "id_list_message=t-להתראות&go_to_folder=.."),
        ("0", f"read=t-שלום=ai_2,{LISTEN}"),
        ("*", f"read=t-הספרייה פתוחה=ai_2,{LISTEN}"),
    ],
)
@pytest.mark.usefixtures("agent")
def test_configured_keys_work_while_an_answer_is_spoken(
    line: Line, provider: ScriptedProvider, key: str, answer: str
) -> None:
    provider.answers(THREE, after=1, every=60)
    line.enter("a")
    line.send(("ai_1", "מתי?"))

    assert line.send(("ai_1w1", key)) == answer
    advance(provider, 0.1)
    assert provider.running == 0


@pytest.mark.usefixtures("agent")
def test_only_the_leave_key_works_while_the_filler_plays(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=8, every=60)
    line.enter("a")
    line.send(("ai_1", "מתי?"))

    assert line.send(("ai_1w1", "5")) == f"read=t-רק רגע=ai_1w2,{POLL}"
    assert line.send(("ai_1w2", "9")).startswith("id_list_message=t-להתראות")
    advance(provider, 0.1)
    assert provider.running == 0


@pytest.mark.usefixtures("agent")
def test_a_key_stops_the_rest_after_the_model_has_finished(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=0.5).answers("בבקשה")
    line.enter("a")
    line.send(("ai_1", "מתי?"))
    advance(provider, 5)

    assert line.send(("ai_1w1", "5")) == f"read=noop-listen=ai_2,{LISTEN}"
    assert line.send(("ai_2", "תודה")) == f"read=t-בבקשה=ai_3,{LISTEN}"
    assert provider.requests[-1].history == (Exchange("מתי?", "הספרייה פתוחה."),)


def test_other_steps_of_the_function_are_not_cut_off(
    line: Line, flow: AIFlow, provider: ScriptedProvider
) -> None:
    @flow.ai_agent("a", greeting="שלום")
    def answer_turn(call: AICall, text: str) -> None:
        call.ask_ai("על מה מדובר?")

    provider.answers("שעות").answers(THREE, after=1, every=0.5).answers("שעות").answers("בבקשה")
    line.enter("a")
    line.send(("ai_1", "מתי?"))
    advance(provider, 5)
    line.send(("ai_1w1", "5"))
    line.send(("ai_2", "תודה"))

    assert provider.requests[2].history == (
        Exchange("על מה מדובר?", "שעות"),
        Exchange("מתי?", "הספרייה פתוחה."),
    )


@pytest.mark.usefixtures("agent")
def test_a_hang_up_during_an_answer_stops_the_model(line: Line, provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=60)
    line.enter("a")
    line.send(("ai_1", "מתי?"))
    line.hang_up()

    assert provider.running == 0
    assert line.flow.ai.open_calls() == 0


class CutOffModel:
    """A model that fails after some sentences at its first call."""

    name = "breaks-off"

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = pieces
        self.call_count = 0
        self.engine = ScriptedProvider().engine

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> object:
        self.call_count += 1
        for piece in self.pieces if self.call_count == 1 else ():
            yield piece
        if self.call_count == 1:
            raise OverloadedError("too much", provider=self.name)
        yield "שוב כאן"
        yield Reply("שוב כאן", "s")

    async def start_session(self, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)


def cut_off_line(*pieces: str) -> tuple[Line, CutOffModel]:
    provider = CutOffModel(pieces)
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    return line, provider


def test_a_cut_off_answer_is_spoken_and_not_asked_again() -> None:
    line, provider = cut_off_line("הספרייה פתוחה. ", "ביום שישי")

    answer = line.send(("ai_1", "מתי?"))
    if "ai_1w1" in answer:
        answer += line.send(("ai_1w1", "None"))
    assert re.findall(r"t-([^=.]*)", answer) == ["הספרייה פתוחה", "סליחה, התשובה נקטעה, אפשר לשאול שוב"]
    assert answer.endswith(f"ai_2,{LISTEN}")
    assert provider.call_count == 1


def test_an_answer_cut_off_before_its_first_sentence_is_asked_again() -> None:
    line, provider = cut_off_line("הספרייה ")

    assert line.send(("ai_1", "מתי?")) == f"read=t-שוב כאן=ai_2,{LISTEN}"
    assert provider.call_count == 2


@pytest.mark.usefixtures("agent")
def test_a_turn_that_times_out_during_the_answer_apologizes(provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=1, every=20)
    flow = AIFlow(YemotAI(provider=provider, turn_timeout=10))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    line.send(("ai_1", "מתי?"))
    advance(provider, 10)

    assert line.send(("ai_1w1", "None")).startswith("read=t-סליחה, התשובה נקטעה")


def test_stream_false_speaks_whole_answers(line: Line, flow: AIFlow, provider: ScriptedProvider) -> None:
    flow.ai_agent("a", greeting="שלום", stream=False)(lambda call, text: None)
    provider.answers(THREE, after=0.5, every=0.5)
    line.enter("a")

    expected = f"read=t-הספרייה פתוחה, ביום שישי עד אחת, בשבת סגור=ai_2,{LISTEN}"
    assert line.send(("ai_1", "מתי?")) == expected


def test_queued_messages_are_played_before_the_first_sentence(
    line: Line, flow: AIFlow, provider: ScriptedProvider
) -> None:
    @flow.ai_agent("a", greeting="שלום")
    def answer_turn(call: AICall, text: str) -> None:
        call.play_message("בודק")

    provider.answers(THREE, after=0.5, every=1)
    line.enter("a")

    assert line.send(("ai_1", "מתי?")) == f"read=t-בודק.t-הספרייה פתוחה=ai_1w1,{POLL}"
    advance(provider, 3)
    assert line.send(("ai_1w1", "None")) == f"read=t-ביום שישי עד אחת, בשבת סגור=ai_2,{LISTEN}"


def test_the_pieces_are_removed_from_the_session(provider: ScriptedProvider) -> None:
    provider.answers(THREE, after=0.5, every=1)
    ai = YemotAI(provider=provider)
    flow = AIFlow(ai)
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    line.send(("ai_1", "מתי?"))
    advance(provider, 3)
    line.send(("ai_1w1", "None"))

    session = ai.engine.run(ai._runtime.store.load("c1"))
    assert session is not None
    assert session.visit is not None
    assert [turn.pieces for turn in session.turns] == [()] * len(session.turns)
    assert session.visit.spoken_progress.polls == ()
    assert [turn.answer for turn in session.turns] == ["".join(THREE)] * len(session.turns)


WORDS = ["אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה", "תשע", "עשר"]


def spoken(response: Response) -> list[str]:
    read = tuple(response)[-1]
    assert isinstance(read, Read)
    return [message.text for message in read.messages if isinstance(message, Text)]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_sentence_is_lost_or_repeated_with_repeated_late_or_slow_requests(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8), label="sentences")
    text = " ".join(f"{WORDS[n]} {WORDS[-n - 1]}{data.draw(st.sampled_from('.?!'))}" for n in range(count))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12), label="cuts"))
    bounds = [0, *cuts, len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(bounds)]
    provider = ScriptedProvider().answers(
        pieces, after=data.draw(st.floats(0, 4)), every=data.draw(st.floats(0, 3))
    )
    flow = AIFlow(YemotAI(provider=provider), dialog=DialogSettings(filler=None))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    values, texts, sent = ("ai_1", "ספור"), [], []
    for _ in range(200):
        answer = line.send(values)
        sent.append(line.request())
        for late in data.draw(st.lists(st.sampled_from(sent[-3:]), max_size=2)):
            flow.handle_request(late)
        assert line.again() == answer
        response = Response.parse(answer)
        texts += spoken(response)
        read = tuple(response)[-1]
        assert isinstance(read, Read)
        if read.name == "ai_2":
            break
        advance(provider, data.draw(st.floats(0, 2)))
        values = (read.name, "None")

    words = re.findall(r"[^\s,?!]+", " ".join(texts))
    assert words == re.findall(r"[^\s.?!]+", text)
    assert len(provider.requests) == 1


def test_the_first_sentence_is_spoken_as_soon_as_it_is_written() -> None:
    """A model that writes 20 words a second for 10 seconds."""
    sentence = "זו היא שורה של שמונה מילים שנאמרת כאן. "
    words = [f"{word} " for word in (sentence * 25).split()]
    provider = ScriptedProvider().answers(words, after=0.05, every=0.05)
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    with Caller(flow) as caller:
        caller.dial()
        heard = caller.says("ספר")
        start = caller.exchanges[1].at
        first = next(event for event in caller.transcript if getattr(event, "text", "").startswith("זו"))

    writing_time = 8 * 0.05
    assert first.at - start <= 1.3 * writing_time
    assert re.findall(r"[^\s,]+", heard) == re.findall(r"[^\s.]+", sentence * 25)
    assert caller.dead_air <= 3.0


def test_a_caller_hears_the_pieces_as_one_answer(provider: ScriptedProvider, flow: AIFlow) -> None:
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    provider.answers(THREE, after=1, every=1)
    with Caller(flow) as caller:
        caller.dial()
        assert caller.says("מתי?") == "הספרייה פתוחה ביום שישי עד אחת בשבת סגור"


def test_a_caller_interrupts_with_a_key(provider: ScriptedProvider, flow: AIFlow) -> None:
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    provider.answers(THREE, after=1, every=30).answers("בבקשה")
    with Caller(flow) as caller:
        caller.dial()
        caller.interrupts("5", after=1.5)
        assert caller.says("מתי?") == "הספרייה פתוחה"
        assert caller.says("תודה") == "בבקשה"
