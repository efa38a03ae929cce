"""Write a call that was made by hand as a scenario."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from yemot_ai.errors import ToolNotConfirmedError
from yemot_ai_testing.doubles.steps import FAILURE_KINDS, Answer, Calls, Crash, Failure, FailureKind, Step
from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.phone.call import Performed, PhoneCall
from yemot_ai_testing.phone.target import PhoneTarget, RecordedTurn
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import SCENARIO_SUFFIX
from yemot_ai_testing.scenario.format.model import (
    VERBS,
    CallerAction,
    CallerSpec,
    CallFile,
    Expectation,
    ExpectedLeftovers,
    ExpectedTool,
    Scenario,
    ScenarioTurn,
    SourceLocation,
    VerbName,
)
from yemot_ai_testing.scenario.play.tools.runs import ToolRun

__all__ = ["NothingToSaveError", "save_call", "scenario_of"]

SHORTEST_WAIT: Final = 1.0
"""Seconds; a model that answers sooner needs no ``after``."""


class NothingToSaveError(ToolkitError):
    """A call of which no scenario can be made, or a name that cannot be a file's."""


def save_call(target: PhoneTarget, call: PhoneCall, name: str, folder: Path = Path()) -> Path:
    """Write a call as ``NAME.call.yaml``.

    Args:
        target: what was called.
        call: the call; it may still run.
        name: the name of the scenario, and of its file.
        folder: where the file is written.

    Returns:
        The path of the file.

    Raises:
        NothingToSaveError: the name is empty or has a folder, there is such a file, or nothing was heard.
        OSError: the file cannot be written.
    """
    stem = name.strip().removesuffix(SCENARIO_SUFFIX)
    if not stem or Path(stem).name != stem:
        raise NothingToSaveError(f"{name!r} is no name of a file: write a word, such as order")
    path = folder / f"{stem}{SCENARIO_SUFFIX}"
    if not call.performed:
        raise NothingToSaveError("there is nothing to save: the line has not answered yet")
    text = dumps(CallFile(path, stem, (scenario_of(target, call, stem),)))
    head = "".join(f"# {line}\n" for line in _remarks(target, call))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(head + text)
    except FileExistsError as error:
        raise NothingToSaveError(f"{path} is there already: choose another name") from error
    return path


def scenario_of(target: PhoneTarget, call: PhoneCall, name: str) -> Scenario:
    """Return the scenario of a call; see ``save_call``."""
    location = SourceLocation(Path(f"{name}{SCENARIO_SUFFIX}"), 1, 1)
    performed = [one for one in call.performed if _is_expressible(one)]
    turns_of_model = target.turns_of(call.caller.call_id)
    steps = _steps_by_command(performed, turns_of_model, call.tools.calls)
    turns = tuple(
        ScenarioTurn(location, action=_action(one), hears=_expectation(one), agent=tuple(steps[number]))
        for number, one in enumerate(performed)
    )
    caller = call.caller
    spec = CallerSpec(caller.phone, call.dialled)
    app = target.name if ":" in target.name and "://" not in target.name else None
    return Scenario(
        name, location, turns, app, spec, _afterwards(location, call.tools.calls), tools=call.replaced_tools
    )


def _afterwards(location: SourceLocation, tools: Sequence[ToolRun]) -> ExpectedLeftovers | None:
    """Return which tools have run, in order; None if the model has called none."""
    if not tools:
        return None
    ran = tuple(ExpectedTool(run.name, _arguments(run)) for run in tools if run.has_run)
    return ExpectedLeftovers(location, {}, ran)


def _arguments(run: ToolRun) -> Mapping[str, Any]:
    return run.arguments if isinstance(run.arguments, Mapping) else {}


def _is_expressible(performed: Performed) -> bool:
    verb = "" if performed.command is None else performed.command.verb
    return not performed.error and (not verb or verb in VERBS)


def _action(performed: Performed) -> CallerAction | None:
    command = performed.command
    if command is None:
        return None
    text = command.text if command.verb in {"says", "presses"} else ""
    return CallerAction(cast("VerbName", command.verb), text)


def _expectation(performed: Performed) -> Expectation | None:
    """Return what was heard: each sentence once, because how often a line says "one moment" is chance."""
    sentences = tuple(dict.fromkeys(performed.sentences))
    hung_up = performed.command is not None and performed.command.verb == "hangs_up"
    ends = True if performed.ended and not hung_up else None
    read = {"mode": performed.asks} if performed.asks else None
    if not sentences and read is None and ends is None:
        return None
    return Expectation(contains=sentences, read=read, ends=ends)


def _steps_by_command(
    performed: Sequence[Performed], turns: Sequence[RecordedTurn], tools: Sequence[ToolRun]
) -> list[list[Step]]:
    """Return the steps of the model after each command, in order."""
    steps: list[list[Step]] = [[] for _ in performed]
    for turn in turns:
        number = _command_of(performed, turn)
        if number is not None:
            steps[number] += _steps(turn, tools)
    return steps


def _steps(recorded: RecordedTurn, tools: Sequence[ToolRun]) -> Iterator[Step]:
    """Yield the steps of one turn: the messages that call tools, then what the model says."""
    asked = [run for run in tools if run.failure == ToolNotConfirmedError.kind]
    own = [run for run in tools if run.turn_id.startswith(f"{recorded.turn.id}.")]
    called = [run for run in own if run in asked or not any(_is_same_call(run, one) for one in asked)]
    for _, runs in itertools.groupby(called, key=lambda run: run.use and run.use.round):
        yield _calls(list(runs))
    if not any(run in asked for run in own):  # else the question of the tool was the answer
        yield _step(recorded)


def _is_same_call(run: ToolRun, asked: ToolRun) -> bool:
    """Return whether a run is that of a call for which the caller was asked before."""
    return (run.name, run.arguments, run.use and run.use.call_id) == (
        asked.name,
        asked.arguments,
        asked.use and asked.use.call_id,
    )


def _calls(runs: Sequence[ToolRun]) -> Calls:
    arguments = tuple(map(_arguments, runs))
    return Calls(tuple(run.name for run in runs), arguments if any(arguments) else ())


def _command_of(performed: Sequence[Performed], turn: RecordedTurn) -> int | None:
    """Return the command after which the model was asked: the one with its words, else the last before."""
    before = [number for number, one in enumerate(performed) if one.began <= turn.asked_at]
    said = [number for number in before if _says(performed[number], turn.turn.text)]
    return said[-1] if said else before[-1] if before else None


def _says(performed: Performed, text: str) -> bool:
    command = performed.command
    return command is not None and bool(command.text) and command.text == text


def _step(recorded: RecordedTurn) -> Step:
    turn = recorded.turn
    after = round(turn.duration) if turn.duration >= SHORTEST_WAIT else 0.0
    if turn.failure is None:
        return Answer((turn.answer,), after)
    kind = turn.failure.kind
    return Failure(cast("FailureKind", kind), after=after) if kind in FAILURE_KINDS else Crash()


def _remarks(target: PhoneTarget, call: PhoneCall) -> Iterator[str]:
    """Yield what the scenario cannot say."""
    left_out = [one.command for one in call.performed if one.command and one.command.verb not in VERBS]
    for command in left_out:
        yield f"left out, because a scenario has no such action: {command}"
    if ":" not in target.name or "://" in target.name:
        yield f"called: {target.name}; play it with --yemot-url=URL or write serve: or app:"
    if not target.turns_of(call.caller.call_id):
        yield "what the model answered is not known: add agent: where the application asks one"
