"""Tools over several providers: one continues the turn of another one that has failed."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.providers.tools.tool_setups import SPECS, check_request, open_setup, round_of
from tests.support.codex import run_async
from yemot_ai.errors import OverloadedError, ProviderError
from yemot_ai.providers import CodexCLIProvider, FallbackProvider, Provider, read_answer
from yemot_ai.providers.values import JSON, Reply, ToolCalls, ToolRequest, ToolRound
from yemot_ai_testing import ScriptedProvider

APIS = ("stored", "unstored", "chat", "messages")


async def ask(provider: FallbackProvider, *rounds: ToolRound, session: JSON = None) -> Reply | ToolCalls:
    parts = provider.ask("א", session=session, tools=ToolRequest(SPECS, rounds))
    return await read_answer(parts, provider.name)


@pytest.mark.parametrize(("first", "second"), [*itertools.permutations(APIS, 2)])
def test_the_next_provider_continues_with_the_calls_of_the_one_that_fails(first: str, second: str) -> None:
    async def turn(provider: FallbackProvider) -> Reply | ToolCalls:
        calls = await ask(provider)
        rounds = [round_of(calls, "בתנור")]
        more = await ask(provider, *rounds)
        rounds.append(round_of(more, "עד שבע"))
        answer = await ask(provider, *rounds)
        await provider.aclose()
        return answer

    with open_setup(first, "server") as (one, failing), open_setup(second, "server") as (two, working):
        failing.calls("order_status", {"id": 7}, saying="רגע").fails("overloaded")
        working.calls("opening_hours").answers("מוכן")
        answer = run_async(turn(FallbackProvider([one, two])))
    assert isinstance(answer, Reply)
    assert answer.text == "מוכן"
    assert isinstance(answer.session, dict)
    assert answer.session["history"] == [["א", "רגע מוכן"]]
    assert [request.results for request in failing.requests] == [(), ("בתנור",)]
    only_new = second == "stored"
    assert [request.results for request in working.requests] == [
        ("בתנור",),
        ("עד שבע",) if only_new else ("בתנור", "עד שבע"),
    ]
    for request in working.requests:
        check_request(second, request.body)


def test_no_provider_gets_the_state_of_another_one() -> None:
    async def turn() -> None:
        provider = FallbackProvider([first, second], cooldown=0)
        calls = await ask(provider)
        again = round_of(calls, "בתנור")
        assert json.loads(json.dumps(again.state)) == again.state
        more = await ask(provider, again)
        await ask(provider, again, round_of(more, "עד שבע"))

    first = ScriptedProvider().calls("order_status").fails("overloaded")
    second = ScriptedProvider().calls("opening_hours").answers("מוכן")
    first.engine.run(turn())
    assert [request.rounds[0].state for request in first.requests[1:]] == ["scripted-1"]
    states = [[one.state for one in request.rounds] for request in second.requests]
    assert states == [[None], [None, "scripted-1"]]


def test_the_provider_that_has_called_tools_gets_their_results_first() -> None:
    """Although the other one has the thread, and is not cooling down."""

    async def call() -> None:
        provider = FallbackProvider([first, second], cooldown=0)
        reply = await read_answer(provider.ask("שלום"), provider.name)
        assert isinstance(reply, Reply)
        calls = await ask(provider, session=reply.session)
        await ask(provider, round_of(calls, "בתנור"), session=reply.session)

    first = ScriptedProvider().answers("היי").fails("overloaded")
    second = ScriptedProvider().calls("order_status").answers("מוכן")
    first.engine.run(call())
    first.assert_complete()
    second.assert_complete()


def test_a_thread_that_is_rebuilt_gets_the_calls_without_their_state() -> None:
    async def call() -> None:
        provider = FallbackProvider([only])
        reply = await read_answer(provider.ask("שלום"), provider.name)
        assert isinstance(reply, Reply)
        calls = await ask(provider, session=reply.session)
        await ask(provider, round_of(calls, "בתנור"), session=reply.session)

    only = ScriptedProvider().answers("היי").calls("order_status").unknown_session().answers("מוכן")
    only.engine.run(call())
    lost, rebuilt = only.requests[-2:]
    assert [lost.rounds[0].state, rebuilt.rounds[0].state] == ["scripted-1", None]
    assert [exchange.prompt for exchange in rebuilt.history] == ["שלום"]


def test_results_of_tools_are_not_quoted_by_errors() -> None:
    class Quoting(ScriptedProvider):
        async def ask(self, prompt: str, **options: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
            raise OverloadedError("refused: הקוד הוא 4711 ולא אחר", provider="quoting")
            yield

    async def turn() -> None:
        provider = FallbackProvider([Quoting()])
        calls = await ask(FallbackProvider([caller]))
        await ask(provider, round_of(calls, "הקוד הוא 4711 ולא אחר"))

    caller = ScriptedProvider().calls("order_status")
    with pytest.raises(ProviderError) as caught:
        caller.engine.run(turn())
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("providers", "takes"),
    [
        ([ScriptedProvider()], True),
        ([ScriptedProvider(), ScriptedProvider(takes_tools=False)], False),
        ([ScriptedProvider(), CodexCLIProvider()], False),
    ],
    ids=["all", "not-the-second", "codex"],
)
def test_a_fallback_takes_tools_if_all_its_providers_do(providers: list[Provider], *, takes: bool) -> None:
    assert FallbackProvider(providers).takes_tools is takes
