"""What identifies a call: ``ApiCallId``, ``ApiYFCallId``, or a function of the request."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from yemot_ai import AccessPolicy, AICall, AIFlow, CallSummary, YemotAI, reference
from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.call_key import CallKey
from yemot_ai.protocol import Request
from yemot_ai.providers import Reply
from yemot_ai.sessions import CALLER_KEY_PREFIX
from yemot_ai_testing import Caller, ScriptedProvider

NO_CALL_ID = "id_list_message=t-סליחה, המערכת אינה מוגדרת כראוי&go_to_folder=hangup"

LINES: dict[str, dict[str, Any]] = {
    "[OFF] one ApiCallId": {},
    "[LIVE] a new ApiCallId in each extension": {"new_call_id_per_extension": True},
    "[OFF] api_call_id_send=no": {"omitted": frozenset({"ApiCallId"})},
}


class NoModel:
    """A provider that is not asked, in real time: a file takes real time."""

    name = "none"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield Reply(prompt, session=None)


def make_flow(call_key: CallKey = "ApiYFCallId", *, store: str | None = None, **options: Any) -> AIFlow:  # noqa: ANN401 - arguments of AIFlow
    """Return a flow that learns a name in extension 1, and says it in extension 2."""
    provider = options.pop("provider", None) or ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider, store=store), call_key=call_key, **options)

    @flow.get("1")
    def ask(call: AICall) -> None:
        call.state["name"] = call.visitor = call.read("שם?", mode="voice", val_name="name")
        call.goto("/2")

    @flow.get("2")
    def greet(call: AICall) -> None:
        call.read(f"שלום {call.state.get('name')} {getattr(call, 'visitor', None)}", val_name="key")
        call.hangup()

    return flow


def send(flow: AIFlow, extension: str = "1", **params: str) -> str:
    return flow.handle_request({"ApiExtension": extension, **params})


@pytest.mark.parametrize("line", LINES)
def test_the_state_survives_a_move_between_extensions_on_every_line(line: str) -> None:
    caller = Caller(make_flow(), extension="1", **LINES[line])
    caller.dial()

    assert caller.says("דוד") == "שלום דוד דוד"


def test_a_line_that_changes_the_id_loses_the_state_by_default_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flow = make_flow("ApiCallId")
    for _ in range(2):
        caller = Caller(flow, extension="1", new_call_id_per_extension=True)
        caller.dial()
        assert caller.says("דוד") == "שלום None None"

    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "AIFlow(…, call_key='ApiYFCallId') keeps them" in warnings[0]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "json"])
@pytest.mark.parametrize("key", ["a/b/../c", "..", "שיחה 5", "x" * 3000, "%", "a:b"], ids=lambda key: key[:8])
def test_any_printable_text_is_a_key_in_every_store(kind: str, key: str, tmp_path: Path) -> None:
    store = f"{kind}:" if kind == "memory" else f"{kind}:{tmp_path / 'calls'}"
    flow = make_flow(lambda _: key, store=store, provider=NoModel())
    send(flow)
    send(flow, name="דוד")

    assert "שלום דוד דוד" in send(flow, "2")
    flow.handle_request({"hangup": "yes"})
    assert flow.ai.open_calls() == 0
    assert "שלום" not in send(flow, "2")  # the call has ended
    flow.ai.close()


@pytest.mark.parametrize("call_key", ["ApiCallId", "ApiYFCallId"])
def test_a_line_that_keeps_its_id_is_no_reason_to_warn(
    call_key: CallKey, caplog: pytest.LogCaptureFixture
) -> None:
    flow = make_flow(call_key)
    for _ in range(2):
        caller = Caller(flow, extension="1")
        caller.dial()
        assert caller.says("דוד") == "שלום דוד דוד"

    assert not caplog.records


def test_the_calls_whose_ids_are_compared_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yemot_ai.flow.admission.MAX_WATCHED_CALLS", 2)
    flow = make_flow("ApiCallId")
    for number in range(5):
        send(flow, ApiCallId=f"c{number}", ApiYFCallId=f"y{number}")

    assert list(flow._admission.watch.call_ids or ()) == ["y3", "y4"]


@pytest.mark.parametrize("call_key", ["ApiCallId", "ApiYFCallId"])
@pytest.mark.parametrize("sent", ["ApiCallId", "ApiYFCallId"])
def test_the_other_id_is_used_where_one_is_missing(call_key: CallKey, sent: str) -> None:
    flow = make_flow(call_key)

    assert "שם?" in send(flow, **{sent: "a"})
    assert send(flow, **{sent: "a", "name": "דוד"}) == "go_to_folder=/2"
    assert "שלום דוד" in send(flow, "2", **{sent: "a"})
    assert list(flow.active_calls) == ["a"]


@pytest.mark.parametrize(
    "call_key",
    ["ApiCallId", "ApiYFCallId", lambda request: request.did],
    ids=["ApiCallId", "ApiYFCallId", "a function"],
)
def test_callers_without_any_id_share_nothing(call_key: CallKey) -> None:
    flow = make_flow(call_key)

    assert send(flow) == NO_CALL_ID
    assert send(flow, ApiCallId="", ApiYFCallId="", name="דוד") == NO_CALL_ID
    assert not flow.active_calls
    assert flow.ai.open_calls() == 0


def test_an_empty_id_is_a_missing_one() -> None:
    flow = make_flow()
    send(flow, ApiCallId="a", ApiYFCallId="")
    send(flow, ApiCallId="b", ApiYFCallId="")

    assert list(flow.active_calls) == ["a", "b"]


def test_a_function_gets_the_request_without_the_secret_and_names_the_call() -> None:
    requests: list[Request] = []

    def by_line(request: Request) -> str:
        requests.append(request)
        return f"{request.did}/{request.yf_call_id}"

    secret = "only-the-line-knows"  # noqa: S105 - used in tests only
    flow = make_flow(by_line, access=AccessPolicy(secret=secret))
    constants = (("secret", secret), ("tenant", "7"))
    caller = Caller(flow, extension="1", constants=constants, new_call_id_per_extension=True)
    caller.dial()

    assert caller.says("דוד") == "שלום דוד דוד"
    assert {request.newest("tenant") for request in requests} == {"7"}
    assert all(secret not in dict(request.pairs).values() for request in requests)
    assert list(flow.active_calls) == [by_line(requests[0])]


def raises(request: Request) -> str:
    raise KeyError(request.extension)


@pytest.mark.parametrize(
    ("function", "logged"),
    [
        (raises, "call_key failed"),
        (lambda _: None, "call_key returned NoneType"),
        (lambda _: 5, "call_key returned int"),
        (lambda _: b"a", "call_key returned bytes"),
        (lambda _: "", "call_key returned a text that is blank"),
        (lambda _: "  ", "call_key returned a text that is blank"),
        (lambda _: "a\ud800", "call_key returned a text that is blank"),
        (lambda _: f"{CALLER_KEY_PREFIX}0501234567", "call_key returned a text that is blank"),
        (lambda _: "ApiCallId/a", "call_key returned a text that is blank"),
    ],
    ids=["raises", "None", "int", "bytes", "empty", "blank", "surrogate", "caller-record", "own-prefix"],
)
def test_a_function_that_returns_no_text_is_logged_and_callers_share_nothing(
    function: Callable[[Request], Any], logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    flow = make_flow(function)
    first, second = (Caller(flow, extension="1") for _ in range(2))
    first.dial()
    second.dial()

    assert first.says("דוד") == "שלום דוד דוד"
    assert second.says("רות") == "שלום רות רות"
    assert logged in caplog.text


def test_an_id_does_not_open_the_call_of_a_function_that_fails() -> None:
    """The function checks a PIN: who sends another's key as ``ApiCallId`` must not get its call."""

    def by_pin(request: Request) -> str:
        return {"good": "key-of-the-victim"}[str(request.newest("pin"))]

    flow = make_flow(by_pin)
    send(flow, ApiCallId="a", pin="good")
    send(flow, ApiCallId="a", pin="good", name="סוד")

    assert "סוד" in send(flow, "2", ApiCallId="a", pin="good")
    for name in ("ApiCallId", "ApiYFCallId"):
        assert "שלום None None" in send(flow, "2", **{name: "key-of-the-victim", "pin": "bad"})


def test_a_hang_up_with_a_changed_id_ends_the_call() -> None:
    flow, summaries = make_flow(), list[CallSummary]()
    ended: list[str] = []
    flow.ai.on_call_end(lambda summary, usage: summaries.append(summary))
    flow.ai.end_callbacks.append(ended.append)
    caller = Caller(flow, extension="1", new_call_id_per_extension=True)
    caller.dial()
    caller.says("דוד")
    key = Request.parse(caller.exchanges[0].pairs).yf_call_id
    caller.hangs_up()

    assert ended == [key]
    assert [(summary.call_id, summary.state, summary.reason) for summary in summaries] == [
        (key, {"name": "דוד"}, "hangup")
    ]
    assert not flow.active_calls
    assert flow.ai.open_calls() == 0


def test_a_hang_up_with_a_changed_id_stops_the_turn_that_runs() -> None:
    provider = ScriptedProvider().answers("לא יישמע")
    flow = AIFlow(YemotAI(provider=provider), call_key="ApiYFCallId")
    flow.ai_agent("5", greeting="שלום")(lambda call, text: None)
    ended: list[CallSummary] = []
    flow.ai.on_call_end(lambda summary, usage: ended.append(summary))
    provider.hold()
    send(flow, "5", ApiCallId="a", ApiYFCallId="y")
    assert "ai_1w1" in send(flow, "5", ApiCallId="a", ApiYFCallId="y", ai_1="שאלה")

    send(flow, "5", ApiCallId="b", ApiYFCallId="y", ai_1="שאלה", hangup="yes")
    provider.release()

    assert [(summary.call_id, summary.turns[0].answer) for summary in ended] == [("y", "")]
    assert flow.ai.open_calls() == 0


@pytest.mark.parametrize("own", ["call_id", "ApiCallId", "ApiYFCallId"])
@pytest.mark.parametrize("line", LINES)
def test_a_conversation_continues_in_another_extension(line: str, own: str) -> None:
    provider = ScriptedProvider().answers("נעים מאוד").answers("דוד")
    flow = AIFlow(YemotAI(provider=provider), call_key="ApiYFCallId")

    @flow.get("1")
    def tell(call: AICall) -> None:
        flow.ai.reply(call.params.get(own, call.call_id), "אני דוד")
        call.goto("/5")

    flow.ai_agent("5", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow, extension="1", **LINES[line])

    assert caller.dial() == "שלום"
    assert caller.says("איך קוראים לי?") == "דוד"
    first, second = provider.requests
    assert (first.session, second.session) == (None, "scripted-1")  # the same conversation
    caller.hangs_up()
    provider.assert_complete()


@pytest.mark.parametrize("kind", ["sqlite", "json"])
def test_the_state_survives_a_restart_between_two_extensions(kind: str, tmp_path: Path) -> None:
    store = f"{kind}:{tmp_path / 'calls'}"
    workers = [make_flow(store=store, provider=NoModel()) for _ in range(2)]

    def restarting(pairs: list[tuple[str, str]]) -> str:
        response = workers[0].handle_request(pairs)
        if "go_to_folder=/2" in response:
            workers.pop(0).ai.close()
        return response

    caller = Caller(restarting, extension="1", new_call_id_per_extension=True)
    caller.dial()

    assert caller.says("דוד") == "שלום דוד None"  # attributes end with the process
    caller.hangs_up()
    assert workers[0].ai.open_calls() == 0
    workers[0].ai.close()


def test_concurrent_callers_on_a_line_that_changes_the_id_keep_their_states() -> None:
    flow = make_flow()

    async def call(number: int) -> str:
        ids = {"ApiYFCallId": f"y{number}"}
        await flow.ahandle_request({"ApiExtension": "1", "ApiCallId": f"a{number}", **ids})
        named = {"ApiExtension": "1", "ApiCallId": f"a{number}", "name": f"מספר {number}", **ids}
        await flow.ahandle_request(named)
        return await flow.ahandle_request({"ApiExtension": "2", "ApiCallId": f"b{number}", **ids})

    async def calls() -> list[str]:
        return await asyncio.gather(*(call(number) for number in range(20)))

    for number, response in enumerate(asyncio.run(calls())):
        assert f"שלום מספר {number} מספר {number}=" in response.replace("t-", "")


class Tenant:
    """A callable object."""

    def __call__(self, request: Request) -> str:
        return f"tenant/{request.call_id}"


@pytest.mark.parametrize("function", [Tenant(), Tenant().__call__, lambda request, scale=1: request.call_id])
def test_any_plain_function_of_one_argument_is_taken(function: CallKey) -> None:
    caller = Caller(make_flow(function), extension="1")
    caller.dial()

    assert caller.says("דוד") == "שלום דוד דוד"


async def awaits(request: Request) -> str:
    return request.call_id


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("ApiPhone", "call_key='ApiPhone': use 'ApiCallId', 'ApiYFCallId', or a function"),
        ("apicallid", "use 'ApiCallId'"),
        ("", "use 'ApiCallId'"),
        (None, "call_key=None: use"),
        (5, "call_key=5: use"),
        (awaits, "call_key=awaits is async"),
        (lambda: "a", "must take one argument, the Request"),
        (lambda a, b: "a", "must take one argument, the Request"),
    ],
    ids=["name", "case", "empty", "None", "int", "async", "no-argument", "two-arguments"],
)
def test_a_wrong_key_is_refused_at_construction(wrong: Any, says: str) -> None:  # noqa: ANN401 - any wrong value
    with pytest.raises(ConfigurationError, match=says):
        make_flow(wrong)


def test_the_reference_agent_takes_the_key_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_AI_CALL_KEY", "ApiYFCallId")
    assert reference.__spec__ is not None
    assert reference.__spec__.loader is not None
    module = importlib.util.module_from_spec(reference.__spec__)
    reference.__spec__.loader.exec_module(module)

    assert "menu" in send(module.flow, "", ApiCallId="a", ApiYFCallId="y")
    assert list(module.flow.active_calls) == ["y"]
