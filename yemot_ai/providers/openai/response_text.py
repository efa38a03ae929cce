"""Read the text for the caller in the output of a response, without commentary and calls of tools."""

from __future__ import annotations

from typing import Any

from yemot_ai.providers.sdk.fields import field, items

__all__ = ["commentary", "part_text", "spoken_text"]


def spoken_text(output: list[Any]) -> str:
    """Return the text of the messages; only that of the final answer if the messages have a phase.

    Args:
        output: the items of a response.
    """
    messages = [item for item in output if field(item, "type") == "message"]
    final = [message for message in messages if field(message, "phase") == "final_answer"]
    spoken = final or [message for message in messages if not commentary(message)]
    return "\n".join(part_text(part) for message in spoken for part in items(field(message, "content")))


def commentary(message: object) -> bool:
    """Return whether an item is commentary; older models and compatible servers have no phase."""
    return bool(field(message, "phase") == "commentary")


def part_text(part: object) -> str:
    """Return the text of a part of a message; a refusal is an answer."""
    text = field(part, "text") if field(part, "type") != "refusal" else field(part, "refusal")
    return text if isinstance(text, str) else ""
