from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.broken_agents import AsksTwiceOnRerun, ByHand, ForgetsToSpeak
from tests.property.faults.broken_tools import RunsSlowToolsAgain, WithRunner
from tests.property.faults.handwritten_agent import Agent
from tests.property.faults.replay_apps import forgetful, speaks_before_it_remembers
from tests.property.machine_settings import machine_settings
from yemot_ai_testing.property import CallMachine, Calls, EchoProvider, ViolationError
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

ROOT = Path(__file__).parents[3]


class OneCall(CallMachine):
    """Dials once: a call that has ended before another one is dialled is not removed by shrinking."""

    dials = None  # type: ignore[assignment]  # Hypothesis finds no rule


class AsksTwice(OneCall, ByHand):
    agent = AsksTwiceOnRerun
    replay_app = "tests.property.faults.replay_apps:asks_twice"


class SaysNothing(OneCall, ByHand):
    agent = ForgetsToSpeak
    replay_app = "tests.property.faults.replay_apps:forgets_to_speak"


class Forgetful(OneCall):
    replay_app = "tests.property.faults.replay_apps:forgetful"

    def make_app(self, provider: EchoProvider) -> object:
        return forgetful(provider)


class Racing(OneCall):
    """Its tasks must run in one rare order: as they come, they never fail."""

    replay_app = "tests.property.faults.replay_apps:speaks_before_it_remembers"

    def make_app(self, provider: EchoProvider) -> object:
        return speaks_before_it_remembers(provider)


def find_counterexample(machine: type[CallMachine], folder: Path) -> tuple[Path, ViolationError]:
    """Run the machine until it has found and shrunk its fault."""
    writing = type(machine.__name__, (machine,), {"counterexample_folder": folder})
    with pytest.raises(ViolationError) as caught:
        run_state_machine_as_test(writing, settings=machine_settings(80, 8, shrinks=True))
    kind = caught.value.violations[0].kind.replace("_", "-")
    return next(folder.glob(f"*-{kind}.call.yaml")), caught.value


class RunsTwice(OneCall, WithRunner):
    runner = RunsSlowToolsAgain


def test_a_counterexample_has_the_calls_of_the_model(tmp_path: Path) -> None:
    path, _ = find_counterexample(RunsTwice, tmp_path)
    (scenario,) = load(path).scenarios
    steps = [step for turn in scenario.turns for step in turn.agent]
    assert Calls(("place_order",), ({"order": "אמירה 7001"},)) in steps
    assert "in call 1 each run of a tool took " in path.read_text(encoding="utf-8")


def replay(path: Path, app: str) -> list[ScenarioResult]:
    results = []
    for scenario in load(path).scenarios:
        with open_target(RunSettings(app=app), scenario.app) as target:
            results.append(play_scenario(scenario, target))
    return results


@pytest.mark.parametrize(
    ("machine", "fixed", "turns"),
    [
        (AsksTwice, "tests.property.faults.replay_apps:fixed", 2),
        (SaysNothing, "tests.property.faults.replay_apps:fixed", 3),
        (Forgetful, "tests.property.faults.replay_apps:attentive", 2),
    ],
)
def test_a_counterexample_fails_with_the_fault_and_passes_without(
    machine: type[CallMachine], fixed: str, turns: int, tmp_path: Path
) -> None:
    path, _ = find_counterexample(machine, tmp_path)
    assert machine.replay_app is not None
    (scenario,) = load(path).scenarios
    assert len(scenario.turns) <= turns
    assert [result.failure is None for result in replay(path, machine.replay_app)] == [False]
    assert [result.failure for result in replay(path, fixed)] == [None]


def test_the_file_has_the_trace_and_a_command_that_replays_it(tmp_path: Path) -> None:
    path, error = find_counterexample(AsksTwice, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {error.violations[0].kind}: {error.violations[0].message}\n")
    (command,) = re.findall(r"# Replay: (.*)", text)
    run = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "-p", "no:cacheprovider", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 failed" in run.stdout


def test_a_race_is_replayed_in_its_order_twenty_times_of_twenty(tmp_path: Path) -> None:
    path, _ = find_counterexample(Racing, tmp_path)
    (scenario,) = load(path).scenarios
    assert Racing.replay_app is not None
    replayed = [replay(path, Racing.replay_app) for _ in range(20)]

    assert f"# Order of tasks: {scenario.order}\n" in path.read_text(encoding="utf-8")
    assert scenario.order is not None
    assert {len(result.turns) for (result,) in replayed} == {1}
    assert {str(result.failure) for (result,) in replayed} == {str(replayed[0][0].failure)}
    assert replayed[0][0].failure is not None


def test_a_race_is_gone_in_the_application_without_it(tmp_path: Path) -> None:
    path, _ = find_counterexample(Racing, tmp_path)
    (result,) = replay(path, "tests.property.faults.replay_apps:remembers_before_it_speaks")
    assert result.failure is None


def test_a_machine_that_orders_no_tasks_misses_the_race() -> None:
    unordered = type("Unordered", (Racing,), {"orders_tasks": False})
    run_state_machine_as_test(unordered, settings=machine_settings(40, 8))


def test_what_a_scenario_cannot_express_is_listed(tmp_path: Path) -> None:
    class Forgets(ByHand):
        agent = Agent
        restarts_workers = True

    path, _ = find_counterexample(Forgets, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "#   in call 1 the worker was replaced\n" in text
    assert " --yemot-app=MODULE:FACTORY" in text
