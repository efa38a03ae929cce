"""``agent:``, the steps of the model in a turn: read as steps of a double's script, and written again.

What a step looks like is derived from ``STEP_SYNTAX``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from yemot_ai_testing.doubles.steps import STEP_SYNTAX, Calls, Step
from yemot_ai_testing.scenario.format.durations import parse_duration

__all__ = ["DELAYED_OUTCOMES", "OUTCOMES", "parse_agent_steps", "step_mapping"]

OUTCOMES: Final = tuple(syntax.key for syntax in STEP_SYNTAX)
DELAYED_OUTCOMES: Final = tuple(syntax.key for syntax in STEP_SYNTAX if syntax.delayed)


def parse_agent_steps(agent: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> tuple[Step, ...]:
    """Return the steps of a turn, one for each model call: of a list, and what comes ``then``."""
    return tuple(_iterate_steps(agent))


def _iterate_steps(agent: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> Iterator[Step]:
    for values in agent if isinstance(agent, tuple) else (agent,):
        yield _parse_step(values)
        yield from _iterate_steps(values.get("then", ()))


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
    if syntax.step(**written) != step or _has_raw_arguments(step):
        raise ValueError(f"a scenario file cannot express {step!r}")
    default = {one.name: one.default for one in fields(syntax.step)}
    beside = {
        key: _plain(written[name]) for key, name in syntax.beside.items() if written[name] != default[name]
    }
    if syntax.value:
        mapping = {syntax.key: _plain(written[syntax.value]), **beside}
        return _one_call(mapping) if isinstance(step, Calls) and len(step.tools) == 1 else mapping
    return {syntax.key: {name: written[name] for name in syntax.mapping} or True, **beside}


def _has_raw_arguments(step: Step) -> bool:
    return isinstance(step, Calls) and any(isinstance(one, str) for one in step.arguments)


def _one_call(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mapping of a step with one call, whose tool and arguments are no lists then."""
    return {key: value[0] if isinstance(value, list) else value for key, value in mapping.items()}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
