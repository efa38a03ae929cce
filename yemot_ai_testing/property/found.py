"""What a machine has found, as a scenario that anybody can play again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yemot_ai_testing.history.violation import Violation
from yemot_ai_testing.property.talk import NOWHERE, Talk
from yemot_ai_testing.scenario.emitter import dumps
from yemot_ai_testing.scenario.loader import SUFFIX
from yemot_ai_testing.scenario.model import Action, Afterwards, CallerSpec, CallFile, Scenario, Turn

__all__ = ["Replay", "ViolationError", "write"]


class ViolationError(AssertionError):
    """An evening of calls went as it may not go.

    Attributes:
        violations: what was wrong, in the order in which it happened.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(f"{violations[0]}")


@dataclass(frozen=True, slots=True)
class Replay:
    """Which application plays it again.

    Attributes:
        app: ``module:attr`` of a factory; None where nobody has said.
        extension: where callers dial in.
        counts: whether it can be counted how often its model was asked.
    """

    app: str | None
    extension: str
    counts: bool


def write(folder: Path, machine: str, violation: Violation, talks: Sequence[Talk], replay: Replay) -> Path:
    """Write the calls of a machine down; one file a machine and kind of violation, the newest stays.

    Args:
        folder: where to.
        machine: its name.
        violation: what was found.
        talks: the calls, in the order in which they were dialled.
        replay: the application, for whoever plays it again.

    Returns:
        The file.
    """
    slug = f"{_words(machine)}-{violation.kind.replace('_', '-')}"
    path = folder / f"{slug}{SUFFIX}"
    scenarios = tuple(_scenario(number, talk, replay) for number, talk in enumerate(talks, 1))
    folder.mkdir(parents=True, exist_ok=True)
    text = dumps(CallFile(path, slug, scenarios))
    path.write_text("".join(_head(path, violation, talks, replay.app)) + text, encoding="utf-8")
    return path


def _scenario(number: int, talk: Talk, replay: Replay) -> Scenario:
    turns = talk.turns or [Turn(NOWHERE, action=Action("hangs_up"))]
    asked = sum(turn.action is not None and bool(talk.said) and _speaks(turn, talk) for turn in turns)
    afterwards = Afterwards(NOWHERE, {"agent_turns": asked}) if replay.counts else None
    caller = CallerSpec(extension=replay.extension)
    return Scenario(f"call {number}", NOWHERE, tuple(turns), replay.app, caller, afterwards)


def _speaks(turn: Turn, talk: Talk) -> bool:
    return turn.action is not None and any(mark in turn.action.text for mark in talk.said)


def _head(path: Path, violation: Violation, talks: Sequence[Talk], app: str | None) -> Iterator[str]:
    where = "" if app else " --yemot-app=MODULE:FACTORY"
    yield f"# {violation.kind}: {violation.message}\n"
    yield f"# Play it again: pytest --yemot-scenario={path}{where}\n#\n"
    for line in violation.story:
        yield f"# {line}\n"
    for number, talk in enumerate(talks, 1):
        for what in dict.fromkeys(talk.unsaid):
            yield f"# Not in this scenario, for none can say it: in call {number} {what}.\n"
    if len(talks) > 1:
        yield "# The calls overlapped; here they come one after the other.\n"


def _words(name: str) -> str:
    return "-".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)).lower()
