"""Quirks of the Responses API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from yemot_ai_testing.doubles.model_service.served import ServedEvent

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.model_service.served import Rewrite, ServedAnswer

__all__ = ["echoes", "ends_with_done_event", "final_output", "thoughts_as_item", "thoughts_in_tags"]


def echoes(**fields: object) -> Rewrite:
    """Return a rewrite that writes fields of the request into each response, whatever the request says."""

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        if "output" not in answer.body:  # an error
            return answer
        return _with_responses(
            replace(answer, body={**answer.body, **fields}), lambda response: {**response, **fields}
        )

    return rewrite


def final_output(output: Literal["empty", "missing", "null", "last piece"]) -> Rewrite:
    """Return a rewrite of ``output`` in the last event of a stream.

    Args:
        output: an empty list, no field, null, or a message with the last piece of the text only.
    """

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        last: Any = answer.events[-1].content
        if not last["type"].startswith("response.") or "response" not in last:
            return answer
        response = dict(last["response"])
        pieces = [_delta(event) for event in answer.events if event.is_text]
        if output == "missing":
            response.pop("output", None)
        elif output == "last piece":
            response["output"] = [_with_text(item, pieces[-1]) for item in response["output"] if pieces]
        else:
            response["output"] = [] if output == "empty" else None
        event = ServedEvent({**last, "response": response})
        return replace(answer, events=(*answer.events[:-1], event))

    return rewrite


def ends_with_done_event(answer: ServedAnswer) -> ServedAnswer:
    """End a stream with ``response.done`` instead of ``response.completed``."""
    last: Any = answer.events[-1].content
    if last["type"] != "response.completed":
        return answer
    return replace(answer, events=(*answer.events[:-1], ServedEvent({**last, "type": "response.done"})))


def thoughts_as_item(answer: ServedAnswer) -> ServedAnswer:
    """Write the thoughts as an item of reasoning, with its own events, before the message."""
    if not answer.thoughts or "output" not in answer.body:
        return answer
    part = {"type": "reasoning_text", "text": answer.thoughts}
    item = {"type": "reasoning", "id": "rs_0", "summary": [], "content": [part], "status": "completed"}
    place = {"item_id": "rs_0", "output_index": 0, "content_index": 0}
    thinking = (
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.reasoning_text.delta", **place, "delta": answer.thoughts},
        {"type": "response.reasoning_text.done", **place, "text": answer.thoughts},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    )
    begin, rest = answer.events[:2], map(_one_item_later, answer.events[2:])
    answer = replace(
        answer,
        body={**answer.body, "output": [item, *answer.body["output"]]},
        events=_numbered((*begin, *map(ServedEvent, thinking), *rest)),
    )
    last: Any = answer.events[-1].content
    response = {**last["response"], "output": [item, *last["response"]["output"]]}
    return replace(answer, events=(*answer.events[:-1], ServedEvent({**last, "response": response})))


def thoughts_in_tags(answer: ServedAnswer) -> ServedAnswer:
    """Write the thoughts into the text, in ``<think>``."""
    number = next((n for n, event in enumerate(answer.events) if event.is_text), None)
    if not answer.thoughts or number is None or "output" not in answer.body:
        return answer
    text = f"<think>\n{answer.thoughts}\n</think>\n\n"
    delta: Any = answer.events[number].content
    first = ServedEvent({**delta, "delta": text})
    events = (*answer.events[:number], first, *answer.events[number:])
    whole = [
        _with_text(item, text + item["content"][0]["text"]) if item["type"] == "message" else item
        for item in answer.body["output"]
    ]
    answer = replace(answer, body={**answer.body, "output": whole}, events=_numbered(events))
    return _with_responses(answer, lambda one: {**one, "output": whole} if one["output"] else one)


def _with_responses(answer: ServedAnswer, rewrite: Any) -> ServedAnswer:  # noqa: ANN401 - a function of responses
    """Rewrite the response in each event that has one."""
    events = []
    for event in answer.events:
        content: Any = event.content
        has_response = isinstance(content, dict) and "response" in content
        changed = {**content, "response": rewrite(content["response"])} if has_response else content
        events.append(replace(event, content=changed))
    return replace(answer, events=tuple(events))


def _one_item_later(event: ServedEvent) -> ServedEvent:
    content: Any = event.content
    if "output_index" not in content:
        return event
    return replace(event, content={**content, "output_index": content["output_index"] + 1})


def _numbered(events: tuple[ServedEvent, ...]) -> tuple[ServedEvent, ...]:
    contents: Any = [event.content for event in events]
    return tuple(
        replace(event, content={**content, "sequence_number": number})
        for number, (event, content) in enumerate(zip(events, contents, strict=True))
    )


def _with_text(item: dict[str, Any], text: str) -> dict[str, Any]:
    if item["type"] != "message":
        return item
    return {**item, "content": [{**item["content"][0], "text": text}]}


def _delta(event: ServedEvent) -> str:
    content: Any = event.content
    delta: str = content["delta"]
    return delta
