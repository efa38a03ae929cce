"""Every double of a model pauses at the same points of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.asking import ask_provider
from yemot_ai.providers import AnthropicProvider, CodexCLIProvider, OpenAIProvider, Reply
from yemot_ai_testing import FakeCodex, ModelServer, ScriptedProvider
from yemot_ai_testing.doubles.pauses import PAUSE_POINTS, PausePoint
from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock, OpenAIMock
from yemot_ai_testing.property import EchoProvider

KEY = "word-of-the-test"
PIECES_AT: dict[PausePoint, int] = {"asked": 0, "first_text": 1, "last_text": 2}
"""How many of two pieces have been sent at each point."""


@dataclass
class Pair:
    """A double and a provider that calls it."""

    double: Any
    provider: Any


def responses(model: ModelServer) -> Any:  # noqa: ANN401 - any provider
    return OpenAIProvider(api_key=KEY, model="m", base_url=model.base_url)


def chat(model: ModelServer) -> Any:  # noqa: ANN401 - any provider
    return OpenAIProvider(api_key=KEY, model="m", base_url=model.base_url, api="chat")


def messages(model: ModelServer) -> Any:  # noqa: ANN401 - any provider
    return AnthropicProvider(api_key=KEY, model="m", base_url=model.root_url)


PROVIDERS: dict[str, Callable[[ModelServer], Any]] = {
    "responses": responses,
    "chat": chat,
    "messages": messages,
}


@pytest.fixture(params=[*PROVIDERS, "scripted", "echo"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "echo":
        echo = EchoProvider(sentences=2)
        yield Pair(echo, echo)
    elif request.param == "scripted":
        scripted = ScriptedProvider().answers(["פתוח. ", "סגור."])
        yield Pair(scripted, scripted)
    else:
        with ModelServer().answers(["פתוח. ", "סגור."]) as model:
            yield Pair(model, PROVIDERS[request.param](model))


async def ask(provider: Any, pieces: list[str], changed: asyncio.Condition) -> Reply:  # noqa: ANN401 - any provider
    async for part in provider.ask("אמירה 7001", stream=True):
        if isinstance(part, Reply):
            return part
        async with changed:
            pieces.append(part)
            changed.notify_all()
    raise AssertionError("an answer ends with a reply")


async def close(provider: Any) -> None:  # noqa: ANN401 - any provider
    if hasattr(provider, "aclose"):
        await provider.aclose()


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_a_model_call_waits_at_the_point_until_resume(pair: Pair, point: PausePoint) -> None:
    async def run() -> None:
        pieces: list[str] = []
        changed = asyncio.Condition()
        pair.double.pause_at(point)
        call = asyncio.ensure_future(ask(pair.provider, pieces, changed))
        await asyncio.to_thread(pair.double.pause.wait)
        async with asyncio.timeout(10), changed:
            await changed.wait_for(lambda: len(pieces) == PIECES_AT[point])
        assert not call.done()
        assert pair.double.pause.waiting == 1

        pair.double.resume()
        reply = await call
        assert len(pieces) == 2
        assert "".join(pieces).split() == reply.text.split()
        await close(pair.provider)

    asyncio.run(run())


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_a_cancelled_call_no_longer_counts_as_waiting(pair: Pair, point: PausePoint) -> None:
    async def run() -> None:
        pair.double.pause_at(point)
        call = asyncio.ensure_future(ask(pair.provider, [], asyncio.Condition()))
        await asyncio.to_thread(pair.double.pause.wait)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        await close(pair.provider)
        if isinstance(pair.double, ModelServer):
            await asyncio.to_thread(pair.double.wait_idle)
        assert pair.double.pause.waiting == 0

    asyncio.run(run())


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_an_answer_without_streaming_waits_at_each_point_before_it_is_sent(point: PausePoint) -> None:
    async def run() -> None:
        with ModelServer().answers("פתוח.") as model:
            provider = responses(model)
            model.pause_at(point)
            call = asyncio.ensure_future(ask_provider(provider, "מתי?"))
            await asyncio.to_thread(model.pause.wait)
            assert not call.done()
            model.resume()
            assert (await call).text == "פתוח."
            await provider.aclose()

    asyncio.run(run())


def codex(_double: FakeCodex) -> Any:  # noqa: ANN401 - any provider
    return CodexCLIProvider()


def openai(_double: OpenAIMock) -> Any:  # noqa: ANN401 - any provider
    return OpenAIProvider(api_key=KEY, model="m")


def anthropic(_double: AnthropicMock) -> Any:  # noqa: ANN401 - any provider
    return AnthropicProvider(api_key=KEY, model="m")


@pytest.mark.parametrize(
    ("make", "make_provider"), [(FakeCodex, codex), (OpenAIMock, openai), (AnthropicMock, anthropic)]
)
def test_a_double_without_streaming_waits_before_its_answer(
    make: Callable[[], Any], make_provider: Callable[[Any], Any]
) -> None:
    async def run(double: Any) -> None:  # noqa: ANN401 - any double
        provider = make_provider(double)
        double.pause_at("asked")
        call = asyncio.ensure_future(ask_provider(provider, "מתי?"))
        await asyncio.to_thread(double.wait_for_requests, 1)
        assert not call.done()
        double.resume()
        assert (await call).text == "פתוח."
        await close(provider)

    with make() as double:
        double.answers("פתוח.")
        asyncio.run(run(double))


@pytest.mark.parametrize("make", [FakeCodex, OpenAIMock, AnthropicMock])
@pytest.mark.parametrize("point", ["first_text", "last_text"])
def test_a_double_without_streaming_refuses_the_other_points(
    make: Callable[[], Any], point: PausePoint
) -> None:
    with make() as double, pytest.raises(ValueError, match=f"pauses at 'asked', not at '{point}'"):
        double.pause_at(point)
