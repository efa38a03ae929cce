"""What a machine has found, as a scenario that anybody can play again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from yemot_ai_testing.doubles.script import Answer, Drop, Hang, Step
from yemot_ai_testing.history.trace import one_line
from yemot_ai_testing.history.violation import Violation
from yemot_ai_testing.property.machine_call import NO_LOCATION, MachineCall
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import SCENARIO_SUFFIX
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    CallerSpec,
    CallFile,
    ExpectedLeftovers,
    Scenario,
    ScenarioTurn,
)

__all__ = ["ReplayTarget", "ViolationError", "attach_counterexample", "write_counterexample"]

WRONG_ANSWER_KINDS = frozenset({"stale", "crossed_calls"})
"""What is wrong about these is what is heard, beside what should be."""


class ViolationError(AssertionError):
    """An evening of calls went as it may not go.

    Attributes:
        violations: what was wrong, in the order in which it happened.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(f"{violations[0]}")


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """Which application plays it again.

    Attributes:
        app: ``module:attr`` of a factory; None where nobody has said.
        extension: where callers dial in.
        has_provider: whether a scenario finds its model: to tell it what to do, and to count what it is asked.
    """

    app: str | None
    extension: str
    has_provider: bool


def attach_counterexample(
    error: ViolationError, folder: Path, machine: str, calls: Sequence[MachineCall], target: ReplayTarget
) -> ViolationError:
    """Write what was found down, and tell where in a note; a failure to write hides nothing.

    Args:
        error: what was found.
        folder: where to.
        machine: its name.
        calls: the calls, in the order in which they were dialled.
        target: the application, for whoever plays it again.
    """
    try:
        path = write_counterexample(folder, machine, error.violations[0], calls, target)
    except OSError as problem:
        error.add_note(f"It could not be written to {folder}: {problem}")
    else:
        error.add_note(f"It is written down in {path}, with the command that plays it again.")
    return error


def write_counterexample(
    folder: Path, machine: str, violation: Violation, calls: Sequence[MachineCall], target: ReplayTarget
) -> Path:
    """Write the calls of a machine down; one file a machine and kind of violation, the newest stays.

    Args:
        folder: where to.
        machine: its name.
        violation: what was found.
        calls: the calls, in the order in which they were dialled.
        target: the application, for whoever plays it again.

    Returns:
        The file.

    Raises:
        OSError: it cannot be written there.
    """
    slug = f"{_slug(machine)}-{violation.kind.replace('_', '-')}"
    path = folder / f"{slug}{SCENARIO_SUFFIX}"
    wrong = violation.utterance if violation.kind in WRONG_ANSWER_KINDS else ""
    scenarios = tuple(_scenario(number, talk, target, wrong) for number, talk in enumerate(calls, 1))
    folder.mkdir(parents=True, exist_ok=True)
    text = dumps(CallFile(path, slug, scenarios))
    head = "".join(f"# {line}".rstrip() + "\n" for line in _header_comment(path, violation, calls, target))
    path.write_text(head + text, encoding="utf-8")
    return path


def _scenario(number: int, talk: MachineCall, replay: ReplayTarget, wrong: str) -> Scenario:
    turns = [_turn(turn, wrong) for turn in talk.turns] or [
        ScenarioTurn(NO_LOCATION, action=CallerAction("hangs_up"))
    ]
    asked = sum(
        turn.action is not None and bool(talk.utterance_ids) and _is_speech(turn, talk) for turn in turns
    )
    afterwards = ExpectedLeftovers(NO_LOCATION, {"agent_turns": asked}) if replay.has_provider else None
    caller = CallerSpec(phone=talk.caller.phone, extension=replay.extension)
    return Scenario(f"call {number}", NO_LOCATION, tuple(turns), replay.app, caller, afterwards)


def _turn(turn: ScenarioTurn, wrong: str) -> ScenarioTurn:
    """Return a turn as a scenario can say it; ``wrong`` is the mark of an answer that was heard wrongly."""
    hears = turn.hears
    if wrong and hears is not None and hears.contains and wrong not in hears.contains:
        hears = replace(hears, excludes=(*hears.excludes, wrong))
    return replace(turn, agent=tuple(_expressible(step) for step in turn.agent), hears=hears)


def _expressible(step: Step) -> Step:
    """Return the step, or the one next to it that a scenario has a word for: it knows no streams."""
    match step:
        case Answer(pieces=pieces, after=after):
            return Answer(pieces, after)
        case Hang():
            return Hang()
        case Drop():
            return Drop()
    return step


def _is_speech(turn: ScenarioTurn, talk: MachineCall) -> bool:
    return turn.action is not None and any(mark in turn.action.text for mark in talk.utterance_ids)


def _header_comment(
    path: Path, violation: Violation, calls: Sequence[MachineCall], replay: ReplayTarget
) -> Iterator[str]:
    where = "" if replay.app else " --yemot-app=MODULE:FACTORY"
    yield one_line(f"{violation.kind}: {violation.message}")
    yield f"Play it again: pytest --yemot-scenario={shlex.quote(str(path))}{where}"
    yield ""
    yield from map(one_line, violation.trace)
    unsaid = tuple(_inexpressible(calls, replay))
    if unsaid:
        yield ""
        yield "It may pass though the fault is there: the test that found it plays it exactly, this file"
        yield "only as far as a scenario can say it. Not in it is:"
        yield from (f"  {what}" for what in unsaid)


def _inexpressible(calls: Sequence[MachineCall], replay: ReplayTarget) -> Iterator[str]:
    """Iterate over what has happened that the scenario does not say."""
    for number, talk in enumerate(calls, 1):
        for what in dict.fromkeys(talk.inexpressible):
            yield f"in call {number} {what}"
    steps = [step for talk in calls for turn in talk.turns for step in turn.agent]
    if any(_expressible(step) != step for step in steps):
        yield "the pace at which the model wrote"
    if steps and not replay.has_provider:
        yield "what the model did: the application is no flow of ours, whose model could be told to"
    if len(calls) > 1:
        yield "that the calls overlapped: they come one after the other, each to an application of its own"


def _slug(name: str) -> str:
    return "-".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)).lower()
