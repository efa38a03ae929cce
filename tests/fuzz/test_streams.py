"""Any stream of a model gives a reply or a ``ProviderError``; the call continues."""

from __future__ import annotations

import copy
import gc
import json
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Reply
from yemot_ai.sessions import Session, Turn, TurnStatus
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai_testing.property import model_streams
from yemot_ai_testing.property.strategies import ModelStream
from yemot_ai_testing.property.strategies.model_streams import APIS

KEY = "word-of-the-test"
WAYS: Any = {"kept": "responses", "stored": "responses", "chat": "chat", "messages": "messages"}
"""The API of each way to hold a conversation."""

ANSWERS: Any = {api: find(model_streams(api=api), lambda _: True) for api in APIS}
"""The shortest stream of each API, for the turn after."""


class Service:
    """A server with a fixed stream of any bytes, and a provider that reads it."""

    def __init__(self, server: FixedResponseServer, way: str) -> None:
        self.api = WAYS[way]
        self._server = server
        self.provider: Any
        if self.api == "messages":
            self.provider = AnthropicProvider(api_key=KEY, model="m", base_url=server.url)
        else:
            store = way == "stored"
            self.provider = OpenAIProvider(
                api_key=KEY, model="m", base_url=f"{server.url}/v1", api=self.api, store=store
            )

    def read_stream(
        self,
        stream: ModelStream,
        *,
        missing: int = 0,
        session: Any = None,  # noqa: ANN401 - JSON
    ) -> tuple[list[str], Reply]:
        """Return the pieces and the reply of the provider for ``stream``."""
        length = f"content-length: {len(stream.body) + missing}"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {stream.content_type}\r\n{length}\r\n\r\n"
        self._server.response, self._server.missing = (head.encode(), stream.body), missing
        return Engine.shared().run(self._read(session))

    async def _read(self, session: Any) -> tuple[list[str], Reply]:  # noqa: ANN401 - JSON
        pieces: list[str] = []
        async with aclosing(self.provider.ask("יש?", session=session, stream=True)) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    return pieces, part
                assert isinstance(part, str)
                pieces.append(part)
        raise AssertionError("the stream ended with neither a reply nor an error")


@contextmanager
def collecting_on_loop() -> Iterator[None]:
    """Collect the SDKs' unfinished generators on the loop only.

    They are nested: if they are collected in another thread, some are closed on the loop while others are
    still being collected.
    """

    async def collect() -> None:
        gc.collect()

    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        Engine.shared().run(collect())
        gc.enable()


@pytest.fixture(scope="module", params=list(WAYS))
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with FixedResponseServer(b"") as server, collecting_on_loop():
        made = Service(server, request.param)
        yield made
        Engine.shared().run(made.provider.aclose())


def words(text: str) -> str:
    return "".join(text.split())


@fuzz(120)
@given(data=st.data(), missing=st.sampled_from([0, 0, 0, 7]))
def test_a_stream_gives_a_reply_or_a_provider_error_and_the_call_continues(
    service: Service, data: st.DataObject, missing: int
) -> None:
    stream = data.draw(model_streams(api=service.api))
    try:
        pieces, reply = service.read_stream(stream, missing=missing)
    except ProviderError:
        return
    assert reply.text.strip()
    assert reply.text.encode()
    "".join(pieces).encode()
    assert decode(encode(session_with(reply))) == session_with(reply)
    with suppress(SessionLostError):  # the conversation would be rebuilt
        assert service.read_stream(ANSWERS[service.api], session=reply.session)[1].text == "שלום"


def session_with(reply: Reply) -> Session:
    """Return a session with this answer in it."""
    turn = Turn("ai_1", "יש?", status=TurnStatus.ANSWERED, answer=reply.text, usage=reply.usage)
    return Session("c1", turns=(turn,), threads={"": reply.session})


@fuzz(60)
@given(data=st.data())
def test_the_pieces_of_a_complete_stream_are_its_text(service: Service, data: st.DataObject) -> None:
    stream = data.draw(model_streams("answered", api=service.api))
    try:
        pieces, reply = service.read_stream(stream)
    except ProviderError:
        return
    assert words("".join(pieces)) == words(reply.text)


TEXTS: Any = {
    "kept": {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0},
    "chat": {"id": "c", "choices": [{"index": 0, "finish_reason": None}]},
    "messages": {"type": "content_block_delta", "index": 0},
}


def stream_with_piece(way: str, text: object) -> ModelStream:
    """Return a stream with one more piece, whose text is ``text``."""
    event = copy.deepcopy(TEXTS[way])
    if way == "chat":
        event["choices"][0]["delta"] = {"content": text}
    else:
        event["delta"] = text if way == "kept" else {"type": "text_delta", "text": text}
    whole = ANSWERS[WAYS[way]]
    sent = b"event: %s\ndata: %s\n\n" % (event.get("type", "x").encode(), json.dumps(event).encode())
    return ModelStream(whole.api, (*whole.blocks[:-2], sent))


@pytest.mark.parametrize("text", [5, True])
@pytest.mark.parametrize("way", list(TEXTS))
def test_a_piece_that_is_not_a_text_raises_a_provider_error(way: str, text: object) -> None:
    with FixedResponseServer(b"") as server, collecting_on_loop():
        made = Service(server, way)
        try:
            with pytest.raises(ProviderError, match="check base_url"):
                made.read_stream(stream_with_piece(way, text))
        finally:
            Engine.shared().run(made.provider.aclose())
