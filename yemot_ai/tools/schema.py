"""The JSON schema of a function's arguments, from its type hints and its docstring; needs pydantic.

>>> def order_status(id: int, detailed: bool = False) -> str:
...     '''Return the status of an order.
...
...     Args:
...         id: the number of the order, which the caller says.
...     '''
...     return "ready"
>>> signature = read_signature(order_status)
>>> signature.description
'Return the status of an order.'
>>> signature.schema["properties"]["id"]
{'description': 'the number of the order, which the caller says.', 'type': 'integer'}
>>> signature.schema["required"]
['id']
>>> signature.parse('{"id": "7"}')
{'id': 7}
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

from yemot_ai.errors import ConfigurationError, MissingExtraError
from yemot_ai.errors.source_place import function_name, function_place
from yemot_ai.tools.context import ToolContext

__all__ = ["ArgumentsError", "Signature", "read_signature"]

CONTEXT_PARAMETER: Final = "call"
"""The name of a first parameter that gets the ``ToolContext``; the model does not see it."""

MAX_PROBLEMS: Final = 5
"""Wrong arguments that the model gets to know."""

MAX_PARAMETER_NAME: Final = 64
"""Characters; Anthropic refuses a request with a longer one, or with other than Latin letters."""

_SECTION: Final = re.compile(
    r"^(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):\s*$", re.MULTILINE
)
_ARGUMENT: Final = re.compile(r"^\s*\**(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


class ArgumentsError(Exception):
    """The model's arguments do not fit; the message is for the model."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model, and the caller of the function, have to know of it.

    Attributes:
        description: what the function does, of its docstring.
        schema: the JSON schema of the arguments.
        defaults: the values of the arguments that the model may leave out.
        takes_context: whether the first parameter gets the ``ToolContext``.
        adapter: pydantic's validator of the arguments.
    """

    description: str
    schema: Mapping[str, Any]
    defaults: Mapping[str, Any]
    takes_context: bool
    adapter: Any

    def parse(self, arguments: str) -> dict[str, Any]:
        """Return the arguments that a model has written as JSON, converted to the hinted types.

        Raises:
            ArgumentsError: they do not fit.
            Exception: what a validator of the developer has raised.
        """
        from pydantic import ValidationError  # noqa: PLC0415 - an extra

        written = arguments.strip()
        if not written or (written == "null" and not self.schema["required"]):
            written = "{}"  # as models write no arguments
        try:
            parsed: dict[str, Any] = self.adapter.validate_json(written)
        except ValidationError as error:
            problems = [
                ": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"])))
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            ]
            raise ArgumentsError("; ".join(problems[:MAX_PROBLEMS])) from None
        return parsed


def read_signature(function: Callable[..., Any]) -> Signature:
    """Read the hints and the docstring of a function.

    Raises:
        ConfigurationError: a model cannot call it: no docstring, a parameter without a hint, ``*args``.
        MissingExtraError: pydantic is not installed.
    """
    parameters = _parameters(function)
    takes_context = bool(parameters) and parameters[0].name == CONTEXT_PARAMETER
    own = parameters[1:] if takes_context else parameters
    hints = _hints(function)
    if takes_context and not _may_be_context(hints.get(CONTEXT_PARAMETER, ToolContext)):
        what = f"a first parameter named {CONTEXT_PARAMETER} gets the ToolContext, and not what it hints at"
        raise _error(function, f"cannot be called: {what}: name an argument of the model otherwise")
    for parameter in own:
        _check_parameter(function, parameter, hints)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise _error(function, "yields: return the result")
    description, texts = _read_docstring(_docstring(function))
    if not description:
        raise _error(function, "needs a docstring: the model learns from it what the tool does")
    other = next((name for name in texts if name not in {each.name for each in parameters}), "")
    if other:
        raise _error(function, f"describes {other} under Args:, which is no parameter")
    adapter = _adapter(function, own, hints, texts)
    defaults = {each.name: each.default for each in own if each.default is not each.empty}
    return Signature(description, _schema(adapter, defaults), defaults, takes_context, adapter)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters that a call gives; the model does not see what a partial has given already."""
    given: Mapping[str, Any] = {}
    if isinstance(function, functools.partial):
        # As a new one, because ``update_wrapper`` lets a partial look like its function.
        function, given = (
            functools.partial(function.func, *function.args, **function.keywords),
            function.keywords,
        )
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{function!r} is no function that a model can call ({error})") from error
    return [each for each in parameters if each.name not in given]


def _code(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what has the hints: the function of a partial, or ``__call__`` of an object."""
    if isinstance(function, functools.partial):
        return _code(function.func)
    call: Callable[..., Any] = type(function).__call__
    return function if inspect.isroutine(function) else call


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(_code(function), include_extras=True)
    except (NameError, TypeError) as error:
        raise _error(function, f"has a type hint that cannot be resolved ({error})") from error


def _docstring(function: Callable[..., Any]) -> str:
    """Return the docstring of the code that runs, not that of the class of a partial or another object."""
    if inspect.isroutine(function):
        return inspect.getdoc(function) or ""
    own = vars(function).get("__doc__") if hasattr(function, "__dict__") else None
    if not own and isinstance(function, functools.partial):
        return _docstring(function.func)
    return inspect.cleandoc(own or _code(function).__doc__ or type(function).__doc__ or "")


def _may_be_context(hint: object) -> bool:
    is_other_class = isinstance(hint, type) and not getattr(hint, "_is_protocol", False)
    return not is_other_class or issubclass(ToolContext, hint)  # type: ignore[arg-type]  # a class, as checked


def _check_parameter(
    function: Callable[..., Any], parameter: inspect.Parameter, hints: Mapping[str, Any]
) -> None:
    name = parameter.name
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY}:
        what = "in a place where a model cannot give an argument by name: write each parameter with its name"
        raise _error(function, f"has {name!r} {what}")
    if name in {"self", "cls"} and name not in hints:
        what = "is a method of a class: give that of an object, such as orders.status"
        raise _error(function, f"{what}; with options: tool(…)(orders.status)")
    if name not in hints:
        raise _error(function, f"has {name} without a type hint: write {name}: str, or its type")
    if not name.isascii() or len(name) > MAX_PARAMETER_NAME:
        what = f"Latin letters, at most {MAX_PARAMETER_NAME}, because model services refuse others"
        raise _error(function, f"has {name!r}: name a parameter in {what}; its text under Args: is free")
    if hints[name] is ToolContext or name == CONTEXT_PARAMETER:
        raise _error(function, f"has {name} for the call: that is the first parameter, named call")


def _adapter(
    function: Callable[..., Any],
    parameters: list[inspect.Parameter],
    hints: Mapping[str, Any],
    texts: Mapping[str, str],
) -> Any:  # noqa: ANN401 - pydantic's TypeAdapter
    try:
        from pydantic import ConfigDict, Field, TypeAdapter  # noqa: PLC0415 - an extra
        from pydantic.errors import PydanticUserError  # noqa: PLC0415 - an extra
        from pydantic.fields import FieldInfo  # noqa: PLC0415 - an extra
        from typing_extensions import Annotated, NotRequired, TypedDict  # noqa: PLC0415, UP035 - pydantic needs these
    except ImportError as error:
        raise MissingExtraError(package="pydantic", extra="tools") from error

    # A TypedDict, because the fields of a BaseModel could not be named "schema" or "copy".
    fields = {}
    for parameter in parameters:
        hint = hints[parameter.name]
        if isinstance(parameter.default, FieldInfo):  # the function would get it as the argument
            name = parameter.name
            raise _error(function, f"has {name} = Field(…): write {name}: Annotated[…, Field(…)]")
        if text := texts.get(parameter.name):
            hint = Annotated[hint, Field(description=text)]
        fields[parameter.name] = hint if parameter.default is parameter.empty else NotRequired[hint]
    arguments = TypedDict("arguments", fields)  # type: ignore[misc]  # of the developer's parameters
    arguments.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]  # pydantic reads it
    try:
        adapter = TypeAdapter(arguments)
        adapter.json_schema()
    except (PydanticUserError, TypeError) as error:
        first = str(error).partition("\n")[0]
        raise _error(function, f"has a parameter that JSON cannot represent ({first})") from error
    return adapter


def _schema(adapter: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - as above
    schema: dict[str, Any] = _without_titles(adapter.json_schema())
    schema.setdefault("properties", {})
    schema.setdefault("required", [])
    for name, default in defaults.items():
        if _is_json(default):
            schema["properties"][name]["default"] = default
    return schema


def _without_titles(schema: Any) -> Any:  # noqa: ANN401 - a part of a JSON schema
    """Return a schema without the titles that pydantic makes of the names: they cost tokens only."""
    if isinstance(schema, list):
        return [_without_titles(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_titles(part) for name, part in value.items()}
        if key in {"properties", "$defs"}
        else _without_titles(value)
        for key, value in schema.items()
        if key != "title"
    }


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)  # an infinite default cannot be sent
    except (TypeError, ValueError):
        return False
    return True


def _read_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """Return the text before the first section, and the text of each argument under ``Args:``."""
    parts = _SECTION.split(docstring)
    texts: dict[str, str] = {}
    for title, section in zip(parts[1::2], parts[2::2], strict=True):
        if title in {"Args", "Arguments", "Parameters"}:
            texts |= _read_arguments(section)
    return parts[0].strip(), texts


def _read_arguments(section: str) -> dict[str, str]:
    lines = [line for line in section.splitlines() if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    texts: dict[str, str] = {}
    name = ""
    for line in lines:
        found = _ARGUMENT.match(line) if len(line) - len(line.lstrip()) == indent else None
        if found:
            name = found[1]
            texts[name] = found[2].strip()
        elif name:
            texts[name] = f"{texts[name]} {line.strip()}".strip()
    return texts


def _error(function: Callable[..., Any], what: str) -> ConfigurationError:
    name = getattr(function, "__name__", None) or function_name(function)
    return ConfigurationError(f"the tool {name} {what}", place=function_place(function))
