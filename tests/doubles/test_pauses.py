"""Every double of a model can stand still in its answer, at the same points, by the same names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from yemot_ai.providers import AnthropicProvider, CodexCLIProvider, OpenAIProvider, Reply
from yemot_ai_testing import FakeCodex, ModelServer, ScriptedProvider
from yemot_ai_testing.doubles.anthropic import AnthropicMock
from yemot_ai_testing.doubles.openai import OpenAIMock
from yemot_ai_testing.doubles.pauses import PAUSE_POINTS, PausePoint
from yemot_ai_testing.property import EchoProvider

KEY = "word-of-the-test"
WRITTEN: dict[PausePoint, int] = {"asked": 0, "first_text": 1, "last_text": 2}
"""How many pieces have come by then, of two."""


@dataclass
class Stage:
    """A double, and a provider that asks it."""

    double: Any
    provider: Any


def responses(model: ModelServer) -> Any:  # noqa: ANN401 - any provider
    return OpenAIProvider(api_key=KEY, model="m", base_url=model.base_url)


def chat(model: ModelServer) -> Any:  # noqa: ANN401 - likewise
    return OpenAIProvider(api_key=KEY, model="m", base_url=model.base_url, api="chat")


def messages(model: ModelServer) -> Any:  # noqa: ANN401 - likewise
    return AnthropicProvider(api_key=KEY, model="m", base_url=model.root_url)


SERVED: dict[str, Callable[[ModelServer], Any]] = {"responses": responses, "chat": chat, "messages": messages}


@pytest.fixture(params=[*SERVED, "scripted", "echo"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    if request.param == "echo":
        echo = EchoProvider(sentences=2)
        yield Stage(echo, echo)
    elif request.param == "scripted":
        scripted = ScriptedProvider().answers(["פתוח. ", "סגור."])
        yield Stage(scripted, scripted)
    else:
        with ModelServer().answers(["פתוח. ", "סגור."]) as model:
            yield Stage(model, SERVED[request.param](model))


async def asked(provider: Any, pieces: list[str], came: asyncio.Condition) -> Reply:  # noqa: ANN401 - likewise
    async for part in provider.stream(None, "אמירה 7001"):
        if isinstance(part, Reply):
            return part
        async with came:
            pieces.append(part)
            came.notify_all()
    raise AssertionError("an answer ends with a reply")


async def closed(provider: Any) -> None:  # noqa: ANN401 - likewise
    if hasattr(provider, "aclose"):
        await provider.aclose()


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_a_model_stands_where_it_was_told_to_until_it_goes_on(stage: Stage, point: PausePoint) -> None:
    async def scene() -> None:
        pieces: list[str] = []
        came = asyncio.Condition()
        stage.double.pause_at(point)
        asking = asyncio.ensure_future(asked(stage.provider, pieces, came))
        await asyncio.to_thread(stage.double.pause.wait)
        async with asyncio.timeout(10), came:
            await came.wait_for(lambda: len(pieces) == WRITTEN[point])
        assert not asking.done()
        assert stage.double.pause.waiting == 1

        stage.double.resume()
        reply = await asking
        assert len(pieces) == 2
        assert "".join(pieces).split() == reply.text.split()
        await closed(stage.provider)

    asyncio.run(scene())


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_whoever_leaves_stands_there_no_more(stage: Stage, point: PausePoint) -> None:
    async def scene() -> None:
        stage.double.pause_at(point)
        asking = asyncio.ensure_future(asked(stage.provider, [], asyncio.Condition()))
        await asyncio.to_thread(stage.double.pause.wait)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await closed(stage.provider)
        if isinstance(stage.double, ModelServer):
            await asyncio.to_thread(stage.double.wait_idle)
        assert stage.double.pause.waiting == 0

    asyncio.run(scene())


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_an_answer_that_is_sent_whole_stands_at_each_point_before_it(point: PausePoint) -> None:
    async def scene() -> None:
        with ModelServer().answers("פתוח.") as model:
            provider = responses(model)
            model.pause_at(point)
            asking = asyncio.ensure_future(provider.start_session("מתי?"))
            await asyncio.to_thread(model.pause.wait)
            assert not asking.done()
            model.resume()
            assert (await asking).text == "פתוח."
            await provider.aclose()

    asyncio.run(scene())


def codex(_double: FakeCodex) -> Any:  # noqa: ANN401 - likewise
    return CodexCLIProvider()


def openai(_double: OpenAIMock) -> Any:  # noqa: ANN401 - likewise
    return OpenAIProvider(api_key=KEY, model="m")


def anthropic(_double: AnthropicMock) -> Any:  # noqa: ANN401 - likewise
    return AnthropicProvider(api_key=KEY, model="m")


@pytest.mark.parametrize(
    ("make", "provided"), [(FakeCodex, codex), (OpenAIMock, openai), (AnthropicMock, anthropic)]
)
def test_a_double_whose_answer_comes_whole_stands_before_it(
    make: Callable[[], Any], provided: Callable[[Any], Any]
) -> None:
    async def scene(double: Any) -> None:  # noqa: ANN401 - any double
        provider = provided(double)
        double.pause_at("asked")
        asking = asyncio.ensure_future(provider.start_session("מתי?"))
        await asyncio.to_thread(double.wait_for_requests, 1)
        assert not asking.done()
        double.resume()
        assert (await asking).text == "פתוח."
        await closed(provider)

    with make() as double:
        double.answers("פתוח.")
        asyncio.run(scene(double))


@pytest.mark.parametrize("make", [FakeCodex, OpenAIMock, AnthropicMock])
@pytest.mark.parametrize("point", ["first_text", "last_text"])
def test_a_double_whose_answer_comes_whole_says_so(make: Callable[[], Any], point: PausePoint) -> None:
    with make() as double, pytest.raises(ValueError, match=f"pauses at 'asked', not at '{point}'"):
        double.pause_at(point)
