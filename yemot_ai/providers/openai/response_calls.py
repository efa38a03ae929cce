"""Calls of tools in the Responses API, as items of the output and of the input.

Of reasoning only what is encrypted goes back: of the rest the service knows only an id, and keeps nothing
without ``store``. It encrypts reasoning by default (openai 3.54, ``ResponseReasoningItemParam``), and refuses
the wish for it with models that do not reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from yemot_ai.providers.openai.response_text import part_text
from yemot_ai.providers.provider import JSON, ToolCall, ToolRequest, ToolRound
from yemot_ai.providers.sdk.fields import field, items
from yemot_ai.providers.sdk.tools import arguments_json, as_tool_calls, tool_name
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = [
    "function_calls",
    "not_run_items",
    "output_items",
    "returned_items",
    "round_items",
    "tool_options",
]

NOT_RUN: Final = "was not run"

MAX_CALL_ID: Final = 64
"""Characters of a call's id that the service takes."""


def tool_options(tools: ToolRequest) -> dict[str, Any]:
    """Return the tools, and whether the model may call them.

    ``strict`` would be true by default: the service would make every argument required.
    """
    specs = [
        {
            "type": "function",
            "name": spec.name,
            "description": spec.description,
            "parameters": dict(spec.parameters),
            "strict": False,
        }
        for spec in tools.specs
    ]
    return {"tools": specs} | ({} if tools.may_call else {"tool_choice": "none"})


def function_calls(output: list[Any]) -> tuple[ToolCall, ...]:
    """Return the calls among the items of a response."""
    calls = [item for item in output if field(item, "type") == "function_call"]
    return as_tool_calls(
        (field(call, "call_id") or field(call, "id"), field(call, "name"), field(call, "arguments"))
        for call in calls
    )


def round_items(one: ToolRound) -> list[dict[str, Any]]:
    """Return the items of a round: what the model has written, and the results."""
    state = one.state if isinstance(one.state, Mapping) else {}
    written = items(state.get("items"))
    return [*(written or _written_items(one)), *output_items(one)]


def output_items(one: ToolRound) -> list[dict[str, Any]]:
    """Return the results of a round."""
    return [
        {
            "type": "function_call_output",
            "call_id": call.id[:MAX_CALL_ID],
            "output": replace_surrogates(result),
        }
        for call, result in zip(one.calls, one.results, strict=True)
    ]


def not_run_items(call_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return a result for each call that was not run: the service refuses to continue without one."""
    return [{"type": "function_call_output", "call_id": call_id, "output": NOT_RUN} for call_id in call_ids]


def _written_items(one: ToolRound) -> list[dict[str, Any]]:
    text = replace_surrogates(one.text)
    return [*([{"role": "assistant", "content": text}] if text.strip() else []), *map(_call_item, one.calls)]


def _call_item(call: ToolCall) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call.id[:MAX_CALL_ID],
        "name": tool_name(call.name),
        "arguments": arguments_json(call.arguments),
    }


def returned_items(output: list[Any], calls: tuple[ToolCall, ...]) -> JSON:
    """Return the items of a response that go back with the results; None if the calls say it all.

    Args:
        output: the items.
        calls: their calls, in the same order.
    """
    if not any(field(item, "encrypted_content") for item in output):
        return None
    pending = iter(calls)
    return {"items": [one for item in output for one in _returned(item, pending)]}


def _returned(item: Any, calls: Iterator[ToolCall]) -> list[dict[str, Any]]:  # noqa: ANN401 - an item
    match field(item, "type"):
        case "function_call":
            return [_call_item(next(calls))]
        case "reasoning" if field(item, "encrypted_content"):
            summary = [
                {"type": "summary_text", "text": part_text(part)} for part in items(field(item, "summary"))
            ]
            reasoning = {"type": "reasoning", "id": field(item, "id"), "summary": summary}
            return [{**reasoning, "encrypted_content": field(item, "encrypted_content")}]
        case "message":
            text = "".join(map(part_text, items(field(item, "content"))))
            phase = {"phase": field(item, "phase")} if field(item, "phase") else {}
            return [{"role": "assistant", "content": text, **phase}] if text.strip() else []
    return []
