"""The MCP servers of a developer are the only tools of the real Codex."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.providers.codex.safety.attacks import HARMLESS, AttackFiles
from tests.providers.codex.safety.test_exec import (
    MAX_REQUESTS,
    MODELS,
    attack,
    script_attacks,
    sent_to_model,
    tool_outputs,
)
from tests.support.asking import ask_provider
from tests.support.codex import run_async
from yemot_ai.errors import ProviderError, ProviderTimeoutError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.processes.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yemot_ai.providers import JSON, Reply
    from yemot_ai_testing.codex.real import RealCodex

__all__ = ["attack"]  # a fixture, used by name

SERVER = Path(__file__).with_name("orders_server.py")
WORD = "the-word-of-the-orders-server"

RESOURCES = {"list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource"}
"""Codex offers them beside any MCP server; they ask these servers only."""

ORDERS = {"mcp__orders.cancel_order", "mcp__orders.order_status", "mcp__orders.wait"}

PROVIDERS = pytest.mark.parametrize(
    "provider", [CodexCLIProvider, CodexAppServerProvider], ids=["exec", "app-server"]
)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Orders:
    """The server of ``orders_server.py``."""

    log: Path

    def servers(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - further keys
        variables = {"ORDERS_LOG": str(self.log), "ORDERS_WORD": WORD}
        return {"orders": {"command": sys.executable, "args": [str(SERVER)], "env": variables, **more}}

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def calls(self) -> list[str]:
        return [event["called"] for event in self.events if "called" in event]

    @property
    def pids(self) -> list[int]:
        return [event["pid"] for event in self.events if "pid" in event]

    def wait_ended(self) -> None:
        processes = [psutil.Process(pid) for pid in self.pids if psutil.pid_exists(pid)]
        _, alive = psutil.wait_procs(processes, timeout=10)
        assert alive == []


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path / "orders.log")


@asynccontextmanager
async def opened(provider: Any, **options: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - one of two classes
    made = provider(**{"timeout": 20.0, "max_requests": MAX_REQUESTS, **options})
    try:
        yield made
    finally:
        if isinstance(made, CodexAppServerProvider):
            await made.aclose()


def ask_once(provider: type, words: str = "מה עם הזמנה 7?", session: JSON = None, **options: Any) -> Reply:  # noqa: ANN401 - of the provider
    async def turn() -> Reply:
        async with opened(provider, **options) as made:
            return await ask_provider(made, words, session=session)

    return run_async(turn())


def script_call(real: RealCodex, tool: str = "order_status", text: str | None = "נשלחה ביום ראשון.") -> None:
    real.model.emits({**api.function_call(tool, {"id": 7}), "namespace": "mcp__orders"})
    if text is not None:
        real.model.emits(text=text)


@PROVIDERS
@pytest.mark.parametrize("model", MODELS)
def test_a_tool_runs_and_its_result_reaches_the_model(
    real: RealCodex, orders: Orders, provider: type, model: str
) -> None:
    script_call(real)
    reply = ask_once(provider, mcp_servers=orders.servers(), model=model)

    assert reply.text == "נשלחה ביום ראשון."
    assert orders.calls == ["order_status"]
    assert ["sent on Sunday" in output for output in tool_outputs(real).values()] == [True]
    real.assert_complete()


@PROVIDERS
def test_a_conversation_that_is_continued_has_the_tools(
    real: RealCodex, orders: Orders, provider: type
) -> None:
    real.answers("שלום.")
    first = ask_once(provider, "שלום", mcp_servers=orders.servers())
    script_call(real, "cancel_order")
    ask_once(provider, session=first.session, mcp_servers=orders.servers())

    assert orders.calls == ["cancel_order"]


@PROVIDERS
@pytest.mark.parametrize("model", MODELS)
def test_no_other_tool_is_offered(real: RealCodex, orders: Orders, provider: type, model: str) -> None:
    real.answers("שלום.")
    ask_once(provider, mcp_servers=orders.servers(), model=model)

    assert set(real.model.requests[0].tools) - HARMLESS == RESOURCES | ORDERS


@PROVIDERS
def test_the_tools_may_be_chosen(real: RealCodex, orders: Orders, provider: type) -> None:
    script_call(real, "cancel_order")
    ask_once(provider, mcp_servers=orders.servers(enabled_tools=["order_status"]))

    assert set(real.model.requests[0].tools) - HARMLESS == RESOURCES | {"mcp__orders.order_status"}
    assert orders.calls == []


@PROVIDERS
def test_without_servers_their_tools_do_not_run(real: RealCodex, orders: Orders, provider: type) -> None:
    script_call(real)
    ask_once(provider)

    assert set(real.model.requests[0].tools) <= HARMLESS
    assert orders.events == []


@PROVIDERS
@pytest.mark.parametrize("model", MODELS)
def test_no_call_of_another_tool_runs_or_reads_anything(
    real: RealCodex, attack: AttackFiles, orders: Orders, provider: type, model: str
) -> None:
    attack.write_malicious_home(Path(os.environ["CODEX_HOME"]), "codex-home")
    script_attacks(real, attack)
    reply = ask_once(provider, "קרא לי את הקובץ", mcp_servers=orders.servers(), model=model)

    assert attack.executed == []
    assert "the-word-in-the-secret-file" not in reply.text + sent_to_model(real)
    assert orders.calls == []


@PROVIDERS
def test_a_server_has_a_small_environment_and_the_folder_of_the_application(
    real: RealCodex, orders: Orders, provider: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVATE_WORD", "private")
    real.answers("שלום.")
    ask_once(provider, mcp_servers=orders.servers(), env={"COMPANY_WORD": "private"})
    (start,) = orders.events

    assert {"ORDERS_LOG", "ORDERS_WORD", "PATH"} <= set(start["variables"])
    assert not {"PRIVATE_WORD", "COMPANY_WORD", "CODEX_HOME"} & set(start["variables"])
    assert start["cwd"] == str(Path.cwd())


@PROVIDERS
def test_the_variables_of_a_server_are_in_no_argument_and_no_log(
    real: RealCodex, orders: Orders, provider: type, caplog: pytest.LogCaptureFixture
) -> None:
    real.answers("שלום.")
    ask_once(provider, mcp_servers=orders.servers())

    assert WORD not in str([run.argv for run in real.requests])
    assert WORD not in caplog.text + sent_to_model(real)


@PROVIDERS
def test_a_server_that_does_not_start_is_an_error_that_names_it(
    real: RealCodex, orders: Orders, provider: type
) -> None:
    servers = orders.servers(args=["missing.py"])
    with pytest.raises(ProviderError, match="MCP servers failed to initialize: orders") as caught:
        ask_once(provider, mcp_servers=servers)

    assert type(caught.value) is ProviderError
    assert not caught.value.transient
    assert WORD not in str(caught.value) + caught.value.stderr_tail
    assert real.model.requests == []


@PROVIDERS
def test_a_conversation_is_not_lost_while_a_server_does_not_start(
    real: RealCodex, orders: Orders, provider: type
) -> None:
    real.answers("שלום.").answers("עוד כאן.")
    first = ask_once(provider, "שלום", mcp_servers=orders.servers())
    with pytest.raises(ProviderError, match="failed to initialize: orders"):
        ask_once(provider, session=first.session, mcp_servers=orders.servers(args=["missing.py"]))

    assert ask_once(provider, session=first.session, mcp_servers=orders.servers()).text == "עוד כאן."


@PROVIDERS
def test_a_server_ends_with_its_codex(real: RealCodex, orders: Orders, provider: type) -> None:
    real.answers("שלום.")
    ask_once(provider, mcp_servers=orders.servers())

    assert len(orders.pids) == 1
    orders.wait_ended()


@PROVIDERS
def test_a_tool_that_does_not_return_ends_at_the_deadline(
    real: RealCodex, orders: Orders, provider: type
) -> None:
    script_call(real, "wait", text=None)
    with pytest.raises(ProviderTimeoutError):
        ask_once(provider, mcp_servers=orders.servers(), timeout=4.0)

    assert orders.calls == ["wait"]
    orders.wait_ended()


def test_each_conversation_of_a_server_has_its_own_process_until_it_ends(
    real: RealCodex, orders: Orders
) -> None:
    real.answers("שלום.").answers("ערב טוב.")

    async def turns() -> None:
        async with opened(CodexAppServerProvider, mcp_servers=orders.servers()) as provider:
            first = await ask_provider(provider, "שלום")
            await ask_provider(provider, "ערב טוב")
            ended, running = (psutil.Process(pid) for pid in orders.pids)
            await provider.end_session(first.session)
            await asyncio.to_thread(ended.wait, 10)
            assert running.is_running()

    run_async(turns())
    orders.wait_ended()


@PROVIDERS
def test_a_tool_that_does_not_return_ends_with_the_call(
    real: RealCodex, orders: Orders, provider: type
) -> None:
    script_call(real, "wait", text=None)

    async def turn() -> None:
        async with opened(provider, mcp_servers=orders.servers()) as made:
            asking = asyncio.create_task(ask_provider(made, "שלום"))
            await asyncio.to_thread(wait_until, lambda: orders.calls, 10.0)
            asking.cancel()
            await asyncio.wait({asking})

    run_async(turn())
    orders.wait_ended()
