from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.broken_agents import AsksTwiceOnRerun, ByHand, ForgetsToSpeak
from tests.property.faults.handwritten_agent import Agent
from tests.property.faults.replay_apps import absent_minded
from yemot_ai_testing.property import CallMachine, EchoProvider, ViolationError
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

ROOT = Path(__file__).parents[3]
SETTINGS = settings(
    max_examples=40,
    stateful_step_count=8,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
)


class AsksTwice(ByHand):
    agent = AsksTwiceOnRerun
    replay_app = "tests.property.faults.replay_apps:asks_twice"


class SaysNothing(ByHand):
    agent = ForgetsToSpeak
    replay_app = "tests.property.faults.replay_apps:forgets_to_speak"


class AbsentMinded(CallMachine):
    replay_app = "tests.property.faults.replay_apps:absent"

    def make_app(self, provider: EchoProvider) -> object:
        return absent_minded(provider)


def found(machine: type[CallMachine], folder: Path) -> tuple[Path, ViolationError]:
    """Let the machine find its fault, and shrink it."""
    kept = type(machine.__name__, (machine,), {"found": folder})
    with pytest.raises(ViolationError) as caught:
        run_state_machine_as_test(kept, settings=SETTINGS)
    kind = caught.value.violations[0].kind.replace("_", "-")
    return next(folder.glob(f"*-{kind}.call.yaml")), caught.value


def played(path: Path, app: str) -> list[ScenarioResult]:
    outcomes = []
    for scenario in load(path).scenarios:
        with open_target(RunSettings(app=app), scenario.app) as stage:
            outcomes.append(play(scenario, stage))
    return outcomes


@pytest.mark.parametrize(
    ("machine", "mended", "turns"),
    [
        (AsksTwice, "tests.property.faults.replay_apps:mended", 2),
        (SaysNothing, "tests.property.faults.replay_apps:mended", 3),
        (AbsentMinded, "tests.property.faults.replay_apps:present", 2),
    ],
)
def test_what_was_found_fails_when_played_again_and_passes_once_it_is_mended(
    machine: type[CallMachine], mended: str, turns: int, tmp_path: Path
) -> None:
    path, _ = found(machine, tmp_path)
    assert machine.replay_app is not None
    (scenario,) = load(path).scenarios
    assert len(scenario.turns) <= turns
    assert [outcome.failure is None for outcome in played(path, machine.replay_app)] == [False]
    assert [outcome.failure for outcome in played(path, mended)] == [None]


def test_the_file_tells_the_story_and_the_one_command_that_plays_it_again(tmp_path: Path) -> None:
    path, error = found(AsksTwice, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {error.violations[0].kind}: {error.violations[0].message}\n")
    (command,) = re.findall(r"# Play it again: (.*)", text)
    run = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "-p", "no:cacheprovider", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 failed" in run.stdout


def test_what_no_scenario_can_say_is_told(tmp_path: Path) -> None:
    class Forgets(ByHand):
        agent = Agent
        restarts_workers = True

    path, _ = found(Forgets, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "#   in call 1 the worker was replaced\n" in text
    assert " --yemot-app=MODULE:FACTORY" in text
