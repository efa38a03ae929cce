"""Write a counterexample of a call machine as a scenario file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from yemot_ai_testing.doubles.steps import Answer, Drop, Hang, Step
from yemot_ai_testing.history.trace import one_line
from yemot_ai_testing.history.violation import Violation
from yemot_ai_testing.property.machine_call import NO_LOCATION, MachineCall
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import SCENARIO_SUFFIX
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    CallerSpec,
    CallFile,
    Expectation,
    ExpectedLeftovers,
    Scenario,
    ScenarioTurn,
    ServerCommand,
)

__all__ = ["ReplayTarget", "ViolationError", "attach_counterexample", "write_counterexample"]

WRONG_ANSWER_KINDS = frozenset({"stale", "crossed_calls"})
"""Kinds of violations in which a caller hears an answer to another utterance."""


class ViolationError(AssertionError):
    """The history of a call machine has violations.

    Attributes:
        violations: the violations, in the order in which they happened.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(f"{violations[0]}")


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """The application that the scenario file calls.

    Attributes:
        app: ``module:attr`` of a factory, or a server to start; None if the machine has no ``replay_app``.
        extension: the extension that callers dial.
        has_provider: whether a scenario can script the model and count its calls.
        order: the order of tasks in which it was found; None if they ran as they came.
    """

    app: str | ServerCommand | None
    extension: str
    has_provider: bool
    order: str | None = None


def attach_counterexample(
    error: ViolationError, folder: Path, machine: str, calls: Sequence[MachineCall], target: ReplayTarget
) -> ViolationError:
    """Write the counterexample, and add its path to the error as a note; an ``OSError`` becomes a note too.

    Args:
        error: the violations.
        folder: the folder of the file.
        machine: the name of the machine.
        calls: the calls, in the order in which they were dialled.
        target: the application that the scenario calls.
    """
    try:
        path = write_counterexample(folder, machine, error.violations[0], calls, target)
    except OSError as problem:
        error.add_note(f"The counterexample could not be written to {folder}: {problem}")
    else:
        error.add_note(f"Counterexample written to {path}, with the command that replays it.")
    return error


def write_counterexample(
    folder: Path, machine: str, violation: Violation, calls: Sequence[MachineCall], target: ReplayTarget
) -> Path:
    """Write the calls of a machine as scenarios; a newer file of the same machine and kind replaces it.

    Args:
        folder: the folder of the file.
        machine: the name of the machine.
        violation: the violation.
        calls: the calls, in the order in which they were dialled.
        target: the application that the scenario calls.

    Returns:
        The path of the file.

    Raises:
        OSError: the file cannot be written.
    """
    slug = f"{_slug(machine)}-{violation.kind.replace('_', '-')}"
    path = folder / f"{slug}{SCENARIO_SUFFIX}"
    scenarios = tuple(
        _scenario(number, machine_call, target, violation) for number, machine_call in enumerate(calls, 1)
    )
    folder.mkdir(parents=True, exist_ok=True)
    text = dumps(CallFile(path, slug, scenarios))
    head = "".join(f"# {line}".rstrip() + "\n" for line in _header_comment(path, violation, calls, target))
    path.write_text(head + text, encoding="utf-8")
    return path


def _scenario(number: int, machine_call: MachineCall, replay: ReplayTarget, violation: Violation) -> Scenario:
    wrong = violation.utterance if violation.kind in WRONG_ANSWER_KINDS else ""
    ending = _ending_turns(machine_call) if violation.kind == "endless" else machine_call.turns
    turns = [_turn(turn, wrong) for turn in ending] or [
        ScenarioTurn(NO_LOCATION, action=CallerAction("hangs_up"))
    ]
    agent_turns = sum(
        turn.action is not None and bool(machine_call.utterance_ids) and _is_speech(turn, machine_call)
        for turn in turns
    )
    afterwards = ExpectedLeftovers(NO_LOCATION, {"agent_turns": agent_turns}) if replay.has_provider else None
    caller = CallerSpec(machine_call.caller.phone, replay.extension, machine_call.method)
    order = replay.order if replay.has_provider else None
    return Scenario(f"call {number}", NO_LOCATION, tuple(turns), replay.app, caller, afterwards, order=order)


def _ending_turns(machine_call: MachineCall) -> Sequence[ScenarioTurn]:
    """Return the turns until the silence that must end the call, in its last turn at the latest."""
    unended = machine_call.unended
    if unended is None:
        return machine_call.turns
    *silent, last = machine_call.turns[unended]
    may_end = [replace(turn, hears=Expectation(ends="maybe")) for turn in silent]
    return [*machine_call.turns[: unended.start], *may_end, replace(last, hears=Expectation(ends=True))]


def _turn(turn: ScenarioTurn, wrong: str) -> ScenarioTurn:
    """Return a turn that a scenario can express; ``wrong`` is the id of the utterance answered wrongly."""
    hears = turn.hears
    if wrong and hears is not None and hears.contains and wrong not in hears.contains:
        hears = replace(hears, excludes=(*hears.excludes, wrong))
    return replace(turn, agent=tuple(_expressible(step) for step in turn.agent), hears=hears)


def _expressible(step: Step) -> Step:
    """Return the step, or the nearest one that a scenario can express: scenarios have no streams."""
    match step:
        case Answer(pieces=pieces, after=after):
            return Answer(pieces, after)
        case Hang():
            return Hang()
        case Drop():
            return Drop()
    return step


def _is_speech(turn: ScenarioTurn, machine_call: MachineCall) -> bool:
    return turn.action is not None and any(one in turn.action.text for one in machine_call.utterance_ids)


def _header_comment(
    path: Path, violation: Violation, calls: Sequence[MachineCall], replay: ReplayTarget
) -> Iterator[str]:
    app_option = "" if replay.app else " --yemot-app=MODULE:FACTORY"
    yield one_line(f"{violation.kind}: {violation.message}")
    yield f"Replay: pytest --yemot-scenario={shlex.quote(str(path))}{app_option}"
    if replay.order is not None:
        yield f"Order of tasks: {replay.order}"
    yield ""
    yield from map(one_line, violation.trace)
    missing = tuple(_inexpressible(calls, replay))
    if missing:
        yield ""
        yield "This file may pass although the bug exists: only the test that found it replays it exactly."
        yield "A scenario cannot express:"
        yield from (f"  {what}" for what in missing)


def _inexpressible(calls: Sequence[MachineCall], replay: ReplayTarget) -> Iterator[str]:
    """Yield what happened that a scenario cannot express."""
    for number, machine_call in enumerate(calls, 1):
        for what in dict.fromkeys(machine_call.inexpressible):
            yield f"in call {number} {what}"
    steps = [step for machine_call in calls for turn in machine_call.turns for step in turn.agent]
    if any(_expressible(step) != step for step in steps):
        yield "the pace at which the model wrote"
    if steps and not replay.has_provider:
        yield "the steps of the model: the application has no provider that a scenario can script"
    if replay.order is not None and not replay.has_provider:
        yield "the order of tasks: the application has no provider whose engine can order them"
    if len(calls) > 1:
        yield "that the calls overlapped: scenarios run one after the other, each with its own application"


def _slug(name: str) -> str:
    return "-".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)).lower()
