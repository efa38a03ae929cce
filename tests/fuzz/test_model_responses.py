"""Any response of a model service gives a reply or a ``ProviderError``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.fuzz.mutations import altered_bytes, altered_json, encode_loosely
from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ProviderError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Reply

WORDS = "word-of-the-test"
RESPONSE: Any = {
    "id": "r",
    "status": "completed",
    "output": [
        {"type": "reasoning", "id": "t", "summary": []},
        {"type": "message", "id": "a", "content": [{"type": "output_text", "text": "כן", "annotations": []}]},
    ],
    "usage": {"input_tokens": 3, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 0}},
}
MESSAGE: Any = {
    "id": "m",
    "role": "assistant",
    "content": [{"type": "text", "text": "כן"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
COMPLETION: Any = {
    "id": "c",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "כן"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}},
}
REFUSAL: Any = {"error": {"type": "rate_limit", "code": "x", "message": "no", "param": None}}
SERVICES = {"responses": RESPONSE, "chat": COMPLETION, "messages": MESSAGE}
DEEP = b"[" * 100_000


class Service:
    """A server with a fixed response of any bytes, and a provider that calls it."""

    def __init__(self, server: FixedResponseServer, api: str) -> None:
        self.server = server
        self.provider: OpenAIProvider | AnthropicProvider
        if api == "messages":
            self.provider = AnthropicProvider(api_key=WORDS, model="m", base_url=server.url)
        elif api == "chat":
            self.provider = OpenAIProvider(api_key=WORDS, model="m", base_url=f"{server.url}/v1", api="chat")
        else:
            self.provider = OpenAIProvider(api_key=WORDS, model="m", base_url=f"{server.url}/v1")

    def answers(self, body: bytes, status: int) -> Reply:
        length = f"content-length: {len(body)}"
        head = f"HTTP/1.1 {status} Odd\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        self.server.response = head.encode(), body
        return Engine.shared().run(ask_provider(self.provider, "יש?"))


@pytest.fixture(scope="module", params=list(SERVICES))
def service(request: pytest.FixtureRequest) -> Iterator[tuple[Service, Any]]:
    with FixedResponseServer(b"{}") as server:
        made = Service(server, request.param)
        yield made, SERVICES[request.param]
        Engine.shared().run(made.provider.aclose())


@fuzz(120)
@given(st.data(), st.sampled_from([200, 200, 200, 400, 429, 500]))
def test_an_altered_response_gives_a_reply_or_a_provider_error(
    service: tuple[Service, Any], data: st.DataObject, status: int
) -> None:
    provider, valid = service
    whole = valid if status == 200 else REFUSAL
    body = data.draw(altered_json(whole).map(encode_loosely) | altered_bytes(json.dumps(whole).encode()))
    with suppress(ProviderError):
        reply = provider.answers(body, status)
        assert reply.text.strip()
        assert json.dumps(reply.session)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [DEEP, b"1" * 5_000, b"\xef\xbb\xbf{}", b"\x00", b'{"a":' * 990 + b"1" + b"}" * 990, b'{"id":NaN}', b""],
    ids=["deep", "long number", "bom", "nul", "nested", "nan", "empty"],
)
def test_an_unparsable_response_raises_a_provider_error(
    service: tuple[Service, Any], body: bytes, status: int
) -> None:
    with pytest.raises(ProviderError):
        service[0].answers(body, status)
