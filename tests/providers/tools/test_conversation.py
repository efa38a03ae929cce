"""One turn with two tools: two calls in one message, then another one, then the answer; over every API."""

from __future__ import annotations

import json

import pytest

from tests.providers.tools.tool_setups import (
    APIS,
    DOUBLES,
    SPECS,
    Asker,
    Double,
    check_request,
    open_setup,
    round_of,
)
from tests.support.codex import run_async
from yemot_ai.errors import SessionLostError
from yemot_ai.providers import OpenAIProvider
from yemot_ai.providers.values import JSON, Exchange, Reply, ToolCall, ToolCalls, ToolRound
from yemot_ai_testing import ModelServer

each_api = pytest.mark.parametrize("api", APIS)
each_double = pytest.mark.parametrize("double", DOUBLES)
streamed_and_whole = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
with_and_without_state = pytest.mark.parametrize("state", [True, False], ids=["state", "no-state"])

NAMES = tuple(spec.name for spec in SPECS)


def script_turn(double: Double) -> None:
    double.calls(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע, בודק.")
    double.calls("order_status", {"id": 8})
    double.answers("ההזמנה מוכנה")


@each_api
@each_double
@streamed_and_whole
@with_and_without_state
def test_the_model_calls_two_tools_then_one_then_answers(
    api: str, double: str, *, stream: bool, state: bool
) -> None:
    async def turn(asker: Asker) -> Reply | ToolCalls:
        first, said = await asker.ask("מה עם ההזמנה?")
        assert isinstance(first, ToolCalls)
        assert [call.name for call in first.calls] == ["order_status", "opening_hours"]
        assert [json.loads(call.arguments) for call in first.calls] == [{"id": 7}, {}]
        assert len({call.id for call in first.calls}) == 2
        assert first.text == "רגע, בודק."
        assert said.strip() == ("רגע, בודק." if stream else "")
        assert first.usage is not None
        rounds = [round_of(first, "בתנור", "עד שבע", state=state)]
        second, said = await asker.ask("מה עם ההזמנה?", *rounds)
        assert isinstance(second, ToolCalls)
        assert json.loads(second.calls[0].arguments) == {"id": 8}
        assert (second.text, said) == ("", "")
        assert second.calls[0].id not in {call.id for call in first.calls}
        rounds.append(round_of(second, "בדרך", state=state))
        reply, said = await asker.ask("מה עם ההזמנה?", *rounds)
        assert said == ("ההזמנה מוכנה" if stream else "")
        await asker.provider.aclose()
        return reply

    with open_setup(api, double) as (provider, service):
        script_turn(service)
        reply = run_async(turn(Asker(provider, stream)))
    assert isinstance(reply, Reply)
    assert (reply.text, reply.cut) == ("ההזמנה מוכנה", "")
    for request in service.requests:
        check_request(api, request.body)
        assert request.tools == NAMES
    assert service.requests[0].results == ()
    last = service.requests[-1].results
    assert last == (("בדרך",) if state and api == "stored" else ("בתנור", "עד שבע", "בדרך"))


@each_api
@streamed_and_whole
def test_the_next_turn_knows_what_was_said_and_not_what_was_called(api: str, *, stream: bool) -> None:
    async def call(asker: Asker) -> None:
        first, _ = await asker.ask("א")
        second, _ = await asker.ask("א", round_of(first, "בתנור", "עד שבע"))
        reply, _ = await asker.ask("א", round_of(first, "בתנור", "עד שבע"), round_of(second, "בדרך"))
        assert isinstance(reply, Reply)
        session = json.loads(json.dumps(reply.session))
        await asker.ask("ב", session=session)
        await asker.provider.aclose()

    with open_setup(api, "server") as (provider, service):
        script_turn(service)
        service.answers("כן")
        run_async(call(Asker(provider, stream)))
        body = service.requests[-1].body
    messages = body.get("messages") or body["input"]
    if api == "stored":
        assert messages == "ב"
        assert body["previous_response_id"].startswith("resp_")
    else:
        said = [(message["role"], message["content"]) for message in messages]
        assert said == [("user", "א"), ("assistant", "רגע, בודק. ההזמנה מוכנה"), ("user", "ב")]


@each_api
@streamed_and_whole
def test_a_model_that_has_to_answer_gets_the_tools_with_the_choice_none(api: str, *, stream: bool) -> None:
    async def turn(asker: Asker) -> Reply | ToolCalls:
        first, _ = await asker.ask("א")
        answer, _ = await asker.ask("א", round_of(first, "בתנור", "עד שבע"), may_call=False)
        await asker.provider.aclose()
        return answer

    with open_setup(api, "server") as (provider, service):
        service.calls(("order_status", {"id": 7}), ("opening_hours", {})).answers("מוכן")
        answer = run_async(turn(Asker(provider, stream)))
        first, last = service.requests
    assert isinstance(answer, Reply)
    assert "tool_choice" not in first.body
    assert last.body["tool_choice"] == ({"type": "none"} if api == "messages" else "none")
    assert last.tools == NAMES
    check_request(api, last.body)


@each_api
@streamed_and_whole
def test_a_model_that_calls_tools_beside_its_last_answer_has_answered(api: str, *, stream: bool) -> None:
    async def turn(asker: Asker) -> Reply | ToolCalls:
        answer, _ = await asker.ask("א", may_call=False)
        await asker.provider.aclose()
        return answer

    with open_setup(api, "server") as (provider, service):
        service.calls("opening_hours", saying="פתוח עד שבע")
        answer = run_async(turn(Asker(provider, stream)))
    assert isinstance(answer, Reply)
    assert answer.text == "פתוח עד שבע"


@each_api
@streamed_and_whole
def test_rounds_are_rebuilt_in_a_conversation_that_is_rebuilt_itself(api: str, *, stream: bool) -> None:
    history = (Exchange("שלום", "היי"),)
    rounds = ToolRound((ToolCall("call_1", "order_status", '{"id": 7}'),), ("בתנור",), "רגע")

    async def turn(asker: Asker) -> None:
        await asker.ask("מה עם ההזמנה?", rounds, history=history)
        await asker.provider.aclose()

    with open_setup(api, "server") as (provider, service):
        service.answers("מוכן")
        run_async(turn(Asker(provider, stream)))
        (request,) = service.requests
    assert request.user_messages == ("שלום", "מה עם ההזמנה?")
    assert request.results == ("בתנור",)
    check_request(api, request.body)


ODD_CALLS = (
    ToolCall("functions.status:0", "functions.order status", '{"id": '),
    ToolCall("call_2", "", ""),
    ToolCall("x" * 200, "order_status", '["7"]'),
    ToolCall("call_4", "order_status", '{"id": NaN}'),
    ToolCall("call_5", "order_status", '{"note": "\\ud83d"}'),
    ToolCall("call_6", "n" * 99, '{"id": "\ud83d"}'),
)
"""What a model, or another provider, may have written."""


@each_api
@pytest.mark.parametrize("number", range(len(ODD_CALLS)))
def test_a_call_that_no_service_would_take_back_is_sent_as_one_that_it_takes(api: str, number: int) -> None:
    rounds = ToolRound((ODD_CALLS[number],), ("אין כלי כזה \ud83d",), " ")

    async def turn(asker: Asker) -> None:
        await asker.ask("א", rounds)
        await asker.provider.aclose()

    with open_setup(api, "server") as (provider, service):
        service.answers("מוכן")
        run_async(turn(Asker(provider)))
        (request,) = service.requests
    check_request(api, request.body)
    assert request.results == ("אין כלי כזה \ufffd",)
    assert "functions.order status" not in json.dumps(request.body)


@each_api
@streamed_and_whole
def test_broken_arguments_are_passed_on_as_they_are(api: str, *, stream: bool) -> None:
    async def turn(asker: Asker) -> ToolCalls:
        calls, _ = await asker.ask("א")
        assert isinstance(calls, ToolCalls)
        await asker.ask("א", round_of(calls, "לא הבנתי"))
        await asker.provider.aclose()
        return calls

    with open_setup(api, "server") as (provider, service):
        service.calls("order_status", '{"id": ').answers("סליחה")
        calls = run_async(turn(Asker(provider, stream)))
    whole_messages = api == "messages" and not stream  # that API sends objects
    assert calls.calls[0].arguments == ("{}" if whole_messages else '{"id": ')


async def ask_with_a_tool(asker: Asker, session: JSON = None) -> Reply | ToolCalls:
    first, _ = await asker.ask("א", session=session)
    answer, _ = await asker.ask("א", round_of(first, "עד שבע"), session=session)
    await asker.provider.aclose()
    return answer


@streamed_and_whole
def test_a_server_that_keeps_no_responses_gets_the_calls_again(*, stream: bool) -> None:
    with ModelServer(quirks="ollama") as server:
        server.calls("opening_hours").answers("עד שבע")
        provider = OpenAIProvider(api_key="test", model="m", base_url=server.base_url)
        answer = run_async(ask_with_a_tool(Asker(provider, stream)))
        last = server.requests[-1]
    assert isinstance(answer, Reply)
    assert isinstance(answer.session, dict)
    assert answer.session["history"] == [["א", "עד שבע"]]
    assert "previous_response_id" not in last.body
    assert (last.user_messages, last.results) == (("א",), ("עד שבע",))


@streamed_and_whole
def test_the_calls_are_sent_again_if_the_service_has_lost_the_response_with_them(*, stream: bool) -> None:
    with ModelServer() as server:
        server.calls("opening_hours").unknown_session().answers("עד שבע")
        provider = OpenAIProvider(api_key="test", model="m", base_url=server.base_url)
        answer = run_async(ask_with_a_tool(Asker(provider, stream)))
        _, lost, again = (request.body for request in server.requests)
    assert isinstance(answer, Reply)
    assert "previous_response_id" in lost
    assert "previous_response_id" not in again
    assert [item.get("type", "message") for item in again["input"]] == [
        "message",
        "function_call",
        "function_call_output",
    ]


def test_a_conversation_that_is_lost_between_two_requests_of_a_turn_is_lost() -> None:
    async def call(asker: Asker) -> None:
        before, _ = await asker.ask("שלום")
        assert isinstance(before, Reply)
        with pytest.raises(SessionLostError):
            await ask_with_a_tool(asker, before.session)
        await asker.provider.aclose()

    with ModelServer() as server:
        server.answers("היי").calls("opening_hours").unknown_session()
        run_async(call(Asker(OpenAIProvider(api_key="test", model="m", base_url=server.base_url))))


@streamed_and_whole
def test_a_conversation_continues_after_calls_that_were_not_run(*, stream: bool) -> None:
    """The service refuses to continue a response whose calls have no results."""

    async def call(asker: Asker) -> Reply | ToolCalls:
        first, _ = await asker.ask("א", may_call=False)
        assert isinstance(first, Reply)
        assert first.cut == "function_call"
        answer, _ = await asker.ask("ב", session=json.loads(json.dumps(first.session)))
        await asker.provider.aclose()
        return answer

    with ModelServer() as server:
        server.calls(("opening_hours", {}), ("order_status", {"id": 7}), saying="פתוח").answers("כן")
        provider = OpenAIProvider(api_key="test", model="m", base_url=server.base_url)
        answer = run_async(call(Asker(provider, stream)))
        last = server.requests[-1]
    assert isinstance(answer, Reply)
    assert answer.session == {"response_id": answer.session["response_id"]}  # type: ignore[index, call-overload]
    assert (last.results, last.prompt) == (("was not run", "was not run"), "ב")
    check_request("stored", last.body)
