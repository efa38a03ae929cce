"""``agent:``, the steps of the model in a turn: read as steps of a double's script, and written again.

What a step looks like is derived from ``STEP_SYNTAX``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from yemot_ai_testing.doubles.steps import STEP_SYNTAX, Step
from yemot_ai_testing.scenario.format.durations import parse_duration

__all__ = ["DELAYED_OUTCOMES", "OUTCOMES", "parse_agent_steps", "step_mapping"]

OUTCOMES: Final = tuple(syntax.key for syntax in STEP_SYNTAX)
DELAYED_OUTCOMES: Final = tuple(syntax.key for syntax in STEP_SYNTAX if syntax.delayed)


def parse_agent_steps(agent: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> tuple[Step, ...]:
    """Return the steps of a turn; a list in the file has one step for each model call."""
    return tuple(map(_parse_step, agent if isinstance(agent, tuple) else (agent,)))


def _parse_step(values: Mapping[str, Any]) -> Step:
    (syntax,) = (syntax for syntax in STEP_SYNTAX if syntax.key in values)
    value = values[syntax.key]
    written = {syntax.value: value} if syntax.value else {} if value is True else value
    written = {**written, **{name: values[key] for key, name in syntax.beside.items() if key in values}}
    return syntax.step(**{name: _parse_field(syntax.field_types[name], one) for name, one in written.items()})


def _parse_field(annotation: str, value: Any) -> Any:  # noqa: ANN401 - of the type of the field
    match annotation:
        case "tuple[str, ...]" | "tuple[ToolArguments, ...]":
            return value if isinstance(value, tuple) else (value,)
        case "float":
            return parse_duration(value) or 0.0
        case "int":
            return int(value)
    return value


def step_mapping(step: Step) -> Mapping[str, Any]:
    """Return the mapping that ``parse_agent_steps`` reads as ``step``; ``after`` is in seconds.

    Raises:
        ValueError: the file format cannot express it.
    """
    (syntax,) = (syntax for syntax in STEP_SYNTAX if syntax.step is type(step))
    written = {name: getattr(step, name) for name in syntax.written}
    if syntax.step(**written) != step:
        raise ValueError(f"a scenario file cannot express {step!r}")
    default = {one.name: one.default for one in fields(syntax.step)}
    beside = {
        key: _plain(written[name]) for key, name in syntax.beside.items() if written[name] != default[name]
    }
    if syntax.value:
        return {syntax.key: _plain(written[syntax.value]), **beside}
    return {syntax.key: {name: written[name] for name in syntax.mapping} or True, **beside}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
