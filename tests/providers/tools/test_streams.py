"""Calls of tools in the streams of services and of compatible servers, in all their forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import (
    MESSAGE_START,
    MESSAGE_STOP,
    USAGE_CHUNK,
    Event,
    block,
    chat,
    chunk,
    delta,
    ended,
    messages,
    responses,
    stopped,
)
from tests.providers.tools.tool_setups import SPECS, check_request, round_of
from tests.support.codex import run_async
from yemot_ai.errors import AnswerEmptyError, OverloadedError, ProviderError, RefusedRequestError
from yemot_ai.providers import Provider, read_answer
from yemot_ai.providers.values import Reply, ToolCalls, ToolRequest

Maker = Callable[..., Provider]
Written = list[tuple[str, object]]

STATUS: tuple[str, object] = ("order_status", {"id": 7})
HOURS: tuple[str, object] = ("opening_hours", {})
BOTH: Written = [STATUS, HOURS]
STOP = chunk(finish="tool_calls")


def ask(
    make: Maker,
    *events: Event,
    **options: Any,  # noqa: ANN401 - options of the provider
) -> tuple[Reply | ToolCalls, list[str]]:
    """Return the answer that is streamed as these events, and its pieces."""
    pieces: list[str] = []

    async def turn(url: str) -> Reply | ToolCalls:
        provider = make(url, **options)
        parts = provider.ask("א", stream=True, tools=ToolRequest(SPECS))  # type: ignore[call-arg]
        try:
            return await read_answer(parts, provider.name, pieces.append)
        finally:
            await provider.aclose()  # type: ignore[attr-defined]  # these providers have it

    with EventStreamServer(*events) as server:
        return run_async(turn(server.url)), pieces


def called(make: Maker, *events: Event) -> ToolCalls:
    answer, _ = ask(make, *events)
    assert isinstance(answer, ToolCalls)
    return answer


def written(calls: ToolCalls) -> Written:
    """Return what was called; each call has an id that no other has."""
    ids = {call.id for call in calls.calls}
    assert len(ids) == len(calls.calls)
    assert all(ids)
    return [(call.name, json.loads(call.arguments)) for call in calls.calls]


def sent_again(make: Maker, calls: ToolCalls, api: str, last: Event, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Return the request that brings the results."""

    async def turn(url: str) -> None:
        provider = make(url, **options)
        rounds = (round_of(calls, *("כן" for _ in calls.calls)),)
        parts = provider.ask("א", stream=True, tools=ToolRequest(SPECS, rounds))  # type: ignore[call-arg]
        await read_answer(parts, provider.name, lambda piece: None)
        await provider.aclose()  # type: ignore[attr-defined]  # these providers have it

    events = {"chat": [chunk("כן"), chunk(finish="stop"), USAGE_CHUNK], "messages": _ANSWER}.get(api, [last])
    with EventStreamServer(*events) as server:
        run_async(turn(server.url))
        (body,) = server.sent
    return body


_ANSWER = [MESSAGE_START, block("כן"), stopped(), MESSAGE_STOP]


# Chat Completions.


def part(*calls: dict[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    choice = {"index": 0, "finish_reason": None, "delta": {"tool_calls": list(calls), **fields}}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def call(name: str | None, arguments: object = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def more(arguments: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"function": {"arguments": arguments}, **fields}


def message(*calls: dict[str, Any]) -> dict[str, Any]:
    body = {"role": "assistant", "content": None, "tool_calls": list(calls)}
    return {"id": "c", "choices": [{"index": 0, "message": body, "finish_reason": "tool_calls"}]}


S, H = "order_status", "opening_hours"
CHAT: dict[str, tuple[list[Event], Written]] = {
    "openai": ([part(call(S, "", index=0, id="a")), part(more('{"id"', index=0)), part(more(": 7}", index=0)),
                part(call(H, "", index=1, id="b")), part(more("{}", index=1))], BOTH),
    "interleaved": ([part(call(S, "", index=0, id="a"), call(H, "", index=1, id="b")),
                     part(more('{"id"', index=0), more("{", index=1)),
                     part(more("}", index=1)), part(more(": 7}", index=0))], BOTH),
    "ollama, index 0": ([part(call(S, '{"id": 7}', index=0, id="a")),
                         part(call(H, "{}", index=0, id="b"))], BOTH),
    "index 0, no ids": ([part(call(S, '{"id": 7}', index=0)), part(call(H, "{}", index=0))], BOTH),
    "index 0, no ids, one tool": ([part(call(H, "{}", index=0)), part(call(H, "{}", index=0))],
                                  [HOURS, HOURS]),
    "one chunk": ([part(call(S, '{"id": 7}', index=0, id="a"), call(H, "{}", index=1, id="b"))], BOTH),
    "one chunk, no index": ([part(call(S, '{"id": 7}', id="a"), call(H, "{}", id="b"))], BOTH),
    "one chunk, no index, no ids": ([part(call(S, '{"id": 7}'), call(H, "{}"))], BOTH),
    "no index, parts": ([part(call(S, '{"id"', id="a")), part(more(": 7}")),
                         part(call(H, "{}", id="b"))], BOTH),
    "no index, interleaved by ids": ([part(call(S, '{"id"', id="a"), call(H, "{", id="b")),
                                      part(more(": 7}", id="a"), more("}", id="b"))], BOTH),
    "index 0, one tool, no arguments": ([part(call(H, "", index=0, id="a")),
                                         part(call(H, "", index=0, id="b"))], [HOURS, HOURS]),
    "empty ids": ([part(call(S, '{"id": 7}', index=0, id="")), part(call(H, "{}", index=1, id=""))], BOTH),
    "one id": ([part(call(S, '{"id": 7}', index=0, id="x"), call(H, "{}", index=1, id="x"))], BOTH),
    "an id for each part": ([part(call(S, "", index=0, id="1")), part(call("", '{"id"', index=0, id="2")),
                             part(call("", ": 7}", index=0, id="3"))], [STATUS]),
    "the name in each part": ([part(call(S, "", index=0)), part(call(S, '{"id"', index=0)),
                               part(call(S, ": 7}", index=0))], [STATUS]),
    "name and id in each part": ([part(call(S, '{"id"', index=0, id="a")),
                                  part(call(S, ": 7}", index=0, id="a"))], [STATUS]),
    "the id later": ([part(call(S, '{"id"', index=0)), part(more(": 7}", index=0, id="a"))], [STATUS]),
    "an object": ([part(call(S, {"id": 7}, index=0, id="a"))], [STATUS]),
    "no arguments": ([part(call(H, None, index=0, id="a"))], [HOURS]),
    "empty arguments": ([part(call(H, "", index=0, id="a"))], [HOURS]),
    "again in a message": ([part(call(S, '{"id": 7}', index=0, id="a")),
                            message(call(S, '{"id": 7}', id="a"))], [STATUS]),
    "a message": ([message(call(S, '{"id": 7}', id="a"), call(H, "{}", id="b"))], BOTH),
    "null parts": ([{"id": "c", "choices": [{"index": 0, "delta": {"content": None, "tool_calls": None}}]},
                    part(call(S, '{"id": 7}', index=0, id="a"))], [STATUS]),
    "indexes from 1": ([part(call(S, '{"id": 7}', index=1, id="a")),
                        part(call(H, "{}", index=2, id="b"))], BOTH),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAT)
@pytest.mark.parametrize("reason", ["tool_calls", "stop", "function_call", "TOOL_CALL", "eos"])
def test_calls_are_built_from_chunks(name: str, reason: str) -> None:
    events, expected = CHAT[name]
    assert written(called(chat, *events, chunk(finish=reason), USAGE_CHUNK)) == expected


@pytest.mark.parametrize("name", CHAT)
def test_a_stream_of_calls_may_end_without_a_reason(name: str) -> None:
    events, expected = CHAT[name]
    assert written(called(chat, *events, "[DONE]")) == expected


def test_text_before_calls_is_streamed_and_without_thoughts() -> None:
    events = [chunk("<think>הממ</think>"), chunk("רגע, "), chunk("בודק. "), *CHAT["openai"][0], STOP]
    answer, pieces = ask(chat, *events)
    assert isinstance(answer, ToolCalls)
    assert (answer.text, "".join(pieces).strip()) == ("רגע, בודק.", "רגע, בודק.")


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("length", AnswerEmptyError),
        ("max_tokens", AnswerEmptyError),
        ("MAX_TOKENS", AnswerEmptyError),
        ("abort", OverloadedError),
    ],
)
def test_calls_of_a_model_that_was_stopped_do_not_run(reason: str, error: type[ProviderError]) -> None:
    cut = [part(call(S, '{"id"', index=0, id="a")), chunk(finish=reason), USAGE_CHUNK]
    with pytest.raises(error):
        ask(chat, *cut)
    answer, _ = ask(chat, chunk("רגע"), *cut)
    assert isinstance(answer, Reply)
    assert (answer.text, answer.cut) == ("רגע", reason)


def test_calls_beside_refused_words_do_not_run() -> None:
    with pytest.raises(RefusedRequestError):
        ask(chat, *CHAT["openai"][0], chunk(finish="content_filter"), USAGE_CHUNK)


def test_a_call_that_stands_in_the_text_is_filtered() -> None:
    text = '{"name": "order_status", "arguments": {"id": 7}}'
    answer, pieces = ask(chat, chunk(text), chunk(" מוכן"), chunk(finish="stop"), USAGE_CHUNK)
    assert isinstance(answer, Reply)
    assert (answer.text, "".join(pieces).strip()) == ("מוכן", "מוכן")


def test_an_answer_about_json_is_not_filtered() -> None:
    text = 'הסטטוס הוא {"id": 7, "state": "בתנור"} לפי המערכת'
    answer, _ = ask(chat, chunk(text), chunk(finish="stop"), USAGE_CHUNK)
    assert isinstance(answer, Reply)
    assert answer.text == text


def test_a_completion_gets_back_what_its_model_has_thought_before_the_calls() -> None:
    """DeepSeek and Gemini refuse the results otherwise."""
    signature = {"google": {"thought_signature": "c2ln"}}
    thinking = [part(reasoning_content="צריך "), part(reasoning_content="לבדוק")]
    signed = part(
        call(S, '{"id": 7}', index=0, id="a", extra_content=signature), call(H, "{}", index=1, id="b")
    )
    calls = called(chat, *thinking, signed, STOP, USAGE_CHUNK)
    body = sent_again(chat, calls, "chat", {})
    assistant = body["messages"][1]
    assert assistant["reasoning_content"] == "צריך לבדוק"
    assert assistant["tool_calls"][0]["extra_content"] == signature
    assert "extra_content" not in assistant["tool_calls"][1]


def test_a_completion_of_a_model_that_does_not_think_gets_nothing_of_the_kind_back() -> None:
    calls = called(chat, *CHAT["openai"][0], STOP, USAGE_CHUNK)
    assert calls.state is None
    check_request("chat", sent_again(chat, calls, "chat", {}))


# Responses.


def item(name: str, arguments: str | None, number: int = 0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    ids = {"id": f"fc_{number}", "call_id": f"call_{number}"}
    return {"type": "function_call", **ids, "name": name, "arguments": arguments, **fields}


def added(one: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": {**one, "arguments": ""}}


def done(one: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": one}


def arguments(text: str, index: int = 0) -> dict[str, Any]:
    place = {"item_id": f"fc_{index}", "output_index": index}
    return {"type": "response.function_call_arguments.delta", **place, "delta": text}


def whole_arguments(text: str, index: int = 0) -> dict[str, Any]:
    place = {"item_id": f"fc_{index}", "output_index": index}
    return {"type": "response.function_call_arguments.done", **place, "arguments": text}


ONE, TWO = item(S, '{"id": 7}'), item(H, "{}", 1)
RESPONSES: dict[str, tuple[list[Event], Written]] = {
    "openai": ([added(ONE), arguments('{"id"'), arguments(": 7}"), whole_arguments('{"id": 7}'), done(ONE),
                added(TWO, 1), arguments("{}", 1), whole_arguments("{}", 1), done(TWO, 1),
                ended(output=[ONE, TWO])], BOTH),
    "interleaved": ([added(ONE), added(TWO, 1), arguments('{"id"'), arguments("{}", 1), arguments(": 7}"),
                     done(TWO, 1), done(ONE), ended(output=[ONE, TWO])], BOTH),
    "items only": ([done(ONE), done(TWO, 1), ended(output=[])], BOTH),
    "the last event only": ([ended(output=[ONE, TWO])], BOTH),
    "one of them in the last event only": ([done(ONE), ended(output=[ONE, TWO])], BOTH),
    "parts only": ([added(ONE), arguments('{"id"'), arguments(": 7}"), ended(output=[])], [STATUS]),
    "whole arguments only": ([added(ONE), whole_arguments('{"id": 7}'), ended(output=None)], [STATUS]),
    "no arguments in the items": ([added(ONE), arguments('{"id": 7}'), done(item(S, "")), ended()], [STATUS]),
    "no call_id": ([done(item(S, '{"id": 7}', call_id=None)), ended()], [STATUS]),
    "no ids": ([done(item(S, '{"id": 7}', id=None, call_id=None)),
                done(item(H, "{}", id=None, call_id=None), 1), ended()], BOTH),
    "no item ids": ([added(item(S, "", id=None)), arguments('{"id": 7}'),
                     done(item(S, "", id=None)), ended()], [STATUS]),
    "empty arguments": ([done(item(H, "")), ended()], [HOURS]),
}  # fmt: skip


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("store", [True, False], ids=["stored", "unstored"])
def test_calls_are_built_from_the_events_of_a_response(name: str, *, store: bool) -> None:
    events, expected = RESPONSES[name]
    answer, pieces = ask(responses, *events, store=store)
    assert isinstance(answer, ToolCalls)
    assert (written(answer), answer.text, pieces) == (expected, "", [])


def spoken(text: str, phase: str | None) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "m", "role": "assistant", "phase": phase, "content": content}


@pytest.mark.parametrize(("phase", "said"), [(None, "רגע"), ("commentary", "")])
def test_text_before_a_call_is_said_unless_it_is_commentary(phase: str | None, said: str) -> None:
    text = spoken("רגע", phase)
    begun = {"type": "response.output_item.added", "output_index": 0, "item": {**text, "content": []}}
    events = [begun, delta("רגע"), done(text), done(ONE, 1), ended(output=[text, ONE])]
    answer, pieces = ask(responses, *events)
    assert isinstance(answer, ToolCalls)
    assert (answer.text, "".join(pieces)) == (said, said)


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZW5j"}


def test_encrypted_reasoning_goes_back_before_its_call_and_other_reasoning_does_not() -> None:
    other: dict[str, Any] = {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": None}
    text = spoken("בודק", "commentary")
    events = [done(other), done(THOUGHT, 1), done(text, 2), done(ONE, 3), ended(output=[])]
    answer, _ = ask(responses, *events, store=False)
    assert isinstance(answer, ToolCalls)
    body = sent_again(responses, answer, "unstored", ended("כן"), store=False)
    check_request("unstored", body)
    assert body["input"][1:4] == [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZW5j"},
        {"role": "assistant", "content": "בודק", "phase": "commentary"},
        {"type": "function_call", "call_id": "call_0", "name": S, "arguments": '{"id": 7}'},
    ]
    assert body["input"][4]["type"] == "function_call_output"
    assert "include" not in body


def test_a_stored_response_gets_the_results_only() -> None:
    answer, _ = ask(responses, done(THOUGHT), done(ONE, 1), ended(output=[]))
    assert isinstance(answer, ToolCalls)
    body = sent_again(responses, answer, "stored", ended("כן"))
    assert body["previous_response_id"] == "resp_1"
    assert body["input"] == [{"type": "function_call_output", "call_id": "call_0", "output": "כן"}]


@pytest.mark.parametrize("details", [{"reason": "max_output_tokens"}, {}], ids=["a-reason", "no-reason"])
def test_calls_of_a_response_that_is_incomplete_do_not_run(details: dict[str, str]) -> None:
    cut = [added(ONE), arguments('{"id"'), ended(kind="incomplete", incomplete_details=details, output=[])]
    with pytest.raises(AnswerEmptyError):
        ask(responses, *cut)


# Messages.


def start(index: int = 0, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"type": "content_block_start", "index": index, "content_block": content}


def use(name: str, use_id: str, index: int = 0, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - the input
    return start(index, type="tool_use", id=use_id, name=name, input=given)


def json_part(text: str, index: int = 0) -> dict[str, Any]:
    change = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": change}


def change(index: int, kind: str, name: str, value: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, name: value}}


MESSAGES: dict[str, tuple[list[Event], Written]] = {
    "anthropic": ([use(S, "toolu_1"), json_part(""), json_part('{"id"'), json_part(": 7}"),
                   use(H, "toolu_2", 1), json_part("", 1)], BOTH),
    "interleaved": ([use(S, "toolu_1"), use(H, "toolu_2", 1), json_part('{"id"'), json_part("{}", 1),
                     json_part(": 7}")], BOTH),
    "inputs in the starts": ([use(S, "toolu_1", id=7), use(H, "toolu_2", 1)], BOTH),
    "one index": ([use(S, "toolu_1"), json_part('{"id": 7}'), use(H, "toolu_2")], BOTH),
    "no ids": ([start(type="tool_use", name=S, input={"id": 7}), start(1, type="tool_use", name=H)], BOTH),
}  # fmt: skip
TOOL_USE: list[Event] = [stopped("tool_use"), MESSAGE_STOP]


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("reason", ["tool_use", "end_turn", "stop"])
def test_calls_are_built_from_the_events_of_a_message(name: str, reason: str) -> None:
    events, expected = MESSAGES[name]
    if name == "inputs in the starts":
        events = [start(type="tool_use", id="toolu_1", name=S, input={"id": 7}), *events[1:]]
    answer = called(messages, MESSAGE_START, *events, stopped(reason), MESSAGE_STOP)
    assert written(answer) == expected
    assert answer.state is None


def test_text_before_a_call_of_a_message_is_said() -> None:
    events = [start(type="text", text=""), block("רגע"), use(H, "toolu_1", 1)]
    answer, pieces = ask(messages, MESSAGE_START, *events, *TOOL_USE)
    assert isinstance(answer, ToolCalls)
    assert (answer.text, pieces) == ("רגע", ["רגע"])


def test_thoughts_before_a_call_go_back_unchanged_with_their_signature() -> None:
    events = [
        start(type="thinking", thinking="", signature=""),
        change(0, "thinking_delta", "thinking", "צריך "),
        change(0, "thinking_delta", "thinking", "לבדוק"),
        change(0, "signature_delta", "signature", "c2ln"),
        start(1, type="redacted_thinking", data="cmVk"),
        start(2, type="text", text=""),
        change(2, "text_delta", "text", "רגע"),
        use(S, "toolu_1", 3),
        json_part('{"id": 7}', 3),
    ]
    answer = called(messages, MESSAGE_START, *events, *TOOL_USE)
    assert (answer.text, written(answer)) == ("רגע", [STATUS])
    body = sent_again(messages, answer, "messages", {})
    check_request("messages", body)
    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "צריך לבדוק", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "cmVk"},
        {"type": "text", "text": "רגע"},
        {"type": "tool_use", "id": "toolu_1", "name": S, "input": {"id": 7}},
    ]


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "model_context_window_exceeded"])
def test_calls_of_a_message_that_was_stopped_do_not_run(reason: str) -> None:
    events = [start(type="text", text=""), block("רגע"), use(S, "toolu_1", 1), json_part('{"id"', 1)]
    if reason == "refusal":
        with pytest.raises(RefusedRequestError):
            ask(messages, MESSAGE_START, *events, stopped(reason), MESSAGE_STOP)
        return
    answer, _ = ask(messages, MESSAGE_START, *events, stopped(reason), MESSAGE_STOP)
    assert isinstance(answer, Reply)
    assert (answer.text, answer.cut) == ("רגע", reason)
