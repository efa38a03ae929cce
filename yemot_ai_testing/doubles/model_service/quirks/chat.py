"""Quirks of Chat Completions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from yemot_ai_testing.doubles.model_service.served import ServedEvent

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.model_service.served import Rewrite, ServedAnswer

__all__ = [
    "begins_with_event",
    "calls_as_whole_chunks",
    "error_in_choice",
    "finish_reasons",
    "role_in_each_chunk",
    "text_in_last_chunk",
    "thoughts_before_end_tag",
    "thoughts_in_field",
    "thoughts_in_tags",
    "usage_in_last_chunk",
    "without_usage_chunk",
]


def thoughts_in_field(name: str) -> Rewrite:
    """Return a rewrite that writes the thoughts into a field of the message and of the deltas."""

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        if not answer.thoughts:
            return answer
        return _with_first_delta(
            _with_message(answer, {name: answer.thoughts}), {name: answer.thoughts}, is_text=False
        )

    return rewrite


def thoughts_in_tags(answer: ServedAnswer) -> ServedAnswer:
    """Write the thoughts into the text, in ``<think>``."""
    return _with_text_before(answer, f"<think>\n{answer.thoughts}\n</think>\n\n")


def thoughts_before_end_tag(answer: ServedAnswer) -> ServedAnswer:
    """Write the thoughts into the text before ``</think>``: the prompt has the begin tag."""
    return _with_text_before(answer, f"{answer.thoughts}\n</think>\n\n")


def calls_as_whole_chunks(*, index: int | None, has_ids: bool = True, reason: str = "tool_calls") -> Rewrite:
    """Return a rewrite that streams each call in one chunk.

    Args:
        index: the number of every call; None for no number.
        has_ids: whether a call has an id.
        reason: the finish reason after calls.
    """

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        calls = _message_of(answer).get("tool_calls")
        if not calls:
            return answer
        sent = [call if has_ids else {**call, "id": ""} for call in calls]
        number = {} if index is None else {"index": index}
        chunks = [_with_delta(answer, {"tool_calls": [{**call, **number}]}) for call in sent]
        kept = [event for event in answer.events if not _has_calls(event)]
        place = next(at for at, event in enumerate(kept) if _finish_reason(event))
        changed = replace(answer, events=(*kept[:place], *map(ServedEvent, chunks), *kept[place:]))
        return finish_reasons({"tool_calls": reason})(_with_message(changed, {"tool_calls": sent}))

    return rewrite


def begins_with_event(event: Mapping[str, Any]) -> Rewrite:
    """Return a rewrite that begins the stream with one more event."""

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        return replace(answer, events=(ServedEvent(event), *answer.events))

    return rewrite


def usage_in_last_chunk(answer: ServedAnswer) -> ServedAnswer:
    """Write the usage into the chunk with the finish reason, not into one of its own."""

    def rewrite(chunk: dict[str, Any]) -> dict[str, Any] | None:
        if not chunk.get("choices"):
            return None if "usage" in chunk else chunk
        finished = chunk["choices"][0].get("finish_reason")
        return {**chunk, "usage": answer.body["usage"]} if finished else chunk

    return _with_chunks(answer, rewrite)


def without_usage_chunk(answer: ServedAnswer) -> ServedAnswer:
    """Stream no usage, although the client asked for it."""
    return _with_chunks(answer, lambda chunk: None if "usage" in chunk else chunk)


def role_in_each_chunk(answer: ServedAnswer) -> ServedAnswer:
    """Write the role into each delta, and an empty text into the last one."""

    def rewrite(chunk: dict[str, Any]) -> dict[str, Any] | None:
        if not chunk.get("choices"):
            return chunk
        choice = chunk["choices"][0]
        delta = {"role": "assistant", "content": "", **choice["delta"]}
        return {**chunk, "choices": [{**choice, "delta": delta}]}

    return _with_chunks(answer, rewrite)


def text_in_last_chunk(answer: ServedAnswer) -> ServedAnswer:
    """Write the finish reason into the chunk with the last piece of text."""
    last = max(
        (n for n, event in enumerate(answer.events) if event.is_text or _has_calls(event)), default=None
    )
    final = next((n for n, event in enumerate(answer.events) if _finish_reason(event)), None)
    if last is None or final is None:
        return answer
    events = list(answer.events)
    finish = _finish_reason(events.pop(final))
    chunk: Any = events[last].content
    choice = {**chunk["choices"][0], "finish_reason": finish}
    events[last] = replace(events[last], content={**chunk, "choices": [choice]})
    return replace(answer, events=tuple(events))


def finish_reasons(names: Mapping[str, str]) -> Rewrite:
    """Return a rewrite that gives finish reasons other names."""

    def renamed(choice: dict[str, Any]) -> dict[str, Any]:
        reason = choice.get("finish_reason")
        return {**choice, "finish_reason": names.get(reason, reason) if reason else reason}

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        changed = _with_chunks(
            answer,
            lambda chunk: (
                {**chunk, "choices": list(map(renamed, chunk["choices"]))} if "choices" in chunk else chunk
            ),
        )
        if "choices" not in answer.body:
            return changed
        choices = [renamed(choice) for choice in answer.body["choices"]]
        return replace(changed, body={**answer.body, "choices": choices})

    return rewrite


def error_in_choice(error: Mapping[str, Any]) -> Rewrite:
    """Return a rewrite that reports an error in the middle of an answer in its choice, with status 200.

    Args:
        error: the object of the error.
    """

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        if answer.cut != "error":
            return answer
        first: Any = answer.events[0].content
        shared = {name: value for name, value in first.items() if name != "choices"}
        text = "".join(_delta_text(event) for event in answer.events)
        choice = {"index": 0, "finish_reason": "error", "native_finish_reason": None, "error": error}
        message = {"role": "assistant", "content": text}
        body = {**shared, "object": "chat.completion", "choices": [{**choice, "message": message}]}
        last = {**shared, "choices": [{**choice, "delta": {"role": "assistant", "content": ""}}]}
        events = (*answer.events[:-1], ServedEvent({**last, "error": error}))
        return replace(answer, status=200, body=body, events=events)

    return rewrite


def _with_chunks(answer: ServedAnswer, rewrite: Any) -> ServedAnswer:  # noqa: ANN401 - a function of chunks
    """Rewrite each chunk; one that becomes None is left out."""
    events = []
    for event in answer.events:
        if isinstance(event.content, str):
            events.append(event)
        elif (content := rewrite(dict(event.content))) is not None:
            events.append(replace(event, content=content))
    return replace(answer, events=tuple(events))


def _with_message(answer: ServedAnswer, fields: Mapping[str, Any]) -> ServedAnswer:
    if "choices" not in answer.body:  # an error
        return answer
    choice = answer.body["choices"][0]
    message = {**choice["message"], **fields}
    return replace(answer, body={**answer.body, "choices": [{**choice, "message": message}]})


def _with_first_delta(answer: ServedAnswer, delta: Mapping[str, Any], *, is_text: bool) -> ServedAnswer:
    """Insert a delta before the first piece of text."""
    number = next((n for n, event in enumerate(answer.events) if event.is_text), len(answer.events))
    template: Any = answer.events[number - 1].content
    choice = {**template["choices"][0], "delta": delta}
    event = ServedEvent({**template, "choices": [choice]}, is_text)
    return replace(answer, events=(*answer.events[:number], event, *answer.events[number:]))


def _with_text_before(answer: ServedAnswer, text: str) -> ServedAnswer:
    if not answer.thoughts:
        return answer
    answer = _with_first_delta(answer, {"content": text}, is_text=False)
    whole = answer.body["choices"][0]["message"]["content"]
    return _with_message(answer, {"content": text + whole})


def _message_of(answer: ServedAnswer) -> Mapping[str, Any]:
    choices = answer.body.get("choices")
    message: Mapping[str, Any] = choices[0]["message"] if choices else {}
    return message


def _with_delta(answer: ServedAnswer, delta: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chunk of an answer with another delta."""
    first: Any = next(event.content for event in answer.events if not isinstance(event.content, str))
    return {**first, "choices": [{**first["choices"][0], "delta": delta}]}


def _has_calls(event: ServedEvent) -> bool:
    content: Any = event.content
    choices = () if isinstance(content, str) else content.get("choices") or ()
    return any("tool_calls" in choice.get("delta", {}) for choice in choices)


def _delta_text(event: ServedEvent) -> str:
    content: Any = event.content
    return content["choices"][0]["delta"]["content"] if event.is_text else ""


def _finish_reason(event: ServedEvent) -> str | None:
    if isinstance(event.content, str) or not event.content.get("choices"):
        return None
    reason: str | None = event.content["choices"][0].get("finish_reason")
    return reason
