"""Every refusal of the table, in bytes over the loopback, through the real SDKs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ProviderError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider
from yemot_ai.providers.codex.faults import error_from_text
from yemot_ai.providers.refusals import ErrorBody, refusal_kind


@dataclass(frozen=True)
class Case:
    """One refusal, a line of ``refusals.jsonl``.

    Attributes:
        kind: ``ProviderError.kind`` of the right error.
        status: the HTTP status.
        body: the JSON of the body.
        text: the body, if it is not JSON.
        headers: further HTTP headers.
        wait: the right ``retry_after``.
        name: the service, and what is wrong.
    """

    kind: str
    status: int
    body: Any = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float | None = None
    name: str = ""

    @property
    def content(self) -> bytes:
        return (json.dumps(self.body) if self.text is None else self.text).encode()


LINES = (Path(__file__).parent / "refusals.jsonl").read_text("utf-8").splitlines()
CASES = {case.name: case for case in (Case(**json.loads(line)) for line in LINES)}

Refuse: TypeAlias = Callable[[Case], ProviderError]

PROVIDERS: dict[str, Callable[[str], OpenAIProvider | AnthropicProvider]] = {
    "responses": lambda url: OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1"),
    "chat": lambda url: OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", api="chat"),
    "messages": lambda url: AnthropicProvider(api_key="test", model="m", base_url=url),
}


@pytest.fixture(scope="module", params=list(PROVIDERS))
def refuse(request: pytest.FixtureRequest) -> Iterator[Refuse]:
    """A function that lets a server refuse a request and returns the provider's error."""
    with ExitStack() as stack:
        server = stack.enter_context(FixedResponseServer(b""))
        provider = PROVIDERS[request.param](server.url)
        stack.callback(lambda: Engine.shared().run(provider.aclose()))

        def send(case: Case) -> ProviderError:
            headers = "".join(f"\r\n{name}: {value}" for name, value in case.headers.items())
            server.answers(case.content, status=case.status, kind=f"application/json{headers}")
            with pytest.raises(ProviderError) as caught:
                Engine.shared().run(ask_provider(provider, "יש?"))
            return caught.value

        yield send


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_the_error_that_it_means(refuse: Refuse, name: str) -> None:
    case = CASES[name]
    error = refuse(case)

    assert (error.kind, error.retry_after) == (case.kind, case.wait), error


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.status >= 400])
def test_a_body_in_a_text_means_the_same(name: str) -> None:
    """A proxy, or Codex, puts a body into a sentence."""
    case = CASES[name]
    text = f"unexpected status {case.status} Error: {case.content.decode()}, url: http://127.0.0.1/v1"
    kind = refusal_kind(ErrorBody.parse(text, headers=case.headers))

    assert (kind.kind if kind else "provider") == case.kind


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.status in set(HTTPStatus)])
def test_codex_passes_a_refusal_on(name: str) -> None:
    case = CASES[name]
    phrase = HTTPStatus(case.status).phrase
    error = error_from_text(f"unexpected status {case.status} {phrase}: {case.content.decode()}")

    assert error.kind == {"provider": error.kind}.get(case.kind, case.kind)


@pytest.mark.parametrize("message", ["no", "שגיאה", "x" * 9999])
@pytest.mark.parametrize(("status", "kind"), [(401, "unauthorized"), (418, "provider"), (599, "overloaded")])
def test_without_known_words_the_status_decides(refuse: Refuse, message: str, status: int, kind: str) -> None:
    assert refuse(Case(kind, status, {"message": message})).kind == kind


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("model-openrouter-privacy", "guardrail restrictions"),
        ("key-gemini-list", "Please pass a valid API key"),
        ("overflow-poolside", "Provider returned error: Input length 131393"),
        ("model-fastapi", "Model foo not found"),
        ("other-path-404", "Not Found"),
    ],
)
def test_the_reason_is_in_the_message(refuse: Refuse, name: str, reason: str) -> None:
    assert reason in str(refuse(CASES[name]))


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"error":' * 50_000,
        "{",
        "[{",
        b"\xff\xfe".decode("latin-1"),
        "null",
        "[]",
        "{}",
        '"x"',
    ],
)
def test_no_body_breaks_the_reader(body: str) -> None:
    assert ErrorBody.parse(body, status=500).status == 500


def test_the_words_of_the_caller_that_a_service_quotes_are_not_in_the_error(refuse: Refuse) -> None:
    body = {"detail": [{"msg": "String should have at most 5 characters", "input": "הסוד של המתקשר"}]}
    metadata = {"error": {"message": "flagged", "metadata": {"flagged_input": "הסוד של המתקשר"}}}

    assert "הסוד" not in str(refuse(Case("", 422, body)))
    assert "הסוד" not in str(refuse(Case("", 403, metadata)))
