"""Whoever answers piece by piece does it in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.providers.provider_setups import STAGES, Stage
from tests.support.fixed_response_server import OddServer
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
    AnthropicProvider,
    CodexCLIProvider,
    OpenAIProvider,
    Provider,
    Reply,
    StreamingProvider,
)
from yemot_ai.runtime.engine import Engine
from yemot_ai_testing.doubles.model_service.server import ModelServer

PIECES = ["פתוח עד", " שבע. ", "ביום שישי", " עד אחת."]

STREAMING = [name for name in STAGES if name != "codex"]
SERVED = [name for name in STREAMING if name not in {"codex-app-server", "scripted"}]


@pytest.fixture(params=STREAMING)
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    with STAGES[request.param]() as stage:
        yield stage
        stage.double.assert_complete()


async def parts(provider: Provider, prompt: str, session: JSON = None) -> list[str | Reply]:
    assert isinstance(provider, StreamingProvider)
    return [part async for part in provider.stream(session, prompt, instructions="ענה בקצרה")]


def run(provider: Provider, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the work brings
    async def closing() -> Any:  # noqa: ANN401 - as above
        try:
            return await work
        finally:
            close: Callable[[], Coroutine[Any, Any, None]] | None = getattr(provider, "aclose", None)
            if close:
                await close()

    return Engine.shared().run(closing())


def test_pieces_come_in_order_and_the_reply_is_the_whole_of_them(stage: Stage) -> None:
    stage.double.answers(PIECES)
    *pieces, reply = run(stage.provider, parts(stage.provider, "עד מתי?"))

    assert isinstance(reply, Reply)
    assert "".join(pieces) == reply.text == "".join(PIECES)
    assert len(pieces) == len(PIECES)
    assert reply.usage is not None
    assert reply.usage.input_tokens > 0


def test_a_conversation_is_remembered_over_streamed_turns(stage: Stage) -> None:
    stage.double.answers(PIECES).answers(["ו", "בשבת סגור"])

    async def two_turns() -> Reply:
        first = (await parts(stage.provider, "עד מתי?"))[-1]
        assert isinstance(first, Reply)
        second = (await parts(stage.provider, "ובשבת?", first.session))[-1]
        assert isinstance(second, Reply)
        return second

    assert run(stage.provider, two_turns()).text == "ובשבת סגור"
    assert stage.knows("עד מתי?")
    assert [request.instructions for request in stage.requests] == ["ענה בקצרה"] * 2


def test_the_first_piece_is_there_while_the_model_writes_and_leaving_stops_it(stage: Stage) -> None:
    stage.double.answers(PIECES, every=600)

    async def leave() -> str | Reply:
        assert isinstance(stage.provider, StreamingProvider)
        heard: asyncio.Future[str | Reply] = asyncio.get_running_loop().create_future()

        async def listen() -> None:
            assert isinstance(stage.provider, StreamingProvider)
            async for part in stage.provider.stream(None, "עד מתי?"):
                heard.set_result(part)

        listening = asyncio.create_task(listen())
        first = await heard
        listening.cancel()
        await asyncio.wait({listening})
        await asyncio.to_thread(stage.wait_idle)
        return first

    assert run(stage.provider, leave()) == PIECES[0]


def test_a_refusal_comes_before_any_piece(stage: Stage) -> None:
    stage.refuses("unauthorized")

    with pytest.raises(AuthenticationError):
        run(stage.provider, parts(stage.provider, "עד מתי?"))


# A scripted provider has no connection that could break off in the middle.
@pytest.mark.parametrize("stage", [name for name in STREAMING if name != "scripted"], indirect=True)
def test_an_answer_that_breaks_off_is_an_error_after_its_pieces(stage: Stage) -> None:
    stage.double.drops(PIECES[:2])
    heard: list[str | Reply] = []

    async def listen() -> None:
        assert isinstance(stage.provider, StreamingProvider)
        async for part in stage.provider.stream(None, "עד מתי?"):
            heard.append(part)  # noqa: PERF401 - what was heard before the error counts

    with pytest.raises(ProviderError) as caught:
        run(stage.provider, listen())
    assert isinstance(caught.value, ProviderCrashError)
    assert heard == PIECES[:2]


@pytest.mark.parametrize("stage", SERVED, indirect=True)
def test_a_foreign_session_is_lost_for_a_stream_too(stage: Stage) -> None:
    with pytest.raises(SessionLostError):
        run(stage.provider, parts(stage.provider, "עד מתי?", {"foreign": 1}))


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
def test_what_is_no_stream_of_the_protocol_is_malformed(
    make: Callable[[str], Provider], body: bytes, kind: str
) -> None:
    with OddServer(body, kind=kind) as odd:
        provider = make(odd.url)
        with pytest.raises(MalformedStreamError):
            run(provider, parts(provider, "עד מתי?"))


WRITTEN: dict[Callable[[str], Provider], bytes] = {
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
def test_a_stream_without_its_end_is_no_short_answer(make: Callable[[str], Provider], missing: int) -> None:
    with OddServer(WRITTEN[make], kind=EVENTS, missing=missing) as odd:
        provider = make(odd.url)
        with pytest.raises(ProviderCrashError):
            run(provider, parts(provider, "עד מתי?"))


REFUSALS: dict[Callable[[str], Provider], bytes] = {
    responses: b'event: error\ndata: {"type": "error", "code": "server_error", "message": "sorry"}\n\n',
    chat: b'data: {"error": {"message": "sorry", "code": "server_error"}}\n\n',
    messages: b'event: error\ndata: {"type": "error", "error":'
    b' {"type": "overloaded_error", "message": "sorry"}}\n\n',
}


@SDKS
def test_an_error_in_the_middle_of_a_stream_has_its_class(make: Callable[[str], Provider]) -> None:
    with OddServer(WRITTEN[make] + REFUSALS[make], kind=EVENTS) as odd:
        provider = make(odd.url)
        with pytest.raises(OverloadedError, match="sorry"):
            run(provider, parts(provider, "עד מתי?"))


@SDKS
def test_a_trickling_stream_ends_at_the_deadline(make: Callable[[str], Provider]) -> None:
    with OddServer(WRITTEN[make] * 50, kind=EVENTS, trickle=0.02) as odd:
        provider = make(odd.url)
        with pytest.raises(ProviderTimeoutError):
            run(provider, parts(provider, "עד מתי?"))
        odd.left.wait(10)


def test_thoughts_are_not_heard() -> None:
    with ModelServer() as model:
        model.answers(["<th", "ink>let me see", "</think>", "\nשבע. ", "כן."])
        provider = OpenAIProvider(api_key="test", model="m", base_url=model.base_url, api="chat")
        *heard, reply = run(provider, parts(provider, "עד מתי?"))

    assert isinstance(reply, Reply)
    assert "".join(map(str, heard)) == reply.text == "שבע. כן."


def test_codex_exec_writes_no_pieces() -> None:
    assert not isinstance(CodexCLIProvider(), StreamingProvider)
