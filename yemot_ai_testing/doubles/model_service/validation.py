"""Refuses malformed requests, as a model service does: status 400, and what is wrong.

Only the types are checked of what every service requires, or of what this double reads, and that calls of
tools have their results (``tool_checks``). Fields that no service here knows are allowed.

>>> check_body("/chat/completions", {"messages": 7})
Traceback (most recent call last):
    ...
yemot_ai_testing.doubles.model_service.validation.MalformedRequestError: messages: a list is required, not 7
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.doubles.model_service.api import ErrorResponse
from yemot_ai_testing.doubles.model_service.tool_checks import tool_problem
from yemot_ai_testing.doubles.steps import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.doubles.model_service.api import ModelAPI

__all__ = ["MalformedRequestError", "check_body", "malformed_response", "parse_json"]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "a text": (str,),
    "true or false": (bool,),
    "a list": (list,),
    "a text or a list": (str, list),
    "an object": (dict,),
}
_OPTIONAL: Final = {
    "model": "a text",
    "stream": "true or false",
    "tools": "a list",
    "instructions": "a text",
    "system": "a text or a list",
    "previous_response_id": "a text",
    "prompt_cache_key": "a text",
    "input": "a text or a list",
}
"""What a request may leave out, or have as null."""

_MAX_SHOWN: Final = 40


class MalformedRequestError(ValueError):
    """A request that no service accepts; the message names the field."""


def parse_json(raw: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a body.

    Raises:
        MalformedRequestError: it is none.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError(f"the body of {len(raw)} bytes is no JSON") from error
    _require("the body", body, "an object")
    checked: Mapping[str, Any] = body
    return checked


def check_body(endpoint: str, body: Mapping[str, Any]) -> None:
    """Check the types of a JSON body.

    Args:
        endpoint: the end of the path, such as ``/messages``; ``/responses`` needs no ``messages``.
        body: the body.

    Raises:
        MalformedRequestError: a field has a wrong type, or a call and its result do not belong together.
    """
    for name, kind in _OPTIONAL.items():
        if body.get(name) is not None:
            _require(name, body[name], kind)
    if endpoint != "/responses":
        _require("messages", body.get("messages"), "a list")
    for name in ("input", "messages"):
        _check_messages(name, body.get(name))
    _check_content("system", body.get("system"), is_optional=True)
    _check_tools("tools", body.get("tools"))
    if problem := tool_problem(endpoint, body):
        raise MalformedRequestError(problem)


def malformed_response(api: ModelAPI, error: MalformedRequestError) -> ErrorResponse:
    """Return the refusal of a malformed request, in the shape of the API's errors."""
    refusal = api.error_response(Failure("refused_request"))
    fields = {**refusal.error, "message": str(error)}
    if "code" in fields:
        fields["code"] = None
    return ErrorResponse(400, {}, {**refusal.object, "error": fields})


def _check_messages(name: str, messages: object) -> None:
    if not isinstance(messages, list):
        return
    for number, item in enumerate(messages):
        place = f"{name}[{number}]"
        _require(place, item, "an object")
        # Other items have roles too (measured, Codex 0.171: a list of tools); an assistant that calls tools
        # says nothing.
        if "role" in item and item.get("type", "message") == "message":
            _require(f"{place}.role", item["role"], "a text")
            _check_content(f"{place}.content", item.get("content"), is_optional=item["role"] == "assistant")
        _check_tools(f"{place}.tools", item.get("tools"))


def _check_content(place: str, content: object, *, is_optional: bool) -> None:
    if is_optional and content is None:
        return
    _require(place, content, "a text or a list")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        _require(f"{place}[{number}]", part, "an object")
        if "text" in part:
            _require(f"{place}[{number}].text", part["text"], "a text")


def _check_tools(place: str, tools: object) -> None:
    if tools is None:
        return
    _require(place, tools, "a list")
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        _require(f"{place}[{number}]", tool, "an object")
        _check_tools(f"{place}[{number}].tools", tool.get("tools"))


def _require(place: str, value: object, kind: str) -> None:
    if not isinstance(value, _TYPES[kind]):
        shown = json.dumps(value, default=str)
        short = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"
        raise MalformedRequestError(f"{place}: {kind} is required, not {short}")
