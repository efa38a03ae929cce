"""An answer that is cut off after its first sentences: the next turn has them in its history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai._turns.transitions import retire_thread
from yemot_ai._turns.work import TurnResult
from yemot_ai.errors import ProviderCrashError
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import Session, Turn, TurnStatus
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

CUT_OFF_SENTENCE = "סליחה, התשובה נקטעה, אפשר לשאול שוב"


class FailingModel:
    """A model whose answer to ``מתי?`` fails after two sentences, one a second."""

    name = "breaking"

    def __init__(self) -> None:
        self.engine = ScriptedProvider().engine
        self.model_calls: list[tuple[JSON, Sequence[Exchange]]] = []
        self.ended_sessions: list[JSON] = []

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        self.model_calls.append((session, tuple(history)))
        if prompt == "מתי?":
            for piece in ("הספרייה פתוחה. ", "ביום שישי עד אחת. ", "בשבת"):
                yield piece
                await asyncio.sleep(1)
            raise ProviderCrashError("gone", provider=self.name)
        yield Reply("בבקשה", session or f"thread {len(self.model_calls)}")

    async def start_session(self, prompt: str, **_: object) -> Reply:
        self.model_calls.append((None, ()))
        return Reply("על הספרייה", "thread of the step")

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        return await self.start_session(prompt)

    async def end_session(self, session: JSON) -> None:
        self.ended_sessions.append(session)


@pytest.fixture
def model() -> FailingModel:
    return FailingModel()


@pytest.fixture
def flow(model: FailingModel) -> AIFlow:
    flow = AIFlow(YemotAI(provider=model))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    return flow


@pytest.fixture
def line(flow: AIFlow) -> Line:
    line = Line(flow)
    line.enter("a")
    return line


def speak_until_read(line: Line, *values: tuple[str, str]) -> str:
    """Return the responses until the line listens again."""
    answer = spoken = line.send(*values)
    while (poll := answer.partition("=ai_")[2].partition(",")[0]) and "w" in poll:
        answer = line.send((f"ai_{poll}", "None"))
        spoken += answer
    return spoken


SPOKEN_PART = Exchange("מתי?", "הספרייה פתוחה. ביום שישי עד אחת.")


def test_the_next_turn_gets_the_spoken_part_in_a_new_thread(line: Line, model: FailingModel) -> None:
    speak_until_read(line, ("ai_1", "תודה"))
    assert CUT_OFF_SENTENCE in speak_until_read(line, ("ai_2", "מתי?"))
    speak_until_read(line, ("ai_3", "המשך"))
    speak_until_read(line, ("ai_4", "עוד"))
    line.hang_up()

    assert model.model_calls[1:] == [
        ("thread 1", ()),
        (None, (Exchange("תודה", "בבקשה"), SPOKEN_PART)),
        ("thread 3", ()),
    ]
    assert model.ended_sessions == ["thread 3", "thread 1"]


def test_an_earlier_step_of_the_function_is_unchanged(model: FailingModel) -> None:
    flow = AIFlow(YemotAI(provider=model))

    @flow.ai_agent("a", greeting="שלום")
    def agent(call: AICall, text: str) -> None:
        if text == "מתי?":
            call.ask_ai("על מה מדובר?")

    line = Line(flow)
    line.enter("a")
    speak_until_read(line, ("ai_1", "מתי?"))
    speak_until_read(line, ("ai_2", "המשך"))

    assert model.model_calls[-1] == (None, (Exchange("על מה מדובר?", "על הספרייה"), SPOKEN_PART))


def test_a_key_that_interrupts_the_rest_shortens_the_spoken_part(line: Line, model: FailingModel) -> None:
    line.send(("ai_1", "מתי?"))
    model.engine.clock.sleep(5)  # type: ignore[attr-defined]  # its time is virtual
    assert line.send(("ai_1w1", "5")).startswith("read=noop-listen=ai_2")
    speak_until_read(line, ("ai_2", "המשך"))

    assert model.model_calls[-1] == (None, (Exchange("מתי?", "הספרייה פתוחה."),))


def test_the_repeat_key_speaks_the_spoken_part(line: Line) -> None:
    speak_until_read(line, ("ai_1", "מתי?"))

    assert speak_until_read(line, ("ai_2", "Digits-*")).startswith(
        "read=t-הספרייה פתוחה, ביום שישי עד אחת=ai_3"
    )


def test_the_next_call_of_a_remembered_caller_has_it_in_its_history(model: FailingModel) -> None:
    flow = AIFlow(YemotAI(provider=model, remember="caller"))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    for call_id, utterance in (("c1", "מתי?"), ("c2", "המשך")):
        line = Line(flow, call_id=call_id)
        line.enter("a")
        speak_until_read(line, ("ai_1", utterance))
        line.hang_up()

    assert model.model_calls[-1] == (None, (SPOKEN_PART,))


def test_a_thread_that_arrives_after_the_cut_is_deleted_with_the_call() -> None:
    result = TurnResult(answer="שלום", conversation="call", session="late")
    cut = Turn("ai_1.1", "מתי?", conversation="call", status=TurnStatus.FAILED, answer="הספרייה פתוחה.")
    failed = Turn("ai_1.1", "מתי?", conversation="call", status=TurnStatus.FAILED)

    assert retire_thread(Session("c1", turns=(cut,)), "ai_1.1", result).retired == (("call", "late"),)
    assert retire_thread(Session("c1", turns=(failed,)), "ai_1.1", result).retired == ()
