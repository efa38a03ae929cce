"""A turn that another worker has begun, and left at some point of its tools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from yemot_ai import Tool, YemotAI, tool
from yemot_ai.sessions import MemoryStore, Session, ToolUse, Turn, TurnFailure, TurnStatus
from yemot_ai_testing import ScriptedProvider

USE = ToolUse("cancel", '{"number": 7}', "call_1", 1)


class Office:
    def __init__(self, *steps: Turn) -> None:
        self.runs: list[int] = []
        self.provider = ScriptedProvider()
        store = MemoryStore(now=self.provider.engine.time)
        turn = Turn("t1", "כן", "call", owner="lost.1")
        asyncio.run(store.save(Session("c1", turns=(*steps, turn)), ttl=3600))
        self.ai = YemotAI(provider=self.provider, store=store, tools=[self.make_tool()])

    def make_tool(self) -> Tool:
        @tool(confirm="לבטל את {number}?")
        def cancel(number: int) -> str:
            """Cancel an order."""
            self.runs.append(number)
            return "בוטלה"

        return cancel

    def reply(self) -> str:
        return self.ai.reply("c1", "כן", turn_id="t1")


def step(use: ToolUse, *, owner: str = "", **fields: Any) -> Turn:  # noqa: ANN401 - its fields
    return Turn(f"t1.tool{use.call_id[-1]}", "", parent="t1", tool=use, owner=owner, **fields)


CONFIRMED = ToolUse("cancel", '{"number": 7}', "call_1", 1, confirmed=True)


def test_a_confirmed_call_that_had_not_begun_runs_without_a_second_question() -> None:
    office = Office(step(CONFIRMED))
    office.provider.answers("ביטלתי")

    assert office.reply() == "ביטלתי"
    assert office.runs == [7]
    assert office.provider.requests[0].rounds[0].results == ("בוטלה",)


def test_a_call_that_had_begun_does_not_run_again() -> None:
    office = Office(step(CONFIRMED, owner="lost.2"))
    office.provider.answers("לא ידוע")

    assert office.reply() == "לא ידוע"
    assert office.runs == []
    assert "it is not known whether this was done" in office.provider.requests[0].rounds[0].results[0]


@pytest.mark.parametrize("asked", [False, True], ids=["not yet", "already"])
def test_a_question_for_consent_is_asked_without_the_model(asked: bool) -> None:  # noqa: FBT001 - a parameter
    failure = TurnFailure("tool_not_confirmed", "", {"question": "לבטל את 7?", "tool": "cancel"})
    done: dict[str, Any] = {"status": TurnStatus.FAILED, "failure": failure} if asked else {}
    office = Office(step(USE, **done))

    assert office.reply() == "לבטל את 7?"
    assert office.runs == []
    assert office.provider.requests == []


def test_results_of_several_messages_are_in_their_rounds() -> None:
    first = ToolUse("cancel", '{"number": 1}', "call_1", 1, preface="רגע", confirmed=True)
    second = ToolUse("cancel", '{"number": 2}', "call_2", 2, confirmed=True)
    done: dict[str, Any] = {"status": TurnStatus.ANSWERED, "answer": "בוטלה קודם"}
    office = Office(step(first, **done), step(second))
    office.provider.answers("ביטלתי")

    assert office.reply() == "רגע ביטלתי"
    assert office.runs == [2]
    assert [(each.text, each.results) for each in office.provider.requests[0].rounds] == [
        ("רגע", ("בוטלה קודם",)),
        ("", ("בוטלה",)),
    ]


def test_a_tool_that_is_no_longer_there_is_an_error_for_the_model() -> None:
    office = Office(step(ToolUse("refund", "{}", "call_1", 1)))
    office.provider.answers("אין כזה")

    assert office.reply() == "אין כזה"
    assert "there is no tool 'refund'" in office.provider.requests[0].rounds[0].results[0]
