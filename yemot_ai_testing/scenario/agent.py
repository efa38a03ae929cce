"""``agent:``: what the model does in a turn, in the vocabulary of the doubles."""

from __future__ import annotations

from functools import partial
from typing import Any

import yaml

from yemot_ai_testing.doubles.script import (
    FAILURES,
    Answer,
    BusySession,
    Crash,
    Drop,
    Failure,
    Hang,
    Malformed,
    Step,
    Transcription,
    UnknownSession,
)
from yemot_ai_testing.scenario.durations import duration
from yemot_ai_testing.scenario.nodes import MISSING, Mistakes

__all__ = ["CODEX_ONLY", "OUTCOMES", "read"]

CODEX_ONLY = (Crash, Malformed, UnknownSession, BusySession)
"""Steps that only a process can take."""

OUTCOMES = (
    "answers",
    "transcribes",
    "fails",
    "hangs",
    "drops",
    "crash",
    "malformed",
    "unknown_session",
    "busy_session",
)
LAGGARDS = ("answers", "transcribes", "fails")


def read(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - a tuple of steps or MISSING
    """Read one step, or a list of steps when the model is asked more than once in a turn."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    steps = [_step(mistakes, one) for one in nodes]
    return MISSING if MISSING in steps else tuple(steps)


def _step(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - a Step or MISSING
    readers = {
        "answers": partial(mistakes.texts, of="agent.answers"),
        "transcribes": partial(mistakes.text, of="agent.transcribes"),
        "after": partial(duration, mistakes, of="agent.after"),
        "fails": partial(mistakes.choice, words=FAILURES, of="agent.fails"),
        "crash": partial(_crash, mistakes),
        **{
            word: partial(mistakes.true, of=f"agent.{word}")
            for word in ("hangs", "drops", "malformed", "unknown_session", "busy_session")
        },
    }
    before = mistakes.count
    found = mistakes.mapping(node, readers, of="agent")
    outcomes = [word for word in OUTCOMES if word in found]
    if mistakes.count > before:
        return MISSING
    if len(outcomes) != 1:
        mistakes.add(
            node, f"agent needs one of {', '.join(OUTCOMES)}; a list of such steps is asked one by one"
        )
        return MISSING
    if "after" in found and outcomes[0] not in LAGGARDS:
        mistakes.add(node, f"after says how long the model thinks before one of {', '.join(LAGGARDS)}")
        return MISSING
    return _built(outcomes[0], found)


def _built(outcome: str, found: dict[str, Any]) -> Step:
    after = found.get("after", 0.0)
    match outcome:
        case "answers":
            return Answer(found["answers"], after)
        case "transcribes":
            return Transcription(found["transcribes"], after)
        case "fails":
            return Failure(found["fails"], after=after)
        case "crash":
            return Crash(**found["crash"])
    plain: dict[str, type[Hang | Drop | Malformed | UnknownSession | BusySession]] = {
        "hangs": Hang,
        "drops": Drop,
        "malformed": Malformed,
        "unknown_session": UnknownSession,
        "busy_session": BusySession,
    }
    return plain[outcome]()


def _crash(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - the fields of a Crash
    readers = {
        "exit": partial(mistakes.number, of="crash.exit"),
        "stderr": partial(mistakes.text, of="crash.stderr"),
    }
    return mistakes.mapping(node, readers, of="crash")
