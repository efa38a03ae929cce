"""Any stream of a model gives a reply or a ``ProviderError``; the call continues."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.fuzz.fixed_service import WAYS, FixedService, fixed_service
from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers import JSON, Reply
from yemot_ai.sessions import Session, Turn, TurnStatus
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai_testing.property import model_streams
from yemot_ai_testing.property.strategies import ModelStream
from yemot_ai_testing.property.strategies.model_streams import APIS

ANSWERS: Any = {api: find(model_streams(api=api), lambda _: True) for api in APIS}
"""The shortest stream of each API, for the turn after."""


def read_stream(
    service: FixedService, stream: ModelStream, *, missing: int = 0, session: JSON = None
) -> tuple[list[str], Reply]:
    """Return the pieces and the reply of the provider for ``stream``."""
    service.server.answers(stream.body, kind=stream.content_type, missing=missing)
    return service.ask(session=session, stream=True)


@pytest.fixture(scope="module", params=list(WAYS))
def service(request: pytest.FixtureRequest) -> Iterator[FixedService]:
    with fixed_service(request.param) as service:
        yield service


def words(text: str) -> str:
    return "".join(text.split())


@fuzz(120)
@given(data=st.data(), missing=st.sampled_from([0, 0, 0, 7]))
def test_a_stream_gives_a_reply_or_a_provider_error_and_the_call_continues(
    service: FixedService, data: st.DataObject, missing: int
) -> None:
    stream = data.draw(model_streams(api=service.api))
    try:
        pieces, reply = read_stream(service, stream, missing=missing)
    except ProviderError:
        return
    assert reply.text.strip()
    assert reply.text.encode()
    "".join(pieces).encode()
    assert decode(encode(session_with(reply))) == session_with(reply)
    with suppress(SessionLostError):  # the conversation would be rebuilt
        assert read_stream(service, ANSWERS[service.api], session=reply.session)[1].text == "שלום"


def session_with(reply: Reply) -> Session:
    """Return a session with this answer in it."""
    turn = Turn("ai_1", "יש?", status=TurnStatus.ANSWERED, answer=reply.text, usage=reply.usage)
    return Session("c1", turns=(turn,), threads={"": reply.session})


@fuzz(60)
@given(data=st.data())
def test_the_pieces_of_a_complete_stream_are_its_text(service: FixedService, data: st.DataObject) -> None:
    stream = data.draw(model_streams("answered", api=service.api))
    try:
        pieces, reply = read_stream(service, stream)
    except ProviderError:
        return
    assert words("".join(pieces)) == words(reply.text)


TEXTS: Any = {
    "responses": {
        "type": "response.output_text.delta",
        "item_id": "m",
        "output_index": 0,
        "content_index": 0,
    },
    "chat": {"id": "c", "choices": [{"index": 0, "finish_reason": None}]},
    "messages": {"type": "content_block_delta", "index": 0},
}


def stream_with_piece(api: str, text: object) -> ModelStream:
    """Return a stream with one more piece, whose text is ``text``."""
    event = copy.deepcopy(TEXTS[api])
    if api == "chat":
        event["choices"][0]["delta"] = {"content": text}
    else:
        event["delta"] = text if api == "responses" else {"type": "text_delta", "text": text}
    whole = ANSWERS[api]
    sent = b"event: %s\ndata: %s\n\n" % (event.get("type", "x").encode(), json.dumps(event).encode())
    return ModelStream(whole.api, (*whole.blocks[:-2], sent))


@pytest.mark.parametrize("text", [5, True])
def test_a_piece_that_is_not_a_text_raises_a_provider_error(service: FixedService, text: object) -> None:
    with pytest.raises(ProviderError, match="check base_url"):
        read_stream(service, stream_with_piece(service.api, text))
