from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from yemot_ai import AccessPolicy, AICall, AIFlow, YemotAI
from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Request
from yemot_ai.sessions import Session
from yemot_ai.sessions.serialization import encode
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

PHONE = "0501234567"
SECRET = "only-the-line-knows"  # noqa: S105 - no door anywhere opens by it
REFUSED = "id_list_message=t-אין אפשרות להשתמש בשירות הזה&go_to_folder=hangup"
LINE = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()
    yield provider
    provider.assert_complete()


@pytest.fixture
def guarded(provider: ScriptedProvider) -> Callable[..., AIFlow]:
    def make(**admits: Any) -> AIFlow:  # noqa: ANN401 - those of Guard
        flow = AIFlow(YemotAI(provider=provider), access=AccessPolicy(**admits))
        flow.ai_agent("", greeting="שלום")(lambda call, text: None)
        return flow

    return make


def admitted(phone: str, **admits: Any) -> bool:  # noqa: ANN401 - those of Guard
    return AccessPolicy(**admits).rejection_reason(Request.parse({**LINE, "ApiPhone": phone})) is None


@pytest.mark.parametrize(
    "written",
    ["0501234567", "050-1234567", "050-123-4567", "050 123 4567", "+972501234567", "+972-50-123-4567",
     "972501234567", "00972501234567", "+972 (0)50 1234567", " 0501234567\u200f"],
)  # fmt: skip
def test_a_number_is_the_same_however_it_is_written(written: str) -> None:
    assert admitted(PHONE, allow=[written])
    assert not admitted(PHONE, block=[written])
    assert admitted(written, allow=[PHONE])
    assert not admitted(written, block=[PHONE])


@pytest.mark.parametrize("other", ["0501234568", "05012345670", "+1501234567", "031234567"])
def test_another_number_is_not(other: str) -> None:
    assert not admitted(other, allow=[PHONE])
    assert admitted(other, block=[PHONE])


@pytest.mark.parametrize("withheld", ["", "anonymous"])
def test_a_withheld_number_may_call_unless_it_may_not(withheld: str) -> None:
    assert admitted(withheld)
    assert admitted(withheld, block=[PHONE])
    assert not admitted(withheld, withheld=False)
    assert not admitted(withheld, allow=[PHONE])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"allow": PHONE}, "lists of numbers"),
        ({"block": ["בית"]}, "is not a phone number"),
        ({"block": [501234567]}, "write it as a text"),
        ({"secret": "short"}, "at least 8"),
        ({"secret": ""}, "at least 8"),
    ],
    ids=str,
)
def test_a_guard_that_cannot_guard_is_a_mistake(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        AccessPolicy(**wrong)


def test_a_refused_caller_hears_a_sentence_and_leaves_nothing(guarded: Callable[..., AIFlow]) -> None:
    flow = guarded(block=[PHONE])
    told: list[object] = []
    flow.ai.on_call_start(lambda *what: told.append(what))
    flow.ai.on_call_end(lambda *what: told.append(what))
    caller = Caller(flow, phone=PHONE)

    assert caller.dial() == "אין אפשרות להשתמש בשירות הזה"
    assert caller.ended
    for values in ({}, {"ai_1": "שאלה"}, {"hangup": "yes"}):
        assert flow.handle_request({**LINE, **values}) == REFUSED
        assert asyncio.run(flow.ahandle_request({**LINE, **values})) == REFUSED
    assert flow.ai.open_calls() == 0
    assert asyncio.run(_listed(flow)) == []
    assert (told, flow.active_calls) == ([], {})


async def _listed(flow: AIFlow) -> list[str]:
    return [call_id async for call_id in flow.ai.store.call_ids()]


def test_an_admitted_caller_is_answered(guarded: Callable[..., AIFlow], provider: ScriptedProvider) -> None:
    provider.answers("א")
    caller = Caller(guarded(allow=["050-123-4567"], block=["0527654321"]), phone=PHONE)
    caller.dial()
    assert caller.says("שאלה") == "א"
    caller.hangs_up()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("mount", ["wsgi_app", "asgi_app", "flow"])
def test_the_line_brings_the_secret_as_a_constant(
    guarded: Callable[..., AIFlow],
    provider: ScriptedProvider,
    mount: str,
    method: Any,  # noqa: ANN401 - a literal
) -> None:
    provider.answers("א")
    flow = guarded(secret=SECRET)
    app = flow if mount == "flow" else getattr(flow, mount)
    caller = Caller(app, method=method, constants=(("secret", SECRET),))
    assert caller.dial() == "שלום"
    assert caller.says("שאלה") == "א"
    caller.hangs_up()
    assert flow.ai.open_calls() == 0


@pytest.mark.parametrize(
    "wrong", [(), (("secret", "only-the-line-knowS"),), (("token", SECRET),), (("secret", ""),)]
)
def test_without_it_nobody_is_answered(
    guarded: Callable[..., AIFlow], wrong: tuple[tuple[str, str], ...]
) -> None:
    caller = Caller(guarded(secret=SECRET).wsgi_app, constants=wrong)

    assert caller.dial() == "אין אפשרות להשתמש בשירות הזה"
    assert caller.ended


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        (f"/{SECRET}", "שלום"),
        (f"/line/{SECRET}", "שלום"),
        (f"/line/{SECRET}/", "שלום"),
        ("/line", "אין אפשרות"),
        (f"/line/{SECRET}x", "אין אפשרות"),
        (f"/line/x{SECRET}", "אין אפשרות"),
        ("", "אין אפשרות"),
    ],
)
def test_the_secret_may_be_a_part_of_the_path(guarded: Callable[..., AIFlow], path: str, heard: str) -> None:
    flow = guarded(secret=SECRET)

    assert heard in flow.handle_request(LINE, path=path)
    assert heard in asyncio.run(flow.ahandle_request(LINE, path=path))


def test_a_mount_below_a_path_sees_the_part_that_the_server_took_off(guarded: Callable[..., AIFlow]) -> None:
    app = guarded(secret=SECRET).wsgi_app
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": f"/line/{SECRET}",
        "PATH_INFO": "/",
        "QUERY_STRING": "ApiCallId=c1&ApiExtension=",
    }

    assert "שלום" in b"".join(app(environ, lambda *_: None)).decode()


def test_a_secret_in_the_query_of_the_link_is_taken_off_what_the_line_glues_to_it(
    guarded: Callable[..., AIFlow],
) -> None:
    flow = guarded(secret=SECRET)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/line",
        "QUERY_STRING": f"secret={SECRET}?ApiCallId=c1&ApiPhone={PHONE}&ApiExtension=",
    }

    assert "שלום" in b"".join(flow.wsgi_app(environ, lambda *_: None)).decode()
    assert asyncio.run(_listed(flow)) == ["c1"]


def test_the_name_of_the_value_may_be_another(guarded: Callable[..., AIFlow]) -> None:
    flow = guarded(secret=SECRET, name="token")

    assert "שלום" in flow.handle_request({**LINE, "token": SECRET})


@pytest.mark.parametrize("odd", ["\ud800only-the-line", "רק הקו יודע", "a b&c=d?e/f"])
def test_any_text_may_be_a_secret(guarded: Callable[..., AIFlow], odd: str) -> None:
    flow = guarded(secret=odd.replace("\ud800", "\ufffd"))

    assert "שלום" in flow.handle_request({**LINE, "secret": odd})
    assert flow.handle_request({**LINE, "secret": odd[:-1]}) == REFUSED


def test_the_secret_is_neither_stored_nor_logged_nor_shown_to_handlers(
    guarded: Callable[..., AIFlow], provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    flow = guarded(secret=SECRET)
    seen: list[str] = []

    @flow.get("5")
    def menu(call: AICall) -> None:
        seen.append(repr(call.params))
        call.read("מה?", val_name="secret")
        raise KeyError("mine")

    line = [*LINE.items(), ("ApiExtension", "5"), ("secret", SECRET)]
    asked = flow.handle_request(line)
    assert "=secret," in asked
    flow.handle_request([*line, ("secret", "1")])

    stored = asyncio.run(_load(flow, "c1"))
    assert stored is not None
    assert SECRET not in encode(stored)
    assert SECRET not in caplog.text + "".join(seen) + repr(flow.access)
    assert "'secret': '1'" in seen[-1]  # a question of that name still gets its own answer


async def _load(flow: AIFlow, call_id: str) -> Session | None:
    return await flow.ai.store.load(call_id)


def test_a_refusal_is_logged_with_its_reason_and_neither_number_nor_line_breaks(
    guarded: Callable[..., AIFlow], caplog: pytest.LogCaptureFixture
) -> None:
    guarded(block=[PHONE]).handle_request({**LINE, "ApiCallId": f"x\nERROR forged {PHONE} " + "y" * 500})

    (record,) = caplog.records
    assert "its number is blocked" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert PHONE not in caplog.text
    assert len(record.getMessage()) < 200


def test_whatever_is_brought_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    digest = hmac.compare_digest

    def spied(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return digest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", spied)
    request = Request.parse({**LINE, "secret": "only-the-line-knowX"})

    reason = AccessPolicy(secret=SECRET).rejection_reason(request, "/line/other")
    assert reason == "it does not contain the secret"
    assert {b"only-the-line-knowX", b"line", b"other"} <= set(compared)


@pytest.mark.parametrize(
    ("path", "refused"),
    [("/in/ab/cdefgh", False), ("/in/ab/cdefgh/more", False), ("/in/ab/cdefg", True), ("/ab", True)],
)
def test_a_secret_with_a_slash_is_found_in_the_path(path: str, *, refused: bool) -> None:
    guard = AccessPolicy(secret="ab/" + "cdefgh")

    assert bool(guard.rejection_reason(Request.parse(LINE), path)) is refused


@pytest.mark.parametrize("written", ["501234567", "0972501234567", "972-50-1234567", "00972501234567"])
def test_a_number_is_known_however_it_is_written(written: str) -> None:
    request = Request.parse({**LINE, "ApiPhone": "0501234567"})

    assert AccessPolicy(block=[written]).rejection_reason(request) == "its number is blocked"
