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
from yemot_ai_testing.doubles.model_service import chat, messages, responses
from yemot_ai_testing.doubles.steps import Answer

ANSWER = Answer(("כן",), items=(responses.reasoning("…"),))
RESPONSES: Any = {
    name: api.response_body(ANSWER, "x", request={})
    for name, api in {"responses": responses, "chat": chat, "messages": messages}.items()
}
REFUSAL: Any = {"error": {"type": "rate_limit", "code": "x", "message": "no", "param": None}}
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
