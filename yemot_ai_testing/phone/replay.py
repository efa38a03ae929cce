"""Play a scenario on the phone, and hand the line over at the first turn that fails."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.phone.call import PhoneCall
from yemot_ai_testing.phone.command import PhoneCommand
from yemot_ai_testing.phone.target import PhoneTarget
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import Scenario, ScenarioTurn
from yemot_ai_testing.scenario.play.server_actions import ServerActions
from yemot_ai_testing.scenario.play.tools.runs import tools_of
from yemot_ai_testing.scenario.play.turn_run import TurnRun

__all__ = ["find_scenario", "replay"]


def find_scenario(text: str) -> Scenario:
    """Return the scenario that a person has named.

    Args:
        text: a file, whose first scenario counts; or ``FILE::NAME``.

    Raises:
        ScenarioLoadError: the file cannot be read, or has problems.
        AppError: it has no scenario of this name.
    """
    path, _, name = text.partition("::")
    if not path:
        raise AppError("name a file: replay FILE.call.yaml, or FILE.call.yaml::NAME")
    scenarios = load(Path(path)).scenarios
    found = [scenario for scenario in scenarios if not name or scenario.name == name]
    if not found:
        names = ", ".join(scenario.name for scenario in scenarios)
        raise AppError(f"{path} has no scenario {name!r}; it has {names}")
    return found[0]


def replay(
    target: PhoneTarget, scenario: Scenario, *, on_change: Callable[[], object] = lambda: None
) -> PhoneCall:
    """Begin to play a scenario; its turns follow one another in the thread of the call.

    After the turn that fails, or the last one, the call continues by hand; ``view().notice`` says which.

    Args:
        target: what is called; the scenario's own ``app`` does not count.
        scenario: the scenario; the model gets the steps of its turns.
        on_change: called after each turn, in its thread.

    Raises:
        AppError: the line has no such extension, a setting is invalid, or a tool that it replaces is missing.
    """
    spec = scenario.caller
    caller = target.caller(spec.phone, spec.extension, spec.method, dict(spec.line))
    tools = tools_of(scenario, target.app)
    call = PhoneCall(caller, dialled=spec.extension, on_change=on_change, dials=False, tools=tools)
    call.replaced_tools = scenario.tools
    call.play(_Replay(target, scenario, caller).turns())
    return call


class _Replay:
    """The turns of a scenario as what a call can do."""

    def __init__(self, target: PhoneTarget, scenario: Scenario, caller: Caller) -> None:
        self._target = target
        self._scenario = scenario
        self._caller = caller

    def turns(self) -> list[tuple[PhoneCommand | None, Callable[[], str]]]:
        """Return a command and its work for each turn; the work returns why it failed."""
        return [
            (_command(turn), lambda number=number, turn=turn: self._play(number, turn))  # type: ignore[misc]
            for number, turn in zip(itertools.count(1), self._scenario.turns, strict=False)
        ]

    def _play(self, number: int, turn: ScenarioTurn) -> str:
        caller = self._caller
        actions = ServerActions(self._target.app, lambda: caller.call_id)
        run = TurnRun(turn, caller, self._target.model, actions)
        run.run(dials=number == 1)
        messages = "; ".join(mismatch.message for mismatch in run.mismatches)
        return f"turn {number}, {turn.location}: {messages}" if messages else ""


def _command(turn: ScenarioTurn) -> PhoneCommand | None:
    return None if turn.action is None else PhoneCommand(turn.action.verb, turn.action.text)
