"""Refuses what the services refuse of tools: a result without its call, a call without its result.

Sources: the guides on function calling and tool use of both services, and the texts of their refusals
(https://github.com/FoundationAgents/OpenManus/issues/744, https://github.com/agno-agi/agno/issues/4345,
https://github.com/bytedance/trae-agent/issues/245, https://github.com/continuedev/continue/issues/10092,
https://github.com/anthropics/claude-code/issues/8210, https://github.com/anthropics/claude-code/issues/18947).

>>> tool_problem("/responses", {"input": [{"type": "function_call_output", "call_id": "call_1"}]})
'No tool call found for function call output with call_id call_1.'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ids_of", "tool_problem", "unpaired_problem"]


def tool_problem(endpoint: str, body: Mapping[str, Any]) -> str:
    """Return what a service refuses of the tools in a request; empty for nothing.

    Args:
        endpoint: the end of the path, such as ``/messages``.
        body: the body, whose types are right.
    """
    problems = _PROBLEMS.get(endpoint)
    return "" if problems is None else next(problems(body), "")


def _responses_problems(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("tool_choice") not in {None, "auto", "none"} and not body.get("tools"):
        yield "Tool choice must be specified with 'tools' parameter."
    items = body.get("input")
    if isinstance(items, list) and not body.get("previous_response_id"):
        calls, results = (
            ids_of(items, kind, "call_id") for kind in ("function_call", "function_call_output")
        )
        yield from filter(None, [unpaired_problem(calls, results)])


def unpaired_problem(calls: Sequence[str], results: Sequence[str]) -> str:
    """Return what the Responses API refuses of calls and results, by their ids; empty for nothing."""
    for call in results:
        if call not in calls:
            return f"No tool call found for function call output with call_id {call}."
    missing = next((call for call in calls if call not in results), None)
    return "" if missing is None else f"No tool output found for function call {missing}."


def _chat_problems(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("tool_choice") and not body.get("tools"):
        yield "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
    open_calls: set[str] = set()
    for message in (*body["messages"], {"role": "end"}):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_calls:
                yield (
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message "
                    "with 'tool_calls'."
                )
            open_calls.discard(message.get("tool_call_id"))
            continue
        if open_calls:
            yield (
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following tool_call_ids did not have response messages: "
                f"{', '.join(sorted(open_calls))}"
            )
        open_calls = {str(call.get("id")) for call in message.get("tool_calls") or ()}


def _messages_problems(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("tool_choice") and not body.get("tools"):
        yield "tool_choice: may only be specified while providing tools"
    before: tuple[str, ...] = ()
    for number, message in enumerate((*body["messages"], {})):
        blocks = message.get("content")
        blocks = blocks if isinstance(blocks, list) else []
        results = ids_of(blocks, "tool_result", "tool_use_id")
        if unknown := [use for use in results if use not in before]:
            yield (
                f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{unknown[0]}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                "previous message."
            )
        if missing := [use for use in before if use not in results]:
            yield (
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` "
                "block in the next message."
            )
        before = ids_of(blocks, "tool_use", "id")
        if len(set(before)) < len(before):
            yield f"messages.{number}.content: `tool_use` ids must be unique"


def ids_of(items: Sequence[Mapping[str, Any]], kind: str, name: str) -> tuple[str, ...]:
    """Return the ids of the items of one type, in the field ``name``."""
    found = (item.get(name) for item in items if item.get("type") == kind)
    return tuple(one for one in found if isinstance(one, str))  # Codex sends results without an id


_PROBLEMS = {
    "/responses": _responses_problems,
    "/chat/completions": _chat_problems,
    "/messages": _messages_problems,
}
