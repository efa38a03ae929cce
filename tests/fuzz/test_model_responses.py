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
from tests.fuzz.fixed_service import FixedService, fixed_service
from tests.fuzz.mutations import altered_bytes, altered_json, encode_loosely
from yemot_ai.errors import ProviderError

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
RESPONSES = {"responses": RESPONSE, "chat": COMPLETION, "messages": MESSAGE}
DEEP = b"[" * 100_000


@pytest.fixture(scope="module", params=["kept", "chat", "messages"])
def service(request: pytest.FixtureRequest) -> Iterator[FixedService]:
    with fixed_service(request.param) as service:
        yield service


@fuzz(120)
@given(st.data(), st.sampled_from([200, 200, 200, 400, 429, 500]))
def test_an_altered_response_gives_a_reply_or_a_provider_error(
    service: FixedService, data: st.DataObject, status: int
) -> None:
    whole = RESPONSES[service.api] if status == 200 else REFUSAL
    body = data.draw(altered_json(whole).map(encode_loosely) | altered_bytes(json.dumps(whole).encode()))
    service.server.answers(body, status=status)
    with suppress(ProviderError):
        _, reply = service.ask()
        assert reply.text.strip()
        assert json.dumps(reply.session)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [DEEP, b"1" * 5_000, b"\xef\xbb\xbf{}", b"\x00", b'{"a":' * 990 + b"1" + b"}" * 990, b'{"id":NaN}', b""],
    ids=["deep", "long number", "bom", "nul", "nested", "nan", "empty"],
)
def test_an_unparsable_response_raises_a_provider_error(
    service: FixedService, body: bytes, status: int
) -> None:
    service.server.answers(body, status=status)
    with pytest.raises(ProviderError):
        service.ask()
