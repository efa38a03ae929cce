"""A model's answer that a function or a handler has got, and that no response has spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.support.flow_line import Line
from yemot_ai import Agent, AICall, AIFlow, AsyncAgent, AsyncAICall, CallSummary, YemotAI
from yemot_ai.errors import ProviderError
from yemot_ai.sessions import MemoryStore, SessionStore, TurnStatus
from yemot_ai_testing import ScriptedProvider

APOLOGY = "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
CUT_OFF_SENTENCE = "סליחה, התשובה נקטעה, אפשר לשאול שוב"


class SharedStore(MemoryStore):
    """A store that other workers share."""

    immediate = False


@dataclass
class Calls:
    """Flows over one model, and the summaries of their calls."""

    provider: ScriptedProvider
    summaries: list[CallSummary] = field(default_factory=list)

    def flow(self, store: SessionStore | None = None) -> AIFlow:
        flow = AIFlow(YemotAI(provider=self.provider, store=store or MemoryStore()))
        flow.ai.on_call_end(lambda summary, _usage: self.summaries.append(summary))
        return flow

    def transcript(self) -> list[tuple[str, str]]:
        """Return what was said and heard in the call that is over."""
        (summary,) = self.summaries
        return [(turn.text, turn.answer) for turn in summary]


@pytest.fixture
def calls(provider: ScriptedProvider) -> Calls:
    return Calls(provider)


@pytest.fixture(params=[MemoryStore, SharedStore], ids=["one-worker", "shared-store"])
def store(request: pytest.FixtureRequest) -> SessionStore:
    made: SessionStore = request.param()
    return made


def ask_agent(call: AICall, agent: Agent) -> str:
    return agent.ask(agent.text)


def enter(flow: AIFlow) -> Line:
    line = Line(flow)
    line.enter("a")
    return line


def press_to_leave(line: Line) -> None:
    line.gives("9")
    line.hang_up()


def test_a_cut_answer_that_a_function_lets_through_is_in_no_transcript_and_no_history(
    calls: Calls, store: SessionStore
) -> None:
    flow = calls.flow(store)
    flow.ai_agent("a", greeting="שלום")(ask_agent)
    calls.provider.cuts("length", ["זה עולה מאה. ", "ובשבת"]).answers("בבקשה")
    line = enter(flow)
    heard = line.says("כמה?")
    line.says("ומתי?")
    line.hang_up()

    assert heard.startswith(f"read=t-{CUT_OFF_SENTENCE}=")
    assert calls.transcript() == [("כמה?", ""), ("ומתי?", "בבקשה")]
    assert [(asked.prompt, asked.history) for asked in calls.provider.requests] == [
        ("כמה?", ()),
        ("ומתי?", ()),
    ]
    assert str(calls.summaries[0]).startswith("> כמה?\n(the answer was cut: length)")


def test_a_cut_answer_that_a_function_speaks_stays(calls: Calls) -> None:
    flow = calls.flow()

    @flow.ai_agent("a", greeting="שלום")
    def careful(call: AICall, agent: Agent) -> str:
        try:
            return agent.ask(agent.text)
        except ProviderError:
            return "זה עולה מאה, והשאר לא ידוע"

    calls.provider.cuts("length", ["זה עולה מאה. ", "ובשבת"])
    line = enter(flow)
    line.says("כמה?")
    line.hang_up()

    assert calls.transcript() == [("כמה?", "זה עולה מאה.")]


def test_an_answer_that_a_function_loses_by_an_exception_is_in_no_transcript_and_no_history(
    calls: Calls, store: SessionStore
) -> None:
    flow = calls.flow(store)

    @flow.ai_agent("a", greeting="שלום")
    def loses(call: AICall, agent: Agent) -> str:
        return str(int(agent.ask(agent.text)))

    calls.provider.answers("מאה").answers("100")
    line = enter(flow)
    heard = line.says("כמה?")
    line.says("ועוד פעם?")
    line.hang_up()

    assert heard.startswith(f"read=t-{APOLOGY}=")
    assert calls.transcript() == [("כמה?", ""), ("ועוד פעם?", "100")]
    assert calls.provider.requests[1].history == ()


@pytest.mark.parametrize("leaves", [Line.hang_up, press_to_leave])
def test_an_answer_whose_caller_leaves_while_the_function_still_works_was_not_heard(
    calls: Calls, store: SessionStore, leaves: Callable[[Line], None]
) -> None:
    flow = calls.flow(store)

    @flow.ai_agent("a", greeting="שלום")
    async def slow(call: AsyncAICall, agent: AsyncAgent) -> str:
        answer = await agent.ask(agent.text)
        await asyncio.sleep(30)
        return answer

    calls.provider.answers("מאה")
    line = enter(flow)
    line.gives("כמה?")
    assert line.is_polling
    leaves(line)

    assert calls.transcript() == [("כמה?", "")]
    (turn,) = calls.summaries[0]
    assert (turn.status, turn.interrupted) == (TurnStatus.FAILED, True)


def test_a_cut_answer_that_a_handler_lets_through_is_in_no_transcript_and_no_history(
    calls: Calls, store: SessionStore
) -> None:
    flow = calls.flow(store)
    flow.get("a")(lambda call: call.play_message(call.ask_ai("כמה?")))
    calls.provider.cuts("length", ["זה עולה מאה. ", "ובשבת"]).answers("בבקשה")
    line = Line(flow)
    heard = line.enter("a")
    again = line.enter("a")
    line.hang_up()

    assert heard == f"id_list_message=t-{CUT_OFF_SENTENCE}&go_to_folder=.."
    assert again == "id_list_message=t-בבקשה"
    assert calls.transcript() == [("כמה?", ""), ("כמה?", "בבקשה")]
    assert calls.provider.requests[1].history == ()


def test_an_answer_that_a_poll_has_spoken_stays_when_its_handler_fails_later(calls: Calls) -> None:
    flow = calls.flow()

    @flow.get("a")
    def two_questions(call: AICall) -> None:
        call.play_message(call.ask_ai("כמה?"))
        call.play_message(call.ask_ai("ומתי?"))

    calls.provider.answers("מאה").fails("unauthorized", after=5)
    line = Line(flow)
    first = line.enter("a")
    line.waits()
    line.hang_up()

    assert first.startswith("id_list_message=t-מאה&read=t-רק רגע=")
    assert calls.transcript() == [("כמה?", "מאה"), ("ומתי?", "")]


def test_the_answers_of_earlier_runs_stay_when_a_later_run_fails(calls: Calls) -> None:
    flow = calls.flow()

    @flow.get("a")
    def two_runs(call: AICall) -> None:
        call.play_message(call.ask_ai("כמה?"))
        call.read("עוד?", val_name="more")
        call.play_message(call.ask_ai("ומתי?"))
        raise RuntimeError

    calls.provider.answers("מאה").answers("מחר")
    line = Line(flow)
    line.enter("a")
    line.gives("1")
    line.hang_up()

    assert calls.transcript() == [("כמה?", "מאה"), ("ומתי?", "")]


def ask_and_speak(call: AICall) -> None:
    call.play_message(call.ask_ai("כמה?"))


def ask_twice(call: AICall) -> None:
    call.play_message(call.ask_ai("כמה?"))
    call.play_message(call.ask_ai("ומתי?"))


def test_an_answer_of_a_handler_whose_caller_leaves_in_the_filler_was_not_heard(
    calls: Calls, store: SessionStore
) -> None:
    flow = calls.flow(store)
    flow.get("a")(ask_and_speak)
    calls.provider.answers("מאה", after=3)
    line = enter(flow)
    assert line.is_polling
    flow.ai.engine.run(asyncio.sleep(2))
    line.hang_up()

    assert calls.transcript() == [("כמה?", "")]


def test_of_two_questions_of_a_handler_the_one_that_a_poll_has_spoken_was_heard(
    calls: Calls, store: SessionStore
) -> None:
    flow = calls.flow(store)
    flow.get("a")(ask_twice)
    calls.provider.answers("מאה", after=3).answers("מחר", after=3)
    line = enter(flow)
    second = line.polls()
    flow.ai.engine.run(asyncio.sleep(3))
    line.hang_up()

    assert second.startswith("id_list_message=t-מאה&read=t-רק רגע=")
    assert calls.transcript() == [("כמה?", "מאה"), ("ומתי?", "")]


def test_the_answers_that_a_handler_has_spoken_before_its_question_were_heard(
    calls: Calls, store: SessionStore
) -> None:
    flow = calls.flow(store)

    @flow.get("a")
    def question(call: AICall) -> None:
        ask_and_speak(call)
        call.read("עוד?", val_name="more")
        call.ask_ai("ומתי?")
        call.read("ועוד?", val_name="again")

    calls.provider.answers("מאה").answers("מחר")
    line = enter(flow)
    line.gives("1")
    line.hang_up()

    assert calls.transcript() == [("כמה?", "מאה"), ("ומתי?", "מחר")]
