"""Declare a function as a tool.

>>> @tool(says="בודק במערכת")
... def order_status(id: int) -> str:
...     '''Return the status of an order.'''
...     return "ready"
>>> order_status.name, order_status.says
('order_status', 'בודק במערכת')
>>> order_status(7)
'ready'
"""

from __future__ import annotations

import enum
import functools
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Final, overload

from yemot_ai.errors import ConfigurationError, MissingExtraError, ToolError
from yemot_ai.errors.source_place import function_place
from yemot_ai.protocol import speakable
from yemot_ai.providers.values import ToolSpec
from yemot_ai.tools.schema import Signature, read_signature
from yemot_ai.validation import check_number, check_type

__all__ = ["Tool", "as_tool", "tool"]

DEFAULT_TIMEOUT: Final = 20.0
"""Seconds for one run."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The names that OpenAI, Anthropic and Gemini take."""

MAX_QUESTION: Final = 1_000
"""Characters of a question to the caller: what takes longer than two minutes is no question."""


@dataclass(frozen=True)
class Tool:
    """A function that the model may call; made by ``tool``.

    Attributes:
        function: the function.
        name: the name for the model.
        says: what the caller hears while a slow run takes its time; "" for the filler of the dialog.
        confirm: what the caller is asked before a run, with the arguments in braces; or "".
        timeout: seconds for one run.
        retry: whether another worker may run it again if a worker died in the middle of a run.
        signature: the schema of the arguments, and their validator.
    """

    function: Callable[..., Any]
    name: str
    says: str = ""
    confirm: str = ""
    timeout: float = DEFAULT_TIMEOUT
    retry: bool = False
    signature: Signature = field(repr=False, compare=False, kw_only=True)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the developer's own
        """Call the function, as a test or other code of the developer does."""
        return self.function(*args, **kwargs)

    @property
    def spec(self) -> ToolSpec:
        """What the model gets to know."""
        return ToolSpec(self.name, self.signature.description, self.signature.schema)

    def question(self, arguments: Mapping[str, Any]) -> str:
        """Return what the caller is asked before the run.

        Raises:
            ToolError: the arguments make it empty, or too long to be spoken.
        """
        text = _Question().vformat(self.confirm, (), {**self.signature.defaults, **arguments})
        if len(text) > MAX_QUESTION:
            raise ToolError(
                f"the question to the caller is too long: {len(text)} of {MAX_QUESTION} characters"
            )
        if not speakable(text):
            raise ToolError("the caller has to be asked first, and these arguments make no question")
        return text


class _Question(string.Formatter):
    """Writes arguments as a caller can hear them."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - an argument of any type
        if value is None:
            return ""
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(self.format_field(each, format_spec) for each in value)
        return format(value.value if isinstance(value, enum.Enum) else value, format_spec)


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    says: str | None = None,
    confirm: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: bool = False,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(  # noqa: PLR0913 - each is a public option
    function: Callable[..., Any] | None = None,
    /,
    *,
    says: str | None = None,
    confirm: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: bool = False,
    name: str | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function, ``def`` or ``async def``; a decorator, with or without options.

    The model learns what the tool does from the docstring, and its arguments from the type hints and from
    the section ``Args:``. A first parameter named ``call`` gets the ``ToolContext``. What the function
    returns goes to the model: a text, or a value that JSON can represent; None becomes "done". Raise
    ``ToolError("…")`` to give the model the reason why not.

    Args:
        function: the function.
        says: what the caller hears, once, while a run takes longer than the line can wait.
        confirm: a question to the caller, such as ``"לבטל את הזמנה {id}? לאישור הקישו 1"``: the tool
            runs only after the caller has said yes, or pressed 1.
        timeout: seconds for one run; after them it is cancelled, and the model learns that its result is
            unknown. A ``def`` cannot be cancelled and runs on in its thread.
        retry: run it again if a worker died in the middle of a run; only for functions that may run twice,
            such as a lookup. Otherwise the model learns that the result is unknown.
        name: the name for the model, instead of the function's.

    Raises:
        ConfigurationError: the function or an option cannot be meant.
        MissingExtraError: pydantic is not installed.
    """

    def declare(function: Callable[..., Any]) -> Tool:
        return _make_tool(function, says=says, confirm=confirm, timeout=timeout, retry=retry, name=name)

    return declare if function is None else declare(function)


def as_tool(value: object) -> Tool:
    """Return a tool, or the tool of a function without options.

    Raises:
        ConfigurationError: it is neither.
    """
    if isinstance(value, Tool):
        return value
    if not callable(value) or isinstance(value, type):
        raise ConfigurationError(f"tools=[{value!r}]: give functions, or what @tool(…) has made of them")
    return _make_tool(value)


def _default_name(function: Callable[..., Any]) -> str:
    named = getattr(function, "__name__", "")
    is_partial = isinstance(function, functools.partial) and not named
    return _default_name(function.func) if is_partial else named  # type: ignore[attr-defined]  # a partial


def _make_tool(function: Callable[..., Any], **options: Any) -> Tool:  # noqa: ANN401 - those of ``tool``
    if isinstance(function, type):
        raise ConfigurationError(f"@tool above the class {function.__name__}: it belongs above a function")
    if isinstance(function, Tool):
        raise ConfigurationError(f"{function.name} is a tool already: give all its options to one @tool(…)")
    if not callable(function):
        what = f"@tool above a {type(function).__name__}: it belongs above a function"
        raise ConfigurationError(f"{what}; of a method write tool(…)(orders.status), with the object")
    place = function_place(function)
    try:
        return _checked_tool(function, **options)
    except MissingExtraError:
        raise
    except ConfigurationError as error:
        error.place = place
        if place and not str(error).startswith(place):
            error.args = (f"{place}: {error}", *error.args[1:])
        raise


def _checked_tool(  # noqa: PLR0913 - the options of ``tool``
    function: Callable[..., Any],
    *,
    says: str | None = None,
    confirm: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: bool = False,
    name: str | None = None,
) -> Tool:
    shown: Any = _default_name(function) if name is None else name
    if not isinstance(shown, str) or not _NAME.fullmatch(shown):
        raise ConfigurationError(
            f"the tool {shown!r} needs a name of Latin letters, digits, _ and -, at most 64: "
            "write @tool(name='order_status')"
        )
    check_number(f"timeout of the tool {shown}", timeout, "seconds above 0")
    check_type(f"retry of the tool {shown}", retry, bool, "True or False")
    for option, text in (("says", says), ("confirm", confirm)):
        check_type(f"{option} of the tool {shown}", text, (str, NoneType), "a text for the caller")
        if text is not None and not speakable(text):
            what = f"{option}={text!r} of the tool {shown}"
            raise ConfigurationError(f"{what} has nothing to speak: give a text, or leave it out")
    signature = read_signature(function)
    made = Tool(function, shown, says or "", confirm or "", timeout, retry, signature=signature)
    _check_question(made)
    return made


def _check_question(made: Tool) -> None:
    names = made.signature.schema["properties"]
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(made.confirm) if name is not None]
    except ValueError as error:
        hint = "write {{ and }} for braces that are spoken"
        raise ConfigurationError(f"confirm={made.confirm!r}: {error}; {hint}") from None
    unknown = [name for name in fields if re.split(r"[.\[]", name)[0] not in names]
    if unknown:
        raise ConfigurationError(
            f"confirm={made.confirm!r}: the tool {made.name} has no parameter {unknown[0]!r}; "
            f"it has {', '.join(names) or 'none'}"
        )
