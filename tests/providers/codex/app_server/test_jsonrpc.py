"""JSON-RPC and the notifications of a turn, without a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.codex import run_async
from yemot_ai.errors import (
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    QuotaExceededError,
    RateLimitedError,
    UnknownModelError,
)
from yemot_ai.providers.codex.app_server.jsonrpc import REQUEST_ANSWERS, JsonRpc, NotRpcError, RpcError
from yemot_ai.providers.codex.app_server.turn import AppServerTurn, turn_error

THREAD = "01a2021e-e1f2-71a2-898b-4fcd956cbb54"


class Connection:
    """A ``JsonRpc`` with the messages it sent and the notifications it received."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.notifications: list[tuple[str, object]] = []
        self.rpc = JsonRpc(
            lambda data: self.sent.append(json.loads(data)), lambda *item: self.notifications.append(item)
        )

    def receive(self, message: object) -> None:
        self.rpc.feed(json.dumps(message).encode())


@pytest.mark.parametrize("method", sorted(REQUEST_ANSWERS))
def test_an_approval_is_declined_with_the_answer_of_its_method(method: str) -> None:
    connection = Connection()
    connection.receive({"id": 7, "method": method, "params": {}})
    (answer,) = connection.sent
    assert answer["id"] == 7
    (decision,) = answer["result"].values()
    assert decision == "decline" or set(decision) == {"denied"}


@pytest.mark.parametrize(
    "method", ["item/tool/requestUserInput", "account/chatgptAuthTokens/refresh", "new/one"]
)
def test_any_other_request_of_the_server_is_an_error(method: str) -> None:
    connection = Connection()
    connection.receive({"id": "a", "method": method, "params": {}})
    assert connection.sent == [
        {"id": "a", "error": {"code": -32601, "message": f"{method} is not supported"}}
    ]


def test_responses_are_matched_to_requests_in_any_order() -> None:
    async def talk() -> list[object]:
        connection = Connection()
        one, two = connection.rpc.request("a", {}), connection.rpc.request("b", {})
        connection.receive({"id": 2, "result": {"n": 2}})
        connection.receive({"id": 1, "error": {"code": -32600, "message": "no"}})
        connection.receive({"id": 9, "result": {}})
        return [await two, *await asyncio.gather(one, return_exceptions=True)]

    result, refused = run_async(talk())
    assert result == {"n": 2}
    assert isinstance(refused, RpcError)
    assert (refused.method, refused.code, refused.message) == ("a", -32600, "no")


def test_closing_fails_every_pending_request() -> None:
    async def talk() -> list[BaseException | object]:
        connection = Connection()
        waiting = [connection.rpc.request("a", {}), connection.rpc.request("b", {})]
        connection.rpc.close(lambda: ConnectionError("gone"))
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    one, two = run_async(talk())
    assert isinstance(one, ConnectionError)
    assert isinstance(two, ConnectionError)
    assert one is not two


@pytest.mark.parametrize("line", [b"panic!", b"[1]", b"{}", b'{"id":null}', b"\xff\xfe", b"{" * 100_000])
def test_a_line_that_is_no_message_is_refused_without_quoting_it(line: bytes) -> None:
    with pytest.raises(NotRpcError) as caught:
        Connection().rpc.feed(line)
    assert str(caught.value) == f"a line of {len(line)} bytes that is no message"


def test_an_empty_line_is_ignored() -> None:
    connection = Connection()
    connection.rpc.feed(b" \r")
    assert (connection.notifications, connection.sent) == ([], [])


def item(text: str, phase: str | None = None) -> dict[str, Any]:
    return {"item": {"type": "agentMessage", "text": text, "phase": phase}}


def turn_with(
    *notifications: tuple[str, dict[str, Any]], on_text: Callable[[str], object] = lambda _piece: None
) -> AppServerTurn:
    turn = AppServerTurn(THREAD, on_text)
    for method, params in notifications:
        turn.handle(method, params)
    return turn


COMPLETED = ("turn/completed", {"turn": {"status": "completed"}})


def test_the_answer_is_the_final_message_without_commentary() -> None:
    async def turn() -> str:
        finished = turn_with(
            ("item/completed", item("רגע, אני בודק", "commentary")),
            ("item/completed", item("שלוש וחצי", "final_answer")),
            ("item/completed", item("סיימתי", "commentary")),
            COMPLETED,
        )
        return (await finished.outcome).text

    assert run_async(turn()) == "שלוש וחצי"


def test_without_phases_the_answer_is_all_messages() -> None:
    async def turn() -> str:
        return (
            await turn_with(("item/completed", item("א")), ("item/completed", item("ב")), COMPLETED).outcome
        ).text

    assert run_async(turn()) == "א\nב"


def test_text_arrives_sentence_by_sentence() -> None:
    async def turn() -> list[str]:
        written: list[str] = []
        turn_with(
            ("item/agentMessage/delta", {"delta": "של"}),
            ("item/agentMessage/delta", {"delta": "ום."}),
            ("item/agentMessage/delta", {"delta": " פתוח"}),
            ("item/agentMessage/delta", {"delta": " עד 7. ה"}),
            on_text=written.append,
        )
        return written

    assert run_async(turn()) == ["שלום. ", "פתוח עד 7. "]


def test_commentary_is_left_out() -> None:
    async def turn() -> list[str]:
        written: list[str] = []
        commentary = {"type": "agentMessage", "id": "m1", "phase": "commentary"}
        turn_with(
            ("item/started", {"item": commentary}),
            ("item/agentMessage/delta", {"itemId": "m1", "delta": "רגע, אני בודק"}),
            ("item/agentMessage/delta", {"itemId": "m2", "delta": "שלוש וחצי.\n"}),
            on_text=written.append,
        )
        return written

    assert run_async(turn()) == ["שלוש וחצי.\n"]


def test_a_turn_ends_once() -> None:
    async def turn() -> str:
        finished = turn_with(
            ("item/completed", item("א")), COMPLETED, ("item/completed", item("ב")), COMPLETED
        )
        finished.fail(ConnectionError("too late"))
        return (await finished.outcome).text

    assert run_async(turn()) == "א"


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ("contextWindowExceeded", ContextOverflowError),
        ("usageLimitExceeded", QuotaExceededError),
        ("rateLimitExceeded", RateLimitedError),
        ("serverOverloaded", OverloadedError),
        ("modelNotFound", UnknownModelError),
        ({"responseTooManyFailedAttempts": {"httpStatusCode": 429}}, RateLimitedError),
        ({"responseStreamConnectionFailed": {"httpStatusCode": 503}}, OverloadedError),
        ("other", ProviderCrashError),
        (None, ProviderCrashError),
        ({"activeTurnNotSteerable": None}, ProviderCrashError),
    ],
)
def test_an_unknown_message_is_classified_by_its_error_info(info: object, kind: type) -> None:
    error = turn_error({"message": "Something new.", "codexErrorInfo": info}, "failed", THREAD)
    assert type(error) is kind
    assert "Something new." in str(error)
    assert error.thread_id == THREAD
