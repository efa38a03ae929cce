"""What the summary of a call has of an answer in which the caller hung up: what was spoken of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai._calls.hooks import CallSummary
from yemot_ai.sessions import MemoryStore, Turn, TurnStatus
from yemot_ai_testing import ScriptedProvider

FOUR = ["הספרייה פתוחה. ", "ביום שישי עד אחת. ", "בשבת סגור. ", "זהו."]


class OtherStore(MemoryStore):
    """A store that other workers share."""

    immediate = False


@pytest.fixture(params=[MemoryStore, OtherStore])
def line(request: pytest.FixtureRequest, provider: ScriptedProvider) -> Line:
    store = request.param(now=provider.engine.time)
    flow = AIFlow(YemotAI(provider=provider, store=store))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    return line


@pytest.fixture
def summaries(line: Line) -> list[CallSummary]:
    summaries: list[CallSummary] = []
    line.flow.ai.on_call_end(lambda transcript, _usage: summaries.append(transcript))
    return summaries


def only_turn(summaries: list[CallSummary]) -> Turn:
    ((turn,),) = summaries
    return turn


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_sentences_that_were_spoken_are_the_answer(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary], count: int
) -> None:
    provider.answers(FOUR, after=1, every=2.5)
    heard = line.gives("מתי?")
    while sum(sentence.strip(". ") in heard for sentence in FOUR) < count:
        line.polls()
        heard += line.response
    line.hang_up()

    turn = only_turn(summaries)
    assert (turn.answer, turn.interrupted) == ("".join(FOUR[:count]).strip(), True)
    assert str(summaries[0]) == f"> מתי?\n{turn.answer} (interrupted)"


def test_an_answer_that_was_complete_at_the_server_counts_only_what_was_spoken(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary]
) -> None:
    provider.answers(FOUR, after=1, every=2.5)
    line.gives("מתי?")
    provider.engine.clock.sleep(60)  # type: ignore[attr-defined]  # its time is virtual
    line.hang_up()

    turn = only_turn(summaries)
    assert (turn.answer, turn.interrupted, turn.status) == (FOUR[0].strip(), True, TurnStatus.ANSWERED)
    assert turn.usage is not None


def test_an_answer_of_which_nothing_was_spoken_is_no_answer(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary]
) -> None:
    provider.answers("הספרייה פתוחה", after=4)
    line.gives("מתי?")
    provider.engine.clock.sleep(60)  # type: ignore[attr-defined]  # its time is virtual
    line.hang_up()

    turn = only_turn(summaries)
    assert (turn.answer, turn.interrupted) == ("", True)
    assert str(summaries[0]) == "> מתי?\n(no answer)"


def test_an_answer_that_was_sent_to_its_end_is_whole(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary]
) -> None:
    provider.answers(FOUR, after=1, every=1)
    line.gives("מתי?")
    line.waits()
    line.hang_up()

    turn = only_turn(summaries)
    assert (turn.answer, turn.interrupted) == ("".join(FOUR), False)


def test_an_answer_that_broke_off_counts_only_what_was_spoken(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary]
) -> None:
    provider.answers(FOUR, after=1, every=200)
    line.gives("מתי?")
    provider.engine.clock.sleep(100)  # type: ignore[attr-defined]  # its time is virtual
    line.hang_up()

    turn = only_turn(summaries)
    assert turn.failure is not None
    assert (turn.answer, turn.failure.kind) == (FOUR[0].strip(), "timeout")


def test_a_key_that_interrupts_before_the_hang_up_counts(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary]
) -> None:
    provider.answers(FOUR, after=1, every=2.5)
    line.gives("מתי?")
    line.gives("5")
    line.hang_up()

    assert (only_turn(summaries).answer, only_turn(summaries).interrupted) == (FOUR[0].strip(), True)


def end_idle(flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.engine.clock.sleep(10_000)  # type: ignore[attr-defined]  # its time is virtual


def end_here(flow: AIFlow, provider: ScriptedProvider) -> None:
    flow.ai.end("c1")


@pytest.mark.parametrize("end", [end_idle, end_here])
def test_each_end_of_a_call_counts_what_was_spoken(
    line: Line,
    provider: ScriptedProvider,
    summaries: list[CallSummary],
    end: Callable[[AIFlow, ScriptedProvider], None],
) -> None:
    provider.answers(FOUR, after=1, every=20)
    line.gives("מתי?")
    end(line.flow, provider)

    assert (only_turn(summaries).answer, only_turn(summaries).interrupted) == (FOUR[0].strip(), True)


def test_the_thread_of_an_answer_that_was_not_heard_is_deleted_once(
    line: Line, provider: ScriptedProvider, summaries: list[CallSummary]
) -> None:
    provider.answers("כן").answers(FOUR, after=1, every=2.5)
    line.says("שלום")
    line.gives("מתי?")
    line.hang_up()

    assert provider.ended_sessions == ["scripted-1"]
    assert [turn.answer for turn in summaries[0]] == ["כן", FOUR[0].strip()]
