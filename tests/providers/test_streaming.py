"""All streaming providers behave in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.providers.provider_setups import PROVIDER_SETUPS, ProviderSetup
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import (
    AuthenticationError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    SessionLostError,
)
from yemot_ai.providers import (
    JSON,
    AnswerPart,
    AnthropicProvider,
    CodexCLIProvider,
    OpenAIProvider,
    Provider,
    Reply,
)
from yemot_ai_testing.doubles.model_service.server import ModelServer

PIECES = ["פתוח עד שבע. ", "ביום שישי עד אחת. ", "בשבת סגור. ", "להתראות."]
"""Whole sentences: Codex's app-server passes on no others."""

STREAMING = [name for name in PROVIDER_SETUPS if name != "codex"]
SERVED = [name for name in STREAMING if name not in {"codex-app-server", "scripted"}]


@pytest.fixture(params=STREAMING)
def setup(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProviderSetup]:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    with PROVIDER_SETUPS[request.param]() as setup:
        yield setup
        setup.double.assert_complete()


async def parts(provider: Provider, prompt: str, session: JSON = None) -> list[AnswerPart]:
    return [
        part async for part in provider.ask(prompt, session=session, instructions="ענה בקצרה", stream=True)
    ]


def run(provider: Provider, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - the result of any coroutine
    async def closing() -> Any:  # noqa: ANN401 - as above
        try:
            return await work
        finally:
            close: Callable[[], Coroutine[Any, Any, None]] | None = getattr(provider, "aclose", None)
            if close:
                await close()

    return Engine.shared().run(closing())


def test_pieces_arrive_in_order_and_the_reply_is_all_of_them(setup: ProviderSetup) -> None:
    setup.double.answers(PIECES)
    *pieces, reply = run(setup.provider, parts(setup.provider, "עד מתי?"))

    assert isinstance(reply, Reply)
    assert "".join(pieces) == reply.text == "".join(PIECES)
    assert len(pieces) == len(PIECES)
    assert reply.usage is not None
    assert reply.usage.input_tokens > 0


def test_a_conversation_is_remembered_over_streamed_turns(setup: ProviderSetup) -> None:
    setup.double.answers(PIECES).answers(["ו", "בשבת סגור"])

    async def two_turns() -> Reply:
        first = (await parts(setup.provider, "עד מתי?"))[-1]
        assert isinstance(first, Reply)
        second = (await parts(setup.provider, "ובשבת?", first.session))[-1]
        assert isinstance(second, Reply)
        return second

    assert run(setup.provider, two_turns()).text == "ובשבת סגור"
    assert setup.has_context("עד מתי?")
    assert [request.instructions for request in setup.requests] == ["ענה בקצרה"] * 2


def test_the_first_piece_arrives_while_the_model_writes_and_leaving_stops_it(setup: ProviderSetup) -> None:
    setup.double.answers(PIECES, every=600)

    async def leave() -> AnswerPart:
        received: asyncio.Future[AnswerPart] = asyncio.get_running_loop().create_future()

        async def listen() -> None:
            async for part in setup.provider.ask("עד מתי?", stream=True):
                received.set_result(part)

        listening = asyncio.create_task(listen())
        first = await received
        listening.cancel()
        await asyncio.wait({listening})
        await asyncio.to_thread(setup.wait_idle)
        return first

    assert run(setup.provider, leave()) == PIECES[0]


def test_an_error_response_is_raised_before_any_piece(setup: ProviderSetup) -> None:
    setup.fail("unauthorized")

    with pytest.raises(AuthenticationError):
        run(setup.provider, parts(setup.provider, "עד מתי?"))


# A scripted provider has no connection that could break off in the middle.
@pytest.mark.parametrize("setup", [name for name in STREAMING if name != "scripted"], indirect=True)
def test_an_answer_that_breaks_off_is_an_error_after_its_pieces(setup: ProviderSetup) -> None:
    setup.double.drops(PIECES[:2])
    received: list[AnswerPart] = []

    async def listen() -> None:
        async for part in setup.provider.ask("עד מתי?", stream=True):
            received.append(part)  # noqa: PERF401 - the parts before the error are checked

    with pytest.raises(ProviderError) as caught:
        run(setup.provider, listen())
    assert isinstance(caught.value, ProviderCrashError)
    assert received == PIECES[:2]


@pytest.mark.parametrize("setup", SERVED, indirect=True)
def test_a_foreign_session_is_lost_for_a_stream_too(setup: ProviderSetup) -> None:
    with pytest.raises(SessionLostError):
        run(setup.provider, parts(setup.provider, "עד מתי?", {"foreign": 1}))


def responses(url: str) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", timeout=2.0)


def chat(url: str) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", api="chat", timeout=2.0)


def messages(url: str) -> Provider:
    return AnthropicProvider(api_key="test", model="m", base_url=url, timeout=2.0)


SDKS = pytest.mark.parametrize("make", [responses, chat, messages], ids=["responses", "chat", "messages"])
EVENTS = "text/event-stream"


@SDKS
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>a proxy's page</html>", "text/html"),
        (b'{"error": "none of these"}', "application/json"),
        (b"", EVENTS),
        (b"data: {half\n\n", EVENTS),
    ],
    ids=["page", "json", "nothing", "no-json"],
)
def test_a_body_that_is_not_a_stream_is_malformed(
    make: Callable[[str], Provider], body: bytes, kind: str
) -> None:
    with FixedResponseServer(body, kind=kind) as server:
        provider = make(server.url)
        with pytest.raises(MalformedStreamError):
            run(provider, parts(provider, "עד מתי?"))


FIRST_EVENTS: dict[Callable[[str], Provider], bytes] = {
    responses: b'data: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0,'
    b' "content_index": 0, "delta": "open. "}\n\n',
    chat: b'data: {"id": "c", "object": "chat.completion.chunk", "choices":'
    b' [{"index": 0, "delta": {"content": "open. "}, "finish_reason": null}]}\n\n',
    messages: b"event: content_block_delta\n"
    b'data: {"type": "content_block_delta", "index": 0,'
    b' "delta": {"type": "text_delta", "text": "open. "}}\n\n',
}


@SDKS
@pytest.mark.parametrize("missing", [0, 100], ids=["ended", "cut"])
def test_a_stream_without_its_end_is_an_error(make: Callable[[str], Provider], missing: int) -> None:
    with FixedResponseServer(FIRST_EVENTS[make], kind=EVENTS, missing=missing) as server:
        provider = make(server.url)
        with pytest.raises(ProviderCrashError):
            run(provider, parts(provider, "עד מתי?"))


ERROR_EVENTS: dict[Callable[[str], Provider], bytes] = {
    responses: b'event: error\ndata: {"type": "error", "code": "server_error", "message": "sorry"}\n\n',
    chat: b'data: {"error": {"message": "sorry", "code": "server_error"}}\n\n',
    messages: b'event: error\ndata: {"type": "error", "error":'
    b' {"type": "overloaded_error", "message": "sorry"}}\n\n',
}


@SDKS
def test_an_error_in_the_middle_of_a_stream_has_its_class(make: Callable[[str], Provider]) -> None:
    with FixedResponseServer(FIRST_EVENTS[make] + ERROR_EVENTS[make], kind=EVENTS) as server:
        provider = make(server.url)
        with pytest.raises(OverloadedError, match="sorry"):
            run(provider, parts(provider, "עד מתי?"))


@pytest.mark.slow
@SDKS
def test_a_trickling_stream_ends_at_the_deadline(make: Callable[[str], Provider]) -> None:
    with FixedResponseServer(FIRST_EVENTS[make] * 50, kind=EVENTS, trickle=0.02) as server:
        provider = make(server.url)
        with pytest.raises(ProviderTimeoutError):
            run(provider, parts(provider, "עד מתי?"))
        server.disconnected.wait(10)


def test_thinking_is_removed_from_a_stream() -> None:
    with ModelServer() as model:
        model.answers(["<th", "ink>let me see", "</think>", "\nשבע. ", "כן."])
        provider = OpenAIProvider(api_key="test", model="m", base_url=model.base_url, api="chat")
        *received, reply = run(provider, parts(provider, "עד מתי?"))

    assert isinstance(reply, Reply)
    assert "".join(map(str, received)) == reply.text == "שבע. כן."


def test_codex_exec_does_not_stream() -> None:
    assert not CodexCLIProvider.streams
