"""An answer that breaks off when its first sentences are heard: whoever is asked next knows of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.errors import ProviderCrashError
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import Session, Turn, TurnStatus
from yemot_ai.turns.transitions import retire_thread
from yemot_ai.turns.work import TurnResult
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

BROKEN_OFF = "סליחה, התשובה נקטעה, אפשר לשאול שוב"


class Breaking:
    """A model whose answer to ``מתי?`` breaks off after two sentences, a second each."""

    name = "breaking"

    def __init__(self) -> None:
        self.engine = ScriptedProvider().engine
        self.asked: list[tuple[JSON, Sequence[Exchange]]] = []
        self.forgotten: list[JSON] = []

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        self.asked.append((session, tuple(history)))
        if prompt == "מתי?":
            for piece in ("הספרייה פתוחה. ", "ביום שישי עד אחת. ", "בשבת"):
                yield piece
                await asyncio.sleep(1)
            raise ProviderCrashError("gone", provider=self.name)
        yield Reply("בבקשה", session or f"thread {len(self.asked)}")

    async def start_session(self, prompt: str, **_: object) -> Reply:
        self.asked.append((None, ()))
        return Reply("על הספרייה", "thread of the step")

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        return await self.start_session(prompt)

    async def end_session(self, session: JSON) -> None:
        self.forgotten.append(session)


@pytest.fixture
def model() -> Breaking:
    return Breaking()


@pytest.fixture
def flow(model: Breaking) -> AIFlow:
    flow = AIFlow(YemotAI(provider=model))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    return flow


@pytest.fixture
def line(flow: AIFlow) -> Line:
    line = Line(flow)
    line.enter("a")
    return line


def heard(line: Line, *values: tuple[str, str]) -> str:
    """Return what is spoken until the line listens again."""
    answer = spoken = line.send(*values)
    while (poll := answer.partition("=ai_")[2].partition(",")[0]) and "w" in poll:
        answer = line.send((f"ai_{poll}", "None"))
        spoken += answer
    return spoken


HEARD = Exchange("מתי?", "הספרייה פתוחה. ביום שישי עד אחת.")


def test_the_next_question_is_asked_with_what_was_heard_and_in_a_thread_of_its_own(
    line: Line, model: Breaking
) -> None:
    heard(line, ("ai_1", "תודה"))
    assert BROKEN_OFF in heard(line, ("ai_2", "מתי?"))
    heard(line, ("ai_3", "המשך"))
    heard(line, ("ai_4", "עוד"))
    line.hang_up()

    assert model.asked[1:] == [
        ("thread 1", ()),
        (None, (Exchange("תודה", "בבקשה"), HEARD)),
        ("thread 3", ()),
    ]
    assert model.forgotten == ["thread 3", "thread 1"]


def test_what_a_function_asked_before_is_left_as_it_was(model: Breaking) -> None:
    flow = AIFlow(YemotAI(provider=model))

    @flow.ai_agent("a", greeting="שלום")
    def agent(call: AICall, text: str) -> None:
        if text == "מתי?":
            call.ask_ai("על מה מדובר?")

    line = Line(flow)
    line.enter("a")
    heard(line, ("ai_1", "מתי?"))
    heard(line, ("ai_2", "המשך"))

    assert model.asked[-1] == (None, (Exchange("על מה מדובר?", "על הספרייה"), HEARD))


def test_an_agent_without_a_function_of_its_own_remembers_it_likewise(model: Breaking) -> None:
    ai = YemotAI(provider=model)
    engine = ai.engine
    turn = engine.run(ai.conversation.ask_streaming("c1", "ai_1", "מתי?"))
    assert turn.status is TurnStatus.FAILED
    engine.run(ai.conversation.ask_streaming("c1", "ai_2", "המשך"))

    assert model.asked[-1] == (None, (HEARD,))


def test_a_key_that_interrupts_what_is_left_of_it_cuts_it_short(line: Line, model: Breaking) -> None:
    line.send(("ai_1", "מתי?"))
    model.engine.clock.sleep(5)  # type: ignore[attr-defined]  # its time is virtual
    assert line.send(("ai_1w1", "5")).startswith("read=noop-listen=ai_2")
    heard(line, ("ai_2", "המשך"))

    assert model.asked[-1] == (None, (Exchange("מתי?", "הספרייה פתוחה."),))


def test_the_key_that_repeats_says_what_there_was_of_it(line: Line) -> None:
    heard(line, ("ai_1", "מתי?"))

    assert heard(line, ("ai_2", "Digits-*")).startswith("read=t-הספרייה פתוחה, ביום שישי עד אחת=ai_3")


def test_in_the_next_call_of_a_remembered_caller_it_is_known(model: Breaking) -> None:
    flow = AIFlow(YemotAI(provider=model, remember="caller"))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    for call_id, said in (("c1", "מתי?"), ("c2", "המשך")):
        line = Line(flow, call_id=call_id)
        line.enter("a")
        heard(line, ("ai_1", said))
        line.hang_up()

    assert model.asked[-1] == (None, (HEARD,))


def test_a_thread_that_comes_when_its_answer_was_cut_short_is_forgotten_with_the_call() -> None:
    worked = TurnResult(answer="שלום", conversation="call", session="late")
    cut = Turn("ai_1.1", "מתי?", conversation="call", status=TurnStatus.FAILED, answer="הספרייה פתוחה.")
    failed = Turn("ai_1.1", "מתי?", conversation="call", status=TurnStatus.FAILED)

    assert retire_thread(Session("c1", turns=(cut,)), "ai_1.1", worked).retired == (("call", "late"),)
    assert retire_thread(Session("c1", turns=(failed,)), "ai_1.1", worked).retired == ()
