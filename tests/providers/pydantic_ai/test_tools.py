"""The tools of a flow, called by an agent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.models.function import FunctionModel

from tests.providers.pydantic_ai.asking import Model, ask_now, called, give, offer, said, through_json
from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers import PydanticAIProvider, ToolCall, ToolCalls, ToolProvider, ToolRound
from yemot_ai.providers.provider import Exchange

MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def round_of(calls: ToolCalls, *results: str, restarted: bool = False) -> ToolRound:
    return ToolRound(calls.calls, results, calls.text, None if restarted else through_json(calls.state))


def test_the_provider_takes_tools() -> None:
    provider = PydanticAIProvider(Model().agent())

    assert isinstance(provider, ToolProvider)
    assert provider.takes_tools


@MODES
@pytest.mark.parametrize("restarted", [False, True], ids=["same-worker", "other-worker"])
def test_a_turn_has_two_rounds_of_calls_and_an_answer(*, restarted: bool, stream: bool) -> None:
    both = called(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע, בודק.")
    model = Model(both, called(("order_status", {"id": 8})), said("נשלח."))
    provider = PydanticAIProvider(model.agent())
    options: dict[str, Any] = {
        "instructions": "ענה בקצרה",
        "history": [Exchange("שלום", "היי")],
        "stream": stream,
    }

    first = ask_now(provider, "מה עם 7?", tools=offer(), **options)
    rounds = [round_of(first.calls, "sent", "8-17", restarted=restarted)]
    second = ask_now(provider, "מה עם 7?", tools=offer(*rounds), **options)
    rounds.append(round_of(second.calls, "lost", restarted=restarted))
    last = ask_now(provider, "מה עם 7?", tools=offer(*rounds), **options)

    assert [(call.name, call.arguments) for call in first.calls.calls] == [
        ("order_status", '{"id":7}'),
        ("opening_hours", "{}"),
    ]
    assert (first.calls.text, "".join(first.pieces)) == ("רגע, בודק.", "רגע, בודק." if stream else "")
    assert last.reply.text == "נשלח."
    assert [content for kind, content in model.sent() if kind in {"user-prompt", "text", "tool-return"}] == [
        "שלום", "היי", "מה עם 7?", "רגע, בודק.", "sent", "8-17", "lost",
    ]  # fmt: skip
    assert [kind for kind, _ in model.sent()].count("user-prompt") == 2


def test_the_specs_reach_the_model_beside_the_agents_own_tools() -> None:
    model = Model(said("כן"))
    agent = model.agent()
    give(agent, "stock", lambda: "3")
    ask_now(PydanticAIProvider(agent), "יש?", tools=offer())
    offered = {tool.name: tool for tool in model.offered[0].function_tools}

    assert set(offered) == {"stock", "order_status", "opening_hours"}
    assert offered["order_status"].description == "The status of an order."
    assert offered["order_status"].parameters_json_schema["required"] == ["id"]


@MODES
def test_the_agents_own_tool_runs_beside_a_call_of_the_flows(*, stream: bool) -> None:
    model = Model(called(("stock", {}), ("order_status", {"id": 7})), said("כן"))
    agent = model.agent()
    give(agent, "stock", lambda: "3")
    provider = PydanticAIProvider(agent)
    first = ask_now(provider, "יש?", tools=offer(), stream=stream)
    rounds = (round_of(first.calls, "sent"),)
    ask_now(provider, "יש?", tools=offer(*rounds), stream=stream)

    assert [call.name for call in first.calls.calls] == ["order_status"]
    assert [content for kind, content in model.sent() if kind == "tool-return"] == ["3", "sent"]


def test_the_next_turn_knows_the_calls_and_the_results() -> None:
    model = Model(called(("order_status", {"id": 7})), said("נשלח"), said("כן"))
    provider = PydanticAIProvider(model.agent())
    first = ask_now(provider, "מה עם 7?", tools=offer())
    done = ask_now(provider, "מה עם 7?", tools=offer(round_of(first.calls, "sent")))
    ask_now(provider, "בטוח?", session=done.session, tools=offer())

    assert [kind for kind, _ in model.sent()] == [
        "user-prompt",
        "tool-call",
        "tool-return",
        "text",
        "user-prompt",
    ]


def test_a_model_that_must_answer_may_call_no_tool() -> None:
    model = Model(called(("order_status", {"id": 7})), said("לא הצלחתי"))
    provider = PydanticAIProvider(model.agent())
    first = ask_now(provider, "מה עם 7?", tools=offer())
    ask_now(provider, "מה עם 7?", tools=offer(round_of(first.calls, "sent"), may_call=False))

    settings = [info.model_settings for info in model.offered]
    assert settings[0] is None
    assert settings[1] == {"tool_choice": "none"}


def test_arguments_that_are_no_json_are_corrected_by_the_model() -> None:
    model = Model(called(("order_status", '{"id": ')), called(("order_status", {"id": 7})))
    asked = ask_now(PydanticAIProvider(model.agent()), "מה עם 7?", tools=offer())

    assert asked.calls.calls[0].arguments == '{"id":7}'
    assert len(model.requests) == 2


def test_the_model_learns_that_a_tool_does_not_exist() -> None:
    model = Model(called(("nonsense", {})), said("אין לי כלי כזה"))
    asked = ask_now(PydanticAIProvider(model.agent()), "מה?", tools=offer())

    assert asked.reply.text == "אין לי כלי כזה"


@pytest.mark.parametrize("ids", [("", ""), ("call_0", "call_0")], ids=["none", "same"])
def test_rounds_of_a_provider_without_ids_are_continued(ids: tuple[str, str]) -> None:
    calls = (ToolCall(ids[0], "order_status", '{"id":7}'), ToolCall(ids[1], "nonsense", "no json"))
    earlier = ToolRound(calls, ("sent", "no such tool"))
    last = ToolRound(calls, ("lost", "no such tool"), "עוד רגע")
    model = Model(said("נשלח"))
    asked = ask_now(PydanticAIProvider(model.agent()), "מה עם 7?", tools=offer(earlier, last))

    assert asked.reply.text == "נשלח"
    returned = [content for kind, content in model.sent() if kind == "tool-return"]
    assert returned == ["sent", "no such tool", "lost", "no such tool"]


def test_the_state_of_another_provider_is_a_lost_session() -> None:
    strange = ToolRound((ToolCall("1", "order_status", "{}"),), ("sent",), state="resp_1")

    with pytest.raises(SessionLostError):
        ask_now(PydanticAIProvider(Model().agent()), "מה עם 7?", tools=offer(strange))


def test_a_tool_of_the_agent_that_needs_an_approval_is_no_answer() -> None:
    model = Model(called(("delete_all", {})))
    agent = model.agent()
    give(agent, "delete_all", lambda: "deleted", requires_approval=True)

    with pytest.raises(ProviderError, match="'delete_all' waits for an approval"):
        ask_now(PydanticAIProvider(agent), "מחק", tools=offer())


def test_a_tool_of_the_flow_with_the_name_of_one_of_the_agents_is_an_error() -> None:
    agent = Model().agent()
    give(agent, "order_status", lambda: "3")

    with pytest.raises(ProviderError, match="order_status"):
        ask_now(PydanticAIProvider(agent), "מה?", tools=offer())


def test_an_agent_with_output_validators_takes_tools_if_its_output_allows_for_calls() -> None:
    model = Model(called(("order_status", {"id": 7})), said("נשלח"))
    agent = Agent(FunctionModel(model.answer), output_type=[str, DeferredToolRequests])

    @agent.output_validator
    def emphatic(output: Any) -> Any:  # noqa: ANN401 - a text, or calls
        return f"{output}!" if isinstance(output, str) else output

    provider = PydanticAIProvider(agent, streams=False)
    first = ask_now(provider, "מה עם 7?", tools=offer())
    last = ask_now(provider, "מה עם 7?", tools=offer(round_of(first.calls, "sent")))

    assert last.reply.text == "נשלח!"


def test_an_agent_with_output_validators_and_another_output_is_an_error() -> None:
    agent = Model().agent()
    agent.output_validator(lambda text: text)

    with pytest.raises(ProviderError, match="output validators"):
        ask_now(PydanticAIProvider(agent), "מה?", tools=offer())
