"""The step in which a model calls tools, in every double that can run it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.support.codex import run_async
from yemot_ai.errors import ProviderError
from yemot_ai.providers import (
    AnthropicProvider,
    OpenAIProvider,
    ToolCalls,
    ToolRequest,
    ToolSpec,
    read_answer,
)
from yemot_ai.providers.values import ToolRound
from yemot_ai_testing import AnthropicMock, FakeCodex, ModelServer, OpenAIMock, ScriptedProvider
from yemot_ai_testing.doubles.model_service.servers.registry import SERVERS
from yemot_ai_testing.doubles.script import ScriptMismatchError
from yemot_ai_testing.doubles.scripted_double import unchecked
from yemot_ai_testing.doubles.steps import Calls

SPECS = (ToolSpec("order_status", "", {"type": "object"}), ToolSpec("opening_hours", "", {"type": "object"}))
CHAT_TOOLS: list[Any] = [{"type": "function", "function": {"name": spec.name}} for spec in SPECS]
TOOLS: list[Any] = [{"type": "function", "name": spec.name, "parameters": {}} for spec in SPECS]
MESSAGE_TOOLS: list[Any] = [{"name": spec.name, "input_schema": {"type": "object"}} for spec in SPECS]
PROMPT: list[Any] = [{"role": "user", "content": "מה עם ההזמנה?"}]


# The step.


@pytest.mark.parametrize(
    ("arguments", "tools", "written"),
    [
        (("hours",), ("hours",), ["{}"]),
        (("status", {"id": 7}), ("status",), ['{"id": 7}']),
        (("status", '{"id": '), ("status",), ['{"id": ']),
        (("status", ""), ("status",), [""]),
        ((("status", {"id": 7}), ("hours", {})), ("status", "hours"), ['{"id": 7}', "{}"]),
        ((("status", {"id": 7}), ("hours",)), ("status", "hours"), ['{"id": 7}', "{}"]),
        ((("שעות", {"יום": "א"}),), ("שעות",), ['{"יום": "א"}']),
    ],
)
def test_a_step_has_one_call_or_several(
    arguments: tuple[Any, ...], tools: tuple[str, ...], written: list[str]
) -> None:
    double = ScriptedProvider().calls(*arguments, saying="רגע", after=1.5)
    step = double.script.take("")
    assert isinstance(step, Calls)
    assert (step.tools, step.saying, step.after) == (tools, "רגע", 1.5)
    assert step.calls == tuple(zip(tools, written, strict=True))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((), ValueError, "at least one tool"),
        (("",), ValueError, "a tool has a name"),
        ((" ",), ValueError, "a tool has a name"),
        ((7,), TypeError, "a call is a tool and its arguments"),
        (("status", 7), TypeError, "the arguments of status are a mapping"),
        (("status", [7]), TypeError, "the arguments of status are a mapping"),
        (("status", {7: "id"}), TypeError, "the arguments of status are a mapping"),
        (("status", {"id": object()}), TypeError, "JSON"),
        (("status", {"id": float("nan")}), ValueError, "JSON"),
        (("status", {"id": 7}, "more"), TypeError, "a call is a tool and its arguments"),
        ((("status", {"id": 7}), "hours"), TypeError, "a call is a tool and its arguments"),
        ((("status", {"id": 7}), ()), TypeError, "a call is a tool and its arguments"),
    ],
)
def test_a_call_that_no_model_writes_is_refused(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    double = ScriptedProvider()
    with pytest.raises(error, match=message):
        double.calls(*arguments)
    assert double.script.steps_left == 0


@pytest.mark.parametrize(
    "options", [{"saying": 7}, {"after": -1}, {"after": "1"}], ids=["text", "negative", "no-number"]
)
def test_the_options_of_a_call_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        ScriptedProvider().calls("hours", **options)


def test_the_arguments_of_a_step_do_not_change_with_those_that_were_given() -> None:
    arguments = {"id": 7}
    double = ScriptedProvider().calls("status", arguments)
    arguments["id"] = 8
    assert double.script.take("") == Calls(("status",), ({"id": 7},))


def test_codex_refuses_the_step() -> None:
    codex = FakeCodex()
    try:
        assert not hasattr(codex, "calls")
        with pytest.raises(
            AttributeError, match=r"no step calls\(\): .* ScriptedProvider, .* Codex calls no tools"
        ):
            codex.calls("hours")  # type: ignore[attr-defined]  # that is the mistake
        with pytest.raises(TypeError, match="Codex calls no tools of an application"):
            codex.add(Calls(("hours",)))
    finally:
        codex.close()


# ScriptedProvider.


def ask(provider: ScriptedProvider, *rounds: ToolRound, may_call: bool = True) -> Any:  # noqa: ANN401 - either answer
    pieces: list[str] = []
    parts = provider.ask("א", stream=True, tools=ToolRequest(SPECS, rounds, may_call))
    answer = provider.engine.run(read_answer(parts, provider.name, pieces.append))
    return answer, pieces


@pytest.mark.parametrize(
    ("double", "step", "owners"),
    [
        (FakeCodex, "transcribes", "ScriptedProvider, ModelServer and OpenAIMock"),
        (ScriptedProvider, "crashes", "FakeCodex and RealCodex"),
        (AnthropicMock, "unknown_session", "ScriptedProvider, ModelServer and OpenAIMock, and of FakeCodex"),
        (OpenAIMock, "reconnects", "FakeCodex and RealCodex"),
    ],
)
def test_a_step_of_other_doubles_is_refused_with_their_names(
    double: Callable[[], Any], step: str, owners: str
) -> None:
    made = double()

    with pytest.raises(AttributeError, match=rf"has no step {step}\(\): it is one of {owners}"):
        getattr(made, step)
    with pytest.raises(AttributeError, match="object has no attribute 'answer'"):
        made.answer  # noqa: B018 - the attribute itself is the mistake
    if isinstance(made, FakeCodex):
        made.close()


def test_a_scripted_provider_calls_and_records_what_it_gets() -> None:
    provider = ScriptedProvider().calls(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע")
    provider.answers("מוכן")
    calls, pieces = ask(provider)
    assert isinstance(calls, ToolCalls)
    assert [(call.name, call.arguments) for call in calls.calls] == [
        ("order_status", '{"id": 7}'),
        ("opening_hours", "{}"),
    ]
    assert (calls.text, pieces) == ("רגע", ["רגע"])
    done = ToolRound(calls.calls, ("בתנור", "עד שבע"), calls.text, calls.state)
    reply, _ = ask(provider, done, may_call=False)
    assert reply.text == "מוכן"
    first, last = provider.requests
    assert (first.tools, first.rounds, first.may_call) == (("order_status", "opening_hours"), (), True)
    assert (last.rounds, last.may_call) == ((done,), False)
    provider.assert_complete()


def test_the_requests_of_a_turn_continue_one_session() -> None:
    provider = ScriptedProvider().calls("opening_hours").answers("מוכן")
    calls, _ = ask(provider)
    reply, _ = ask(provider, ToolRound(calls.calls, ("עד שבע",), "", calls.state))
    assert reply.session == calls.state == "scripted-1"


def test_a_call_takes_the_time_before_it() -> None:
    provider = ScriptedProvider().calls("opening_hours", after=30)

    async def turn() -> float:
        started = asyncio.get_running_loop().time()
        await read_answer(provider.ask("א", tools=ToolRequest(SPECS)), provider.name)
        return asyncio.get_running_loop().time() - started

    assert provider.engine.run(turn()) == pytest.approx(30)


def test_a_request_without_tools_cannot_take_the_step() -> None:
    provider = ScriptedProvider().calls("opening_hours")
    with pytest.raises(ProviderError, match="nothing is scripted"):
        provider.engine.run(read_answer(provider.ask("א"), provider.name))
    with pytest.raises(ScriptMismatchError, match="a request without tools: the step calls one"):
        provider.assert_complete()


# The services, asked through their SDKs.


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_messages_reads_tools_and_results(*, stream: bool) -> None:
    with AnthropicMock() as mock:
        mock.calls(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע").answers("מוכן")
        client = anthropic.Anthropic(api_key="test")
        shared: dict[str, Any] = {"model": "m", "max_tokens": 9, "tools": MESSAGE_TOOLS}
        if stream:
            with client.messages.stream(messages=PROMPT, **shared) as events:
                message = events.get_final_message()
        else:
            message = client.messages.create(messages=PROMPT, **shared)
        uses = [block for block in message.content if block.type == "tool_use"]
        results: list[Any] = [
            {"type": "tool_result", "tool_use_id": use.id, "content": result}
            for use, result in zip(uses, ("בתנור", [{"type": "text", "text": "עד שבע"}]), strict=True)
        ]
        turn: list[Any] = [*PROMPT, message.to_param(), {"role": "user", "content": results}]
        client.messages.create(messages=turn, **shared)
    assert message.stop_reason == "tool_use"
    assert [(use.name, use.input) for use in uses] == [("order_status", {"id": 7}), ("opening_hours", {})]
    assert all(use.id.startswith("toolu_") for use in uses)
    first, last = mock.requests
    assert first.tools == ("order_status", "opening_hours")
    assert (last.prompt, last.results) == ("מה עם ההזמנה?", ("בתנור", "עד שבע"))


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_chat_completions_read_tools_and_results(*, stream: bool) -> None:
    with OpenAIMock() as mock:
        mock.calls(("order_status", {"id": 7}), ("opening_hours", {})).answers("מוכן")
        client = openai.OpenAI(api_key="test")
        shared: dict[str, Any] = {"model": "m", "tools": CHAT_TOOLS}
        if stream:
            with client.chat.completions.stream(messages=PROMPT, **shared) as events:
                choice: Any = events.get_final_completion().choices[0]
        else:
            choice = client.chat.completions.create(messages=PROMPT, **shared).choices[0]
        calls = choice.message.tool_calls
        sent = [
            one.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}})
            for one in calls
        ]
        results = [{"role": "tool", "tool_call_id": one.id, "content": "כן"} for one in calls]
        turn: list[Any] = [*PROMPT, {"role": "assistant", "tool_calls": sent}, *results]
        client.chat.completions.create(messages=turn, **shared)
    assert choice.finish_reason == "tool_calls"
    assert [json.loads(one.function.arguments) for one in calls] == [{"id": 7}, {}]
    assert all(one.id.startswith("call_") for one in calls)
    assert mock.requests[1].results == ("כן", "כן")


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_responses_read_tools_and_results(*, stream: bool) -> None:
    with OpenAIMock() as mock:
        mock.calls(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע").answers("מוכן")
        client = openai.OpenAI(api_key="test")
        shared: dict[str, Any] = {"model": "m", "tools": TOOLS}
        if stream:
            with client.responses.stream(input="מה עם ההזמנה?", **shared) as events:
                response: Any = events.get_final_response()
        else:
            response = client.responses.create(input="מה עם ההזמנה?", **shared)
        calls = [item for item in response.output if item.type == "function_call"]
        results: list[Any] = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "כן"} for call in calls
        ]
        client.responses.create(input=results, previous_response_id=response.id, **shared)
    assert response.output_text == "רגע"
    assert [json.loads(call.arguments) for call in calls] == [{"id": 7}, {}]
    last = mock.requests[1]
    assert (last.prompt, last.results) == ("(the results of 2 calls)", ("כן", "כן"))


SERVED = [
    (server, api.api.ENDPOINT)
    for server in sorted(SERVERS)
    for api in SERVERS[server].apis
    if api.api.ENDPOINT in {"/responses", "/chat/completions", "/messages"}
]


@pytest.mark.parametrize(("server", "endpoint"), SERVED)
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_every_server_calls_tools_in_its_apis(server: str, endpoint: str, *, stream: bool) -> None:
    async def turn(model: ModelServer) -> tuple[Any, Any]:
        provider = _provider(endpoint, model)
        on_piece = (lambda piece: None) if stream else None
        parts = provider.ask("א", stream=stream, tools=ToolRequest(SPECS))
        calls = await read_answer(parts, provider.name, on_piece)
        assert isinstance(calls, ToolCalls)
        done = ToolRound(calls.calls, ("בתנור", "עד שבע"), calls.text, calls.state)
        parts = provider.ask("א", stream=stream, tools=ToolRequest(SPECS, (done,)))
        reply = await read_answer(parts, provider.name, on_piece)
        await provider.aclose()
        return calls, reply

    with ModelServer(quirks=server) as model:
        model.calls(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע").answers("מוכן")
        calls, reply = run_async(turn(model))
    assert [json.loads(call.arguments) for call in calls.calls] == [{"id": 7}, {}]
    assert len({call.id for call in calls.calls}) == 2
    assert (calls.text, reply.text) == ("רגע", "מוכן")


def _provider(endpoint: str, model: ModelServer) -> OpenAIProvider | AnthropicProvider:
    if endpoint == "/messages":
        return AnthropicProvider(api_key="test", model="m", base_url=model.root_url)
    api: Any = "responses" if endpoint == "/responses" else "chat"
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url, api=api)


def test_a_service_does_not_call_a_tool_without_tools() -> None:
    with unchecked(OpenAIMock()) as mock:
        mock.calls("opening_hours")
        with pytest.raises(openai.BadRequestError):
            openai.OpenAI(api_key="test", max_retries=0).responses.create(model="m", input="א")
        with pytest.raises(ScriptMismatchError, match="a request without tools: the step calls one"):
            mock.assert_complete()


def test_a_result_without_its_call_in_the_stored_response_is_refused() -> None:
    with unchecked(ModelServer()) as model:
        model.calls("opening_hours")
        client = openai.OpenAI(api_key="test", base_url=model.base_url, max_retries=0)
        response = client.responses.create(model="m", input="א", tools=TOOLS)
        shared: dict[str, Any] = {"model": "m", "tools": TOOLS, "previous_response_id": response.id}
        with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_"):
            client.responses.create(input="ומה עכשיו?", **shared)
        other: list[Any] = [{"type": "function_call_output", "call_id": "call_x", "output": "כן"}]
        with pytest.raises(openai.BadRequestError, match="function call output with call_id call_x"):
            client.responses.create(input=other, **shared)
        with pytest.raises(ScriptMismatchError, match="No tool output found"):
            model.assert_complete()
