"""Parse ``agent:``, the steps of the model in a turn, into steps of a double's script."""

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
    """Return the steps of a turn; a list in the file has one step for each model call."""
    if node is None:
        return ()
    return tuple(map(_parse_step, node.value if isinstance(node, yaml.SequenceNode) else [node]))


def _parse_step(node: yaml.Node) -> Step:
    values = mapping_values(node)
    after = parse_duration(values["after"].value) or 0.0 if "after" in values else 0.0
    (outcome,) = (key for key in OUTCOMES if key in values)
    match outcome:
        case "answers":
            return Answer(text_list(values["answers"]), after)
        case "transcribes":
            return Transcription(values["transcribes"].value, after)
        case "fails":
            return Failure(values["fails"].value, after=after)
        case "crash":
            crash = {key: value.value for key, value in mapping_values(values["crash"]).items()}
            return Crash(int(crash.get("exit", 1)), crash.get("stderr", ""))
    return FLAG_STEPS[outcome]()
