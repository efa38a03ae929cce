"""``agent:``: what the model does in a turn, in the vocabulary of the doubles."""

from __future__ import annotations

from typing import Final

import yaml

from yemot_ai_testing.doubles.script import (
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
from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.yaml_nodes import mapping_values, text_list

__all__ = ["DELAYED_OUTCOMES", "OUTCOMES", "parse_agent_steps"]

FLAG_STEPS: Final[dict[str, type[Hang | Drop | Malformed | UnknownSession | BusySession]]] = {
    "hangs": Hang,
    "drops": Drop,
    "malformed": Malformed,
    "unknown_session": UnknownSession,
    "busy_session": BusySession,
}
DELAYED_OUTCOMES: Final = ("answers", "transcribes", "fails")
OUTCOMES: Final = (
    *DELAYED_OUTCOMES,
    "hangs",
    "drops",
    "crash",
    "malformed",
    "unknown_session",
    "busy_session",
)


def parse_agent_steps(node: yaml.Node | None) -> tuple[Step, ...]:
    """Return one step, or several when the model is asked more than once in a turn."""
    if node is None:
        return ()
    return tuple(map(_parse_step, node.value if isinstance(node, yaml.SequenceNode) else [node]))


def _parse_step(node: yaml.Node) -> Step:
    found = mapping_values(node)
    after = parse_duration(found["after"].value) or 0.0 if "after" in found else 0.0
    (outcome,) = (word for word in OUTCOMES if word in found)
    match outcome:
        case "answers":
            return Answer(text_list(found["answers"]), after)
        case "transcribes":
            return Transcription(found["transcribes"].value, after)
        case "fails":
            return Failure(found["fails"].value, after=after)
        case "crash":
            told = {key: value.value for key, value in mapping_values(found["crash"]).items()}
            return Crash(int(told.get("exit", 1)), told.get("stderr", ""))
    return FLAG_STEPS[outcome]()
