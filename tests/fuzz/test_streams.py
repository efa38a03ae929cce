"""Whatever a model streams, it is heard to an end, or ends in an error of ours; the call goes on after it."""

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
from tests.support.fixed_response_server import OddServer
from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Reply
from yemot_ai.runtime.engine import Engine
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
    """A server whose next stream is any bytes, and a provider that reads it."""

    def __init__(self, server: OddServer, way: str) -> None:
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

    def tells(self, stream: ModelStream, *, missing: int = 0, session: Any = None) -> tuple[list[str], Reply]:  # noqa: ANN401 - JSON
        """Return the pieces and the reply that the provider makes of ``stream``."""
        length = f"content-length: {len(stream.body) + missing}"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {stream.content_type}\r\n{length}\r\n\r\n"
        self._server.answer, self._server.missing = (head.encode(), stream.body), missing
        return Engine.shared().run(self._read(session))

    async def _read(self, session: Any) -> tuple[list[str], Reply]:  # noqa: ANN401 - JSON
        pieces: list[str] = []
        async with aclosing(self.provider.stream(session, "יש?")) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    return pieces, part
                assert isinstance(part, str)
                pieces.append(part)
        raise AssertionError("the stream ended with neither a reply nor an error")


@contextmanager
def collected_where_it_ran() -> Iterator[None]:
    """Collect what the SDKs leave behind in the middle of a stream on the loop, not beside it.

    Their generators are nested; those that are collected in another thread begin to close each other on
    the loop while the rest is still being collected.
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
    with OddServer(b"") as server, collected_where_it_ran():
        made = Service(server, request.param)
        yield made
        Engine.shared().run(made.provider.aclose())


def words(text: str) -> str:
    return "".join(text.split())


@fuzz(120)
@given(data=st.data(), missing=st.sampled_from([0, 0, 0, 7]))
def test_a_stream_is_heard_or_an_error_of_ours_and_the_call_goes_on(
    service: Service, data: st.DataObject, missing: int
) -> None:
    stream = data.draw(model_streams(api=service.api))
    try:
        pieces, reply = service.tells(stream, missing=missing)
    except ProviderError:
        return
    assert reply.text.strip()
    assert reply.text.encode()
    "".join(pieces).encode()
    assert decode(encode(kept(reply))) == kept(reply)
    with suppress(SessionLostError):  # which is rebuilt from what was said
        assert service.tells(ANSWERS[service.api], session=reply.session)[1].text == "שלום"


def kept(reply: Reply) -> Session:
    """Return a call's record with this answer in it."""
    turn = Turn("ai_1", "יש?", status=TurnStatus.ANSWERED, answer=reply.text, usage=reply.usage)
    return Session("c1", turns=(turn,), threads={"": reply.session})


@fuzz(60)
@given(data=st.data())
def test_what_is_heard_of_a_whole_stream_is_what_it_says(service: Service, data: st.DataObject) -> None:
    stream = data.draw(model_streams("answered", api=service.api))
    try:
        pieces, reply = service.tells(stream)
    except ProviderError:
        return
    assert words("".join(pieces)) == words(reply.text)


TEXTS: Any = {
    "kept": {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0},
    "chat": {"id": "c", "choices": [{"index": 0, "finish_reason": None}]},
    "messages": {"type": "content_block_delta", "index": 0},
}


def piece(way: str, text: object) -> ModelStream:
    """Return the stream of an answer with one more piece, which is whatever ``text`` is."""
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
def test_what_is_no_text_is_not_heard(way: str, text: object) -> None:
    with OddServer(b"") as server, collected_where_it_ran():
        made = Service(server, way)
        try:
            with pytest.raises(ProviderError, match="check base_url"):
                made.tells(piece(way, text))
        finally:
            Engine.shared().run(made.provider.aclose())
