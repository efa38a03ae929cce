"""The wire to a Codex server, and what is read of a turn: without any process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.codex import asked
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


class Wire:
    """Both sides of a wire: what was sent, and what was heard."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.heard: list[tuple[str, object]] = []
        self.rpc = JsonRpc(
            lambda data: self.sent.append(json.loads(data)), lambda *told: self.heard.append(told)
        )

    def says(self, message: object) -> None:
        self.rpc.feed(json.dumps(message).encode())


@pytest.mark.parametrize("method", sorted(REQUEST_ANSWERS))
def test_an_approval_is_declined_in_the_words_of_its_method(method: str) -> None:
    wire = Wire()
    wire.says({"id": 7, "method": method, "params": {}})
    (answer,) = wire.sent
    assert answer["id"] == 7
    (decision,) = answer["result"].values()
    assert decision == "decline" or set(decision) == {"denied"}


@pytest.mark.parametrize(
    "method", ["item/tool/requestUserInput", "account/chatgptAuthTokens/refresh", "new/one"]
)
def test_whatever_else_the_server_asks_is_an_error(method: str) -> None:
    wire = Wire()
    wire.says({"id": "a", "method": method, "params": {}})
    assert wire.sent == [
        {"id": "a", "error": {"code": -32601, "message": f"nobody here can answer {method}"}}
    ]


def test_answers_find_their_questions_in_any_order() -> None:
    async def talk() -> list[object]:
        wire = Wire()
        one, two = wire.rpc.request("a", {}), wire.rpc.request("b", {})
        wire.says({"id": 2, "result": {"n": 2}})
        wire.says({"id": 1, "error": {"code": -32600, "message": "no"}})
        wire.says({"id": 9, "result": {}})
        return [await two, *await asyncio.gather(one, return_exceptions=True)]

    result, refused = asked(talk())
    assert result == {"n": 2}
    assert isinstance(refused, RpcError)
    assert (refused.method, refused.code, refused.message) == ("a", -32600, "no")


def test_a_wire_that_breaks_is_told_to_everybody_who_waits() -> None:
    async def talk() -> list[BaseException | object]:
        wire = Wire()
        waiting = [wire.rpc.request("a", {}), wire.rpc.request("b", {})]
        wire.rpc.close(lambda: ConnectionError("gone"))
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    one, two = asked(talk())
    assert isinstance(one, ConnectionError)
    assert isinstance(two, ConnectionError)
    assert one is not two


@pytest.mark.parametrize("line", [b"panic!", b"[1]", b"{}", b'{"id":null}', b"\xff\xfe", b"{" * 100_000])
def test_a_line_that_is_no_message_is_refused_without_quoting_it(line: bytes) -> None:
    with pytest.raises(NotRpcError) as caught:
        Wire().rpc.feed(line)
    assert str(caught.value) == f"a line of {len(line)} bytes that is no message"


def test_an_empty_line_is_nothing() -> None:
    wire = Wire()
    wire.rpc.feed(b" \r")
    assert (wire.heard, wire.sent) == ([], [])


def item(text: str, phase: str | None = None) -> dict[str, Any]:
    return {"item": {"type": "agentMessage", "text": text, "phase": phase}}


def heard(
    *told: tuple[str, dict[str, Any]], writes: Callable[[str], object] = lambda _piece: None
) -> AppServerTurn:
    turn = AppServerTurn(THREAD, writes)
    for method, params in told:
        turn.handle(method, params)
    return turn


COMPLETED = ("turn/completed", {"turn": {"status": "completed"}})


def test_the_answer_is_the_final_one_and_not_what_was_said_on_the_way() -> None:
    async def turn() -> str:
        told = heard(
            ("item/completed", item("רגע, אני בודק", "commentary")),
            ("item/completed", item("שלוש וחצי", "final_answer")),
            ("item/completed", item("סיימתי", "commentary")),
            COMPLETED,
        )
        return (await told.outcome).text

    assert asked(turn()) == "שלוש וחצי"


def test_without_phases_the_answer_is_the_last_message() -> None:
    async def turn() -> str:
        return (
            await heard(("item/completed", item("א")), ("item/completed", item("ב")), COMPLETED).outcome
        ).text

    assert asked(turn()) == "ב"


def test_what_is_written_is_told_piece_by_piece() -> None:
    async def turn() -> list[str]:
        written: list[str] = []
        heard(
            ("item/agentMessage/delta", {"delta": "של"}),
            ("item/agentMessage/delta", {"delta": "ום"}),
            writes=written.append,
        )
        return written

    assert asked(turn()) == ["של", "ום"]


def test_commentary_is_not_told() -> None:
    async def turn() -> list[str]:
        written: list[str] = []
        aside = {"type": "agentMessage", "id": "m1", "phase": "commentary"}
        heard(
            ("item/started", {"item": aside}),
            ("item/agentMessage/delta", {"itemId": "m1", "delta": "רגע, אני בודק"}),
            ("item/agentMessage/delta", {"itemId": "m2", "delta": "שלוש וחצי"}),
            writes=written.append,
        )
        return written

    assert asked(turn()) == ["שלוש וחצי"]


def test_a_turn_ends_once() -> None:
    async def turn() -> str:
        told = heard(("item/completed", item("א")), COMPLETED, ("item/completed", item("ב")), COMPLETED)
        told.fail(ConnectionError("too late"))
        return (await told.outcome).text

    assert asked(turn()) == "א"


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
def test_a_sentence_that_tells_no_class_is_classed_by_the_word_beside_it(info: object, kind: type) -> None:
    error = turn_error({"message": "Something new.", "codexErrorInfo": info}, "failed", THREAD)
    assert type(error) is kind
    assert "Something new." in str(error)
    assert error.thread_id == THREAD
