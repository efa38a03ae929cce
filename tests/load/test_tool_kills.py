"""Calls with tools over three processes and one store; processes are killed while tools run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from tests.load import worker
from tests.load.processes_with_tools import ToolKills, run_with_tools
from yemot_ai_testing.history import Budget, History, HistoryEvent, ModelAsked, ToolCalled, check
from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID
from yemot_ai_testing.property.load_plan import TABLE_HEADER, table_row

Property = Callable[[str, object], None]

CALLS, NIGHTLY = 300, 3_000
CALLS_PER_KILL = 15
UTTERANCE_IDS = range(FIRST_UTTERANCE_ID, 10_000_000)
BUDGET = Budget(hangup=2.0, lease=worker.LEASE, turn=worker.TURN_TIMEOUT)


def run(store_url: str, folder: Path) -> ToolKills:
    calls = NIGHTLY if settings.get_current_profile_name() == "nightly" else CALLS
    return run_with_tools((7, calls, UTTERANCE_IDS), store_url, folder, kills=calls // CALLS_PER_KILL)


def assert_ran_once(label: str, ran: ToolKills, record_property: Property) -> None:
    violations = check(ran.history, BUDGET)
    record_property("table", (TABLE_HEADER, table_row(label, ran.history, violations)))
    assert ran.kills >= CALLS // CALLS_PER_KILL
    assert sum(isinstance(event, ToolCalled) for event in ran.history.events) > CALLS // 2
    assert len({event.worker for event in ran.history.events if isinstance(event, ModelAsked)}) > 3
    assert ran.ran_again == []
    assert all("not known" in result for result in ran.killed_results), ran.killed_results
    assert not violations, f"{len(violations)} violations; the first: {violations[0]}"


@pytest.mark.generated
def test_tools_run_once_in_killed_processes_over_sqlite(record_property: Property, tmp_path: Path) -> None:
    ran = run(f"sqlite:{tmp_path}/calls.db", tmp_path)
    assert_ran_once("tools, SQLite", ran, record_property)


@pytest.mark.generated
def test_tools_run_once_in_killed_processes_over_redis(
    record_property: Property, redis_url: str, tmp_path: Path
) -> None:
    ran = run(f"{redis_url}?db=2", tmp_path)
    assert_ran_once("tools, Redis", ran, record_property)


@pytest.mark.generated
def test_tools_run_once_in_killed_processes_over_files(record_property: Property, tmp_path: Path) -> None:
    ran = run(f"json:{tmp_path}/sessions", tmp_path)
    assert_ran_once("tools, files", ran, record_property)


def kills(began: dict[str, int], *events: HistoryEvent) -> ToolKills:
    history = History(now=lambda: 0.0)
    for event in events:
        history.add(event)
    return ToolKills(history, Counter(began), Counter())


def test_a_run_that_began_twice_is_found_unless_it_may_be_repeated() -> None:
    called = ToolCalled(0.0, 1, "call 1", "place_order", "{}", "k", "id")
    assert kills({"k": 2}, called).ran_again == ["k"]
    assert kills({"k": 1}, called).ran_again == []
    assert kills({"k": 2}, replace(called, repeatable=True)).ran_again == []


def test_the_results_of_runs_that_were_killed_are_found() -> None:
    called = ToolCalled(0.0, 1, "call 1", "place_order", "{}", "k", "id")
    asked = ModelAsked(0.0, "2", "אמירה 7001", "7001", tool_results=(("id", "done"), ("other", "x")))
    assert kills({"k": 1}, called, asked).killed_results == ["done"]
    assert kills({}, called, asked).killed_results == []
