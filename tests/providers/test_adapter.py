"""Both ways to write a provider: one method, and two or three."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asking import ask_provider
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import ConfigurationError, MalformedStreamError, ProviderError
from yemot_ai.providers import AnswerPart, FallbackProvider, Reply, read_reply
from yemot_ai.providers.adapter import as_provider
from yemot_ai.providers.provider import Exchange, SupportsAclose, SupportsEndSession
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.provider import RecordedProvider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class TwoMethods:
    name = "two"

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    async def start_session(self, prompt: str, **options: object) -> Reply:
        self.calls.append(("start", prompt, options))
        return Reply(f"1 {prompt}", "s")

    async def continue_session(self, session: object, prompt: str, **options: object) -> Reply:
        self.calls.append(("continue", session, prompt, options))
        return Reply(f"2 {prompt}", "s")


class ThreeMethods(TwoMethods):
    name = "three"

    async def stream(self, session: object, prompt: str, **options: object) -> AsyncIterator[AnswerPart]:
        self.calls.append(("stream", session, prompt, options))
        yield "אחת. "
        yield Reply("אחת. שתיים.", "s")


class Closing(TwoMethods):
    engine = None

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    async def end_session(self, session: object) -> None:
        self.calls.append(("end", session))

    async def aclose(self) -> None:
        self.closed += 1


class OneMethod:
    name = "one"
    streams = True

    def __init__(self, *parts: Any) -> None:  # noqa: ANN401 - wrong parts, too
        self.parts = parts
        self.options: list[dict[str, Any]] = []
        self.open = 0

    async def ask(self, prompt: str, **options: Any) -> AsyncIterator[AnswerPart]:  # noqa: ANN401 - see above
        self.options.append({"prompt": prompt, **options})
        self.open += 1
        try:
            for part in self.parts:
                yield part
        finally:
            self.open -= 1


def test_two_methods_start_and_continue() -> None:
    provider = TwoMethods()
    earlier = [Exchange("היי", "שלום")]

    asyncio.run(ask_provider(provider, "א", instructions="קצר", history=earlier))
    asyncio.run(ask_provider(provider, "ב", session="s", instructions="קצר"))

    assert provider.calls == [
        ("start", "א", {"instructions": "קצר", "history": earlier}),
        ("continue", "s", "ב", {"instructions": "קצר"}),
    ]


def test_the_third_method_is_used_for_pieces_only() -> None:
    provider = ThreeMethods()

    async def parts(*, stream: bool) -> list[AnswerPart]:
        return [part async for part in as_provider(provider).ask("א", stream=stream)]

    assert asyncio.run(parts(stream=True)) == ["אחת. ", Reply("אחת. שתיים.", "s")]
    assert asyncio.run(parts(stream=False)) == [Reply("1 א", "s")]
    assert (as_provider(provider).streams, as_provider(TwoMethods()).streams) == (True, False)


def test_a_provider_with_one_method_is_used_as_it_is() -> None:
    provider = OneMethod(Reply("כן", 1))

    assert as_provider(provider) is provider
    assert YemotAI(provider=provider).reply("c1", "יש?") == "כן"
    assert provider.options[0]["session"] is None
    assert provider.options[0]["stream"] is False


def test_the_adapter_has_the_optional_methods_that_the_provider_has() -> None:
    assert not isinstance(as_provider(TwoMethods()), SupportsEndSession | SupportsAclose)
    assert not hasattr(as_provider(TwoMethods()), "engine")
    adapted = as_provider(Closing())
    assert isinstance(adapted, SupportsEndSession)
    assert isinstance(adapted, SupportsAclose)
    assert hasattr(adapted, "engine")


def test_a_provider_of_several_agents_is_closed_once() -> None:
    provider = Closing()
    ai = YemotAI(provider=FallbackProvider([provider, RecordedProvider(provider, History())]))
    ai.close()
    assert provider.closed == 1

    ai = YemotAI(provider=provider)
    AIFlow(ai).ai_agent("1", provider=provider)
    ai.close()
    assert provider.closed == 2


@pytest.mark.parametrize(
    "give",
    [
        lambda provider: YemotAI(provider=provider),
        lambda provider: AIFlow(YemotAI(provider=OneMethod())).ai_agent("", provider=provider),
        lambda provider: FallbackProvider([provider]),
        lambda provider: RecordedProvider(provider, History()),
    ],
    ids=["YemotAI", "ai_agent", "FallbackProvider", "RecordedProvider"],
)
def test_an_object_that_is_no_provider_is_refused_where_it_is_given(give: Callable[[Any], object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        give(object())

    assert "start_session() and continue_session()" in str(caught.value)
    assert "ask()" in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ((), MalformedStreamError, "one ended its stream without a reply"),
        (("שלום",), ProviderError, "one returned str instead of a Reply"),
        ((7,), ProviderError, "one returned int instead of a Reply"),
    ],
    ids=["nothing", "text", "number"],
)
def test_an_answer_without_a_reply_is_an_error(
    parts: tuple[object, ...], error: type[ProviderError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        asyncio.run(ask_provider(OneMethod(*parts), "יש?"))
    assert caught.value.provider == "one"


def test_an_answer_is_closed_when_its_reply_was_read_and_when_a_piece_is_refused() -> None:
    provider = OneMethod("אחת. ", Reply("אחת.", 1), "more")
    pieces: list[str] = []

    async def read() -> Reply:
        reply = await read_reply(provider.ask("יש?"), "one", pieces.append)
        await other_tasks()  # a reply does not wait for the clean-up
        assert provider.open == 0
        return reply

    async def refuse() -> None:
        with pytest.raises(ZeroDivisionError):
            await read_reply(provider.ask("יש?"), "one", lambda _piece: 1 / 0)
        assert provider.open == 0

    assert asyncio.run(read()) == Reply("אחת.", 1)
    assert pieces == ["אחת. "]
    asyncio.run(refuse())


SAID = "what the caller said"


async def other_tasks() -> None:
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


def test_a_clean_up_neither_delays_a_reply_nor_loses_it(caplog: pytest.LogCaptureFixture) -> None:
    released = asyncio.Event()

    async def ask() -> AsyncIterator[AnswerPart]:
        try:
            yield Reply("אחת", 1)
        finally:
            await released.wait()
            raise ZeroDivisionError(SAID)

    async def read() -> Reply:
        reply = await read_reply(ask(), "one")
        released.set()
        await other_tasks()
        return reply

    assert asyncio.run(read()) == Reply("אחת", 1)
    assert "could not clean up" in caplog.text
    assert SAID not in caplog.text
