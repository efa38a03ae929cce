from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable
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
SECRET = "only-the-line-knows"  # noqa: S105 - used in tests only
REFUSED = "id_list_message=t-אין אפשרות להשתמש בשירות הזה&go_to_folder=hangup"
LINE = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}


@pytest.fixture
def make_flow(provider: ScriptedProvider) -> Callable[..., AIFlow]:
    def make(**policy: Any) -> AIFlow:  # noqa: ANN401 - arguments of AccessPolicy
        flow = AIFlow(YemotAI(provider=provider), access=AccessPolicy(**policy))
        flow.ai_agent("", greeting="שלום")(lambda call, text: None)
        return flow

    return make


def is_accepted(phone: str, **policy: Any) -> bool:  # noqa: ANN401 - arguments of AccessPolicy
    return AccessPolicy(**policy).rejection_reason(Request.parse({**LINE, "ApiPhone": phone})) is None


@pytest.mark.parametrize(
    "spelling",
    ["0501234567", "050-1234567", "050-123-4567", "050 123 4567", "+972501234567", "+972-50-123-4567",
     "972501234567", "00972501234567", "+972 (0)50 1234567", " 0501234567\u200f"],
)  # fmt: skip
def test_all_spellings_of_a_number_are_equal(spelling: str) -> None:
    assert is_accepted(PHONE, allow=[spelling])
    assert not is_accepted(PHONE, block=[spelling])
    assert is_accepted(spelling, allow=[PHONE])
    assert not is_accepted(spelling, block=[PHONE])


@pytest.mark.parametrize("other", ["0501234568", "05012345670", "+1501234567", "031234567"])
def test_another_number_does_not_match(other: str) -> None:
    assert not is_accepted(other, allow=[PHONE])
    assert is_accepted(other, block=[PHONE])


@pytest.mark.parametrize("withheld", ["", "anonymous"])
def test_a_withheld_number_is_accepted_unless_the_policy_refuses_it(withheld: str) -> None:
    assert is_accepted(withheld)
    assert is_accepted(withheld, block=[PHONE])
    assert not is_accepted(withheld, allow_withheld=False)
    assert not is_accepted(withheld, allow=[PHONE])


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
def test_invalid_arguments_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        AccessPolicy(**wrong)


def test_a_refused_caller_hears_a_sentence_and_nothing_is_stored(make_flow: Callable[..., AIFlow]) -> None:
    flow = make_flow(block=[PHONE])
    hook_calls: list[object] = []
    flow.ai.on_call_start(lambda *arguments: hook_calls.append(arguments))
    flow.ai.on_call_end(lambda *arguments: hook_calls.append(arguments))
    caller = Caller(flow, phone=PHONE)

    assert caller.dial() == "אין אפשרות להשתמש בשירות הזה"
    assert caller.ended
    for values in ({}, {"ai_1": "שאלה"}, {"hangup": "yes"}):
        assert flow.handle_request({**LINE, **values}) == REFUSED
        assert asyncio.run(flow.ahandle_request({**LINE, **values})) == REFUSED
    assert flow.ai.open_calls() == 0
    assert asyncio.run(_listed(flow)) == []
    assert (hook_calls, flow.active_calls) == ([], {})


async def _listed(flow: AIFlow) -> list[str]:
    return [call_id async for call_id in flow.ai._runtime.store.call_ids()]


def test_an_accepted_caller_is_answered(make_flow: Callable[..., AIFlow], provider: ScriptedProvider) -> None:
    provider.answers("א")
    caller = Caller(make_flow(allow=["050-123-4567"], block=["0527654321"]), phone=PHONE)
    caller.dial()
    assert caller.says("שאלה") == "א"
    caller.hangs_up()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("mount", ["wsgi_app", "asgi_app", "flow"])
def test_the_line_sends_the_secret_as_a_constant(
    make_flow: Callable[..., AIFlow],
    provider: ScriptedProvider,
    mount: str,
    method: Any,  # noqa: ANN401 - a literal
) -> None:
    provider.answers("א")
    flow = make_flow(secret=SECRET)
    app = flow if mount == "flow" else getattr(flow, mount)
    caller = Caller(app, method=method, constants=(("secret", SECRET),))
    assert caller.dial() == "שלום"
    assert caller.says("שאלה") == "א"
    caller.hangs_up()
    assert flow.ai.open_calls() == 0


@pytest.mark.parametrize(
    "wrong", [(), (("secret", "only-the-line-knowS"),), (("token", SECRET),), (("secret", ""),)]
)
def test_a_request_without_the_secret_is_refused(
    make_flow: Callable[..., AIFlow], wrong: tuple[tuple[str, str], ...]
) -> None:
    caller = Caller(make_flow(secret=SECRET).wsgi_app, constants=wrong)

    assert caller.dial() == "אין אפשרות להשתמש בשירות הזה"
    assert caller.ended


@pytest.mark.parametrize(
    ("path", "spoken"),
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
def test_the_secret_can_be_a_part_of_the_path(
    make_flow: Callable[..., AIFlow], path: str, spoken: str
) -> None:
    flow = make_flow(secret=SECRET)

    assert spoken in flow.handle_request(LINE, path=path)
    assert spoken in asyncio.run(flow.ahandle_request(LINE, path=path))


def test_a_mount_below_a_path_finds_the_secret_in_script_name(make_flow: Callable[..., AIFlow]) -> None:
    app = make_flow(secret=SECRET).wsgi_app
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": f"/line/{SECRET}",
        "PATH_INFO": "/",
        "QUERY_STRING": "ApiCallId=c1&ApiExtension=",
    }

    assert "שלום" in b"".join(app(environ, lambda *_: None)).decode()


def test_a_secret_in_the_query_of_the_link_is_separated_from_the_parameters(
    make_flow: Callable[..., AIFlow],
) -> None:
    flow = make_flow(secret=SECRET)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/line",
        "QUERY_STRING": f"secret={SECRET}?ApiCallId=c1&ApiPhone={PHONE}&ApiExtension=",
    }

    assert "שלום" in b"".join(flow.wsgi_app(environ, lambda *_: None)).decode()
    assert asyncio.run(_listed(flow)) == ["c1"]


def test_the_name_of_the_value_is_configurable(make_flow: Callable[..., AIFlow]) -> None:
    flow = make_flow(secret=SECRET, secret_name="token")  # noqa: S106 - a name, not a secret

    assert "שלום" in flow.handle_request({**LINE, "token": SECRET})


@pytest.mark.parametrize("secret", ["\ud800only-the-line", "רק הקו יודע", "a b&c=d?e/f"])
def test_any_text_can_be_a_secret(make_flow: Callable[..., AIFlow], secret: str) -> None:
    flow = make_flow(secret=secret.replace("\ud800", "\ufffd"))

    assert "שלום" in flow.handle_request({**LINE, "secret": secret})
    assert flow.handle_request({**LINE, "secret": secret[:-1]}) == REFUSED


def test_the_secret_is_not_stored_logged_or_passed_to_handlers(
    make_flow: Callable[..., AIFlow], provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    flow = make_flow(secret=SECRET)
    seen: list[str] = []

    @flow.get("5")
    def menu(call: AICall) -> None:
        seen.append(repr(call.params))
        call.read("מה?", val_name="secret")
        raise KeyError("mine")

    line = [*LINE.items(), ("ApiExtension", "5"), ("secret", SECRET)]
    question = flow.handle_request(line)
    assert "=secret," in question
    flow.handle_request([*line, ("secret", "1")])

    stored = asyncio.run(_load(flow, "c1"))
    assert stored is not None
    assert SECRET not in encode(stored)
    assert SECRET not in caplog.text + "".join(seen) + repr(flow.access)
    assert "'secret': '1'" in seen[-1]  # the answer to a question of that name is kept


async def _load(flow: AIFlow, call_id: str) -> Session | None:
    return await flow.ai._runtime.store.load(call_id)


def test_a_refusal_is_logged_with_its_reason_without_number_or_line_breaks(
    make_flow: Callable[..., AIFlow], caplog: pytest.LogCaptureFixture
) -> None:
    make_flow(block=[PHONE]).handle_request({**LINE, "ApiCallId": f"x\nERROR forged {PHONE} " + "y" * 500})

    (record,) = caplog.records
    assert "its number is blocked" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert PHONE not in caplog.text
    assert len(record.getMessage()) < 200


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    digest = hmac.compare_digest

    def spy(left: bytes, right: bytes) -> bool:
        compared.append(left)
        return digest(left, right)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    request = Request.parse({**LINE, "secret": "only-the-line-knowX"})

    reason = AccessPolicy(secret=SECRET).rejection_reason(request, "/line/other")
    assert reason == "it does not contain the secret"
    assert {b"only-the-line-knowX", b"line", b"other"} <= set(compared)


@pytest.mark.parametrize(
    ("path", "refused"),
    [("/in/ab/cdefgh", False), ("/in/ab/cdefgh/more", False), ("/in/ab/cdefg", True), ("/ab", True)],
)
def test_a_secret_with_a_slash_is_found_in_the_path(path: str, *, refused: bool) -> None:
    policy = AccessPolicy(secret="ab/" + "cdefgh")

    assert bool(policy.rejection_reason(Request.parse(LINE), path)) is refused


@pytest.mark.parametrize("spelling", ["501234567", "0972501234567", "972-50-1234567", "00972501234567"])
def test_a_blocked_number_is_found_in_all_spellings(spelling: str) -> None:
    request = Request.parse({**LINE, "ApiPhone": "0501234567"})

    assert AccessPolicy(block=[spelling]).rejection_reason(request) == "its number is blocked"
