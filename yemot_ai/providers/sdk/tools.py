"""Translate calls of tools between a service and the conversation.

>>> as_tool_calls([(None, "clock", None)])[0].arguments
'{}'
>>> arguments_object('{"id": 7}'), arguments_object('{"id": ')
({'id': 7}, {})
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

from yemot_ai.providers.provider import ToolCall, ToolRequest, ToolRound
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = [
    "arguments_json",
    "arguments_object",
    "as_tool_calls",
    "block_id",
    "said_in_turn",
    "tool_name",
    "tool_words",
]

MAX_NAME: Final = 64
"""Characters of a tool's name that every service takes."""

_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")


def as_tool_calls(calls: Iterable[tuple[object, object, object]]) -> tuple[ToolCall, ...]:
    """Return the calls of a message; each has another id.

    Compatible servers leave ids out, or give two calls one id (Gemini, Ollama, servers that take the name of
    the tool); others write the arguments as an object.

    Args:
        calls: id, name and arguments of each call, as the service has sent them.
    """
    read: dict[str, ToolCall] = {}
    for given, name, arguments in calls:
        usable = isinstance(given, str) and given and given not in read
        call_id = replace_surrogates(str(given)) if usable else f"call_{uuid.uuid4().hex[:24]}"
        read[call_id] = ToolCall(call_id, replace_surrogates(str(name or "")), _arguments_text(arguments))
    return tuple(read.values())


def _arguments_text(arguments: object) -> str:
    if isinstance(arguments, str):
        return replace_surrogates(arguments) if arguments.strip() else "{}"
    return json.dumps({} if arguments is None else arguments)


def arguments_object(arguments: str) -> dict[str, Any]:
    """Return arguments that a model has written; empty if they are no JSON object.

    Services refuse a request in which they find others; what was wrong is in the result of the call.
    """
    try:
        parsed = json.loads(arguments, parse_constant=_refuse_constant)
        clean = json.loads(replace_surrogates(json.dumps(parsed, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return {}
    return clean if isinstance(clean, dict) else {}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def arguments_json(arguments: str) -> str:
    """Return arguments that a model has written if they are a JSON object, else an empty one."""
    return replace_surrogates(arguments) if arguments_object(arguments) else "{}"


def tool_name(name: str) -> str:
    """Return the name that a model has called as one that every service takes back."""
    return _NOT_IN_NAMES.sub("_", name)[:MAX_NAME] or "unknown"


def block_id(call_id: str) -> str:
    """Return the id of a call as Anthropic takes it: another provider may have made the call."""
    return _NOT_IN_NAMES.sub("_", call_id)


def said_in_turn(tools: ToolRequest | None, text: str) -> str:
    """Return all that the model has said in a turn, with ``text``, its last message."""
    rounds: Sequence[ToolRound] = () if tools is None else tools.rounds
    return " ".join(filter(None, (*(each.text.strip() for each in rounds), text)))


def tool_words(tools: ToolRequest | None) -> list[str]:
    """Return the texts of a turn's calls and results, which no error quotes."""
    rounds: Sequence[ToolRound] = () if tools is None else tools.rounds
    calls = (
        text for each in rounds for call in each.calls for text in _texts_in(arguments_object(call.arguments))
    )
    return [*calls, *(result for each in rounds for result in each.results)]


def _texts_in(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(one)
