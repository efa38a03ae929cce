"""Quirks of Messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from yemot_ai_testing.doubles.model_service.served import ServedEvent

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.model_service.served import ServedAnswer

__all__ = ["thoughts_as_block", "thoughts_in_tags"]


def thoughts_as_block(answer: ServedAnswer) -> ServedAnswer:
    """Write the thoughts as a block before the text."""
    if not answer.thoughts or "content" not in answer.body:
        return answer
    block = {"type": "thinking", "thinking": answer.thoughts, "signature": ""}
    delta = {"type": "thinking_delta", "thinking": answer.thoughts}
    thinking = (
        {"type": "content_block_start", "index": 0, "content_block": {**block, "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
    )
    start, rest = answer.events[:1], map(_one_block_later, answer.events[1:])
    body = {**answer.body, "content": [block, *answer.body["content"]]}
    return replace(answer, body=body, events=(*start, *map(ServedEvent, thinking), *rest))


def thoughts_in_tags(answer: ServedAnswer) -> ServedAnswer:
    """Write the thoughts into the text, in ``<think>``."""
    number = next((n for n, event in enumerate(answer.events) if event.is_text), None)
    if not answer.thoughts or number is None or "content" not in answer.body:
        return answer
    text = f"<think>\n{answer.thoughts}\n</think>\n\n"
    first: Any = answer.events[number].content
    event = ServedEvent({**first, "delta": {"type": "text_delta", "text": text}})
    events = (*answer.events[:number], event, *answer.events[number:])
    block = answer.body["content"][0]
    content = [{**block, "text": text + block["text"]}]
    return replace(answer, body={**answer.body, "content": content}, events=events)


def _one_block_later(event: ServedEvent) -> ServedEvent:
    content: Any = event.content
    return replace(event, content={**content, "index": content["index"] + 1}) if "index" in content else event
