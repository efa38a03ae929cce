"""One conversation with two tools over each API, streamed and whole, and over each store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic_ai import Agent

from tests.providers.pydantic_ai.test_over_the_wire import model_at
from tests.support.flow_line import Line
from tests.support.stores import store_factory
from yemot_ai import AICall, AIFlow, DialogSettings, ToolContext, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Provider, PydanticAIProvider
from yemot_ai.sessions import SessionStore
from yemot_ai_testing import ModelServer

KEY = "test-key"
PATIENT = DialogSettings(answer_wait=5.0, poll_wait=5.0)

PROVIDERS: dict[str, Callable[[ModelServer], Provider]] = {
    "responses": lambda server: OpenAIProvider(api_key=KEY, base_url=server.base_url),
    "responses without storage": lambda server: OpenAIProvider(
        api_key=KEY, base_url=server.base_url, store=False
    ),
    "chat": lambda server: OpenAIProvider(api_key=KEY, base_url=server.base_url, api="chat"),
    "anthropic": lambda server: AnthropicProvider(api_key=KEY, base_url=server.root_url),
    "pydantic-ai": lambda server: PydanticAIProvider(Agent(model_at(server))),
}


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    return store_factory(request, tmp_path)()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Kitchen:
    """Two tools, and their runs."""

    def __init__(self) -> None:
        self.runs: list[tuple[object, ...]] = []

    def tools(self) -> list[Callable[..., object]]:
        def order_status(number: int, detailed: bool = False) -> dict[str, object]:  # noqa: FBT001, FBT002 - by name
            """Return the status of an order."""
            self.runs.append(("status", number, detailed))
            return {"status": "מוכנה"}

        async def cancel_order(call: ToolContext, number: int) -> str:
            """Cancel an order."""
            self.runs.append(("cancel", number, call.phone))
            return "בוטלה"

        return [order_status, cancel_order]


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_conversation_with_two_tools(
    server: ModelServer, store: SessionStore, name: str, *, stream: bool
) -> None:
    engine, kitchen = Engine(), Kitchen()
    ai = YemotAI(provider=PROVIDERS[name](server), store=store)
    flow = AIFlow(ai, dialog=PATIENT)

    @flow.ai_agent("", greeting="שלום", tools=kitchen.tools(), stream=stream)
    def agent(call: AICall, text: str) -> None: ...

    server.calls(("order_status", {"number": 7}), ("order_status", {"number": 8, "detailed": True}))
    server.calls("cancel_order", {"number": 8}, saying="רגע אני מבטל.").answers("ביטלתי את 8")
    server.answers("בבקשה")
    line = Line(flow, "c1")
    line.enter("")
    first = line.says("תבטלו את 8 אם היא מוכנה")
    second = line.says("תודה")
    line.hang_up()
    ai.close()
    engine.close()

    assert "ביטלתי את 8" in first
    assert "בבקשה" in second
    assert kitchen.runs == [("status", 7, False), ("status", 8, True), ("cancel", 8, "0501234567")]
    server.assert_complete()
    assert [len(request.results) for request in server.requests][:2] == [0, 2]
    assert server.requests[1].results[0] == '{"status": "מוכנה"}'
