"""Calls that the command makes by itself notice each fault between a line and its application."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.shop import line
from yemot_ai import AIFlow
from yemot_ai_testing.line.transports.transport import Method, Pairs, TransportResponse
from yemot_ai_testing.mutation.calls.exploration import explore
from yemot_ai_testing.mutation.calls.plans import PLANS
from yemot_ai_testing.mutation.catalog import MUTATIONS, select
from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.mutation import Mutation, application
from yemot_ai_testing.mutation.planted_application import CallRecords
from yemot_ai_testing.mutation.turn import Send, Turn
from yemot_ai_testing.scenario import CallFile, PlayTarget, Scenario, play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

NEEDS_TWO_AT_ONCE = {"answers-exchanged"}
AT_THE_LINE = [mutation for mutation in MUTATIONS if mutation.seam == "application"]


class PlantedFlow:
    """A flow behind a fault, without a change of this process."""

    def __init__(self, flow: AIFlow, records: CallRecords, method: Method) -> None:
        self.ai = flow.ai
        self._flow, self._records, self._method = flow, records, method

    def handle_request(self, pairs: Pairs) -> TransportResponse:
        return self._records.answer(
            pairs, self._method, lambda changed: TransportResponse(self._flow.handle_request(changed))
        )

    async def ahandle_request(self, pairs: Pairs) -> str:
        raise NotImplementedError


@cache
def files() -> tuple[CallFile, ...]:
    settings = RunSettings(app="tests.mutation.shop:line", root=Path.cwd())
    return tuple(file for plan in PLANS for file in explore(plan, "tests.mutation.shop:line", settings))


def play(file: CallFile, mutation: Mutation, folder: Path) -> Iterator[tuple[Scenario, str]]:
    """Play the scenarios of a file, and yield each with its state."""
    records = CallRecords(mutation.fault, Marks(folder), mutation.id)
    flow = line()
    double: Any = flow.ai.provider
    for scenario in file.scenarios:
        target = PlayTarget(PlantedFlow(flow, records, scenario.caller.method), double, grace=0.0)
        yield scenario, play_scenario(scenario, target).state


@application("words")
def nothing_wrong(turn: Turn, send: Send) -> TransportResponse:
    """Nothing is noticed."""
    return send(turn.pairs)


def test_the_calls_of_a_line_whose_code_fails_count_its_errors() -> None:
    settings = RunSettings(app="tests.mutation.shop:broken_line", root=Path.cwd())
    for file in explore(PLANS[0], "tests.mutation.shop:broken_line", settings):
        (scenario,) = file.scenarios
        with open_target(settings, None) as target:
            assert play_scenario(scenario, target).failure is None


@pytest.mark.slow
def test_the_healthy_line_passes_all_of_its_calls(tmp_path: Path) -> None:
    states = [(one.name, state) for file in files() for one, state in play(file, nothing_wrong, tmp_path)]

    assert [name for name, state in states if state != "passed"] == []
    assert len(states) == 2 * sum(plan.times for plan in PLANS)
    assert Marks(tmp_path).reached() == frozenset()


@pytest.mark.slow
@pytest.mark.parametrize("mutation", AT_THE_LINE, ids=lambda mutation: mutation.id)
def test_a_call_notices_the_fault(mutation: Mutation, tmp_path: Path) -> None:
    noticed = any(state == "failed" for file in files() for _, state in play(file, mutation, tmp_path))

    assert noticed == (mutation.id not in NEEDS_TWO_AT_ONCE)


def test_a_caller_who_is_answered_at_the_same_moment_hears_the_answer_of_the_other(tmp_path: Path) -> None:
    records = CallRecords(select(["answers-exchanged"])[0].fault, Marks(tmp_path), "answers-exchanged")

    def call(call_id: str, send: Send) -> str:
        return records.answer((("ApiCallId", call_id),), "GET", send).body

    def second(_: Pairs) -> TransportResponse:
        return TransportResponse(call("c2", lambda _: TransportResponse("read=t-לשני=q,no,voice")))

    call("c1", lambda _: TransportResponse("read=t-לראשון=q,no,voice"))

    assert call("c1", second) == "read=t-לראשון=q,no,voice"
    assert Marks(tmp_path).reached() == {"answers-exchanged"}
