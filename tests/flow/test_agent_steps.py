"""The step of an agent, as a pure function of its session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yemot_ai import AIFlow
from yemot_ai.flow.agent.loop import AgentLoop, AwaitAnswer
from yemot_ai.flow.agent.steps import AgentStep, take_step
from yemot_ai.protocol import Request
from yemot_ai.sessions import Session, Turn, Visit


@pytest.fixture
def agent(flow: AIFlow) -> AgentLoop:
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    return flow.agents["a"]


def request(*values: tuple[str, str], time: int = 1000, extension: str = "a") -> Request:
    own = ("ApiCallId", "c1"), ("ApiExtension", extension), ("ApiTime", str(time))
    return Request.parse([*own, *values])


def entered(agent: AgentLoop) -> Session:
    return take_step(agent, Session("c1"), request()).session


def with_running_turn(session: Session) -> Session:
    return session.with_turn(Turn("ai_1", "מתי?", owner="worker.work"))


def test_the_first_request_greets_and_starts_a_visit(agent: AgentLoop) -> None:
    step = take_step(agent, Session("c1"), request())

    assert step.result == "read=t-שלום=ai_1,no,voice"
    assert step.session.visit is not None
    assert step.session.visit.number == 1


def test_an_utterance_has_to_be_answered_first(agent: AgentLoop) -> None:
    step = take_step(agent, entered(agent), request(("ai_1", "מתי?"), time=1005))

    assert step.result == AwaitAnswer(turn=1, poll=0, visit=1, text="מתי?")
    assert step.session.visit is not None
    assert step.session.visit.seen == (("ai_1", "מתי?"),)


def test_the_same_session_and_request_give_the_same_step(agent: AgentLoop) -> None:
    session, asked = entered(agent), request(("ai_1", "מתי?"), time=1005)

    assert take_step(agent, session, asked) == take_step(agent, session, asked)


def test_a_call_that_has_ended_gets_a_hang_up(agent: AgentLoop) -> None:
    ended = entered(agent).tombstone()

    assert take_step(agent, ended, request()) == AgentStep(ended, "go_to_folder=hangup")


def test_a_request_whose_visit_is_over_does_not_move_the_caller(agent: AgentLoop) -> None:
    session = entered(agent)
    elsewhere = replace(session, visit=Visit(2, "b"))
    waited_for = AwaitAnswer(turn=1, poll=0, visit=1, text="מתי?")

    step = take_step(agent, elsewhere, request(("ai_1", "מתי?")), waited_for=waited_for)

    assert step == AgentStep(elsewhere, "go_to_folder=hangup")


def test_a_key_that_leaves_stops_the_running_turn(agent: AgentLoop) -> None:
    session = with_running_turn(entered(agent))

    step = take_step(agent, session, request(("ai_1", "מתי?"), ("ai_1w1", "9"), time=1010))

    assert step.stopped == ("ai_1",)
    assert not step.abandons_turns
    assert step.session.visit is not None
    assert step.session.visit.left


def test_a_new_visit_abandons_the_turn_of_the_last_one(agent: AgentLoop) -> None:
    session = with_running_turn(entered(agent))

    step = take_step(agent, session, request(extension="b", time=1010))

    assert step.is_new_visit
    assert step.abandons_turns


def test_a_worker_that_finds_the_visit_left_abandons_its_turn(agent: AgentLoop) -> None:
    session = with_running_turn(entered(agent))
    left = replace(session, visit=replace(session.visit or Visit(), left=True))

    assert AgentStep(left, "go_to_folder=..").abandons_turns
    assert not AgentStep(session, "go_to_folder=..").abandons_turns
    assert not AgentStep(left, AwaitAnswer(turn=1, poll=0, visit=1, text="מתי?")).abandons_turns


def test_instead_of_waiting_longer_there_is_a_poll(agent: AgentLoop) -> None:
    session = with_running_turn(entered(agent))
    asked = request(("ai_1", "מתי?"), time=1005)
    waited_for = AwaitAnswer(turn=1, poll=0, visit=1, text="מתי?")

    step = take_step(agent, session, asked, waited_for=waited_for, keep_polling=True)

    assert str(step.result).startswith("read=t-רק רגע=ai_1w1,")
