"""The contracts of the SDKs, three ways: their models, what our doubles send, what our readers read.

A new version of an SDK that changes one of the shapes that we use fails here, with its name and version.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
from anthropic.types import ErrorResponse, ErrorType, Message, RawMessageStreamEvent
from openai.types.audio import Transcription, TranscriptionStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseError, ResponseStreamEvent

from tests.providers.provider_setups import STAGES
from tests.providers.sdk_shapes import Shape, ShapeError, installed, literals, reachable
from tests.support.codex import asked
from yemot_ai.errors import ProviderError
from yemot_ai.providers import anthropic as anthropic_provider
from yemot_ai.providers.openai import chat as openai_chat
from yemot_ai.providers.openai import provider as openai_provider
from yemot_ai.providers.openai import responses as openai_responses
from yemot_ai.transcription import openai as openai_transcriber
from yemot_ai_testing.doubles.model_service import chat as chat_api
from yemot_ai_testing.doubles.model_service import messages as messages_api
from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service import transcription as transcription_api
from yemot_ai_testing.doubles.script import FAILURE_KINDS
from yemot_ai_testing.doubles.steps import Answer, Failure, FailureKind

if TYPE_CHECKING:
    from types import ModuleType

    from pydantic import BaseModel

    from yemot_ai_testing.doubles.model_service.api import ModelAPI

REQUEST = {"model": "m", "instructions": "ענה בקצרה"}
ITEMS = (
    responses_api.reasoning("**Looking at the clock**"),
    responses_api.function_call("clock", {"zone": "Asia/Jerusalem"}),
    responses_api.web_search_call("השעה בירושלים"),
)
ANSWERS = {
    "an answer": Answer(("של", "ום")),
    "no word": Answer(()),
    "an answer after a delay": Answer(("שלום",), after=1.0),
}
OF_THE_SERVICE = {"context_length_exceeded", "insufficient_quota"}
"""Codes of a failed response that the service sends, and Codex reads, and the SDK's type does not have."""


def answered(
    sdk: str, name: str, api: ModelAPI, kinds: tuple[Any, Any], answers: Mapping[str, Answer] = ANSWERS
) -> Iterator[Shape]:
    """What a double says when a model answers: the body, and each event of the stream."""
    body, event = kinds
    for what, step in answers.items():
        whole = api.response_body(step, "1", request=REQUEST)
        yield Shape(sdk, f"{name}, {what}", body, whole)
        for told in api.stream_events(whole, step.pieces):
            yield Shape(sdk, f"{name}, {what}, event {told.get('type', 'chunk')}", event, told)


def refused(sdk: str, name: str, api: ModelAPI, event: Any) -> Iterator[Shape]:  # noqa: ANN401 - a type
    """What a double says in a stream that fails."""
    for kind in FAILURE_KINDS:
        failure = Failure(kind, None, 0.0)  # type: ignore[arg-type]  # FAILURES are the words of the literal
        for told in api.error_events(failure, "1", request=REQUEST):
            # How a response fails has a test of its own: its codes are the service's.
            if told["type"] != "response.failed":
                meant = ErrorResponse if told["type"] == "error" else event
                yield Shape(sdk, f"{name}, {kind}, event {told['type']}", meant, told)


def errors(kinds: Iterable[FailureKind]) -> Iterator[Shape]:
    for kind in kinds:
        body = messages_api.error_response(Failure(kind, None, 0.0)).body
        yield Shape("anthropic", f"error, {kind}", ErrorResponse, body)


def shapes() -> Iterator[Shape]:
    """Everything that our doubles send."""
    of_responses, of_chat = (Response, ResponseStreamEvent), (ChatCompletion, ChatCompletionChunk)
    of_messages, of_audio = (Message, RawMessageStreamEvent), (Transcription, TranscriptionStreamEvent)
    further = {**ANSWERS, "tools and thoughts": Answer(("שלום",), items=ITEMS)}
    yield from answered("openai", "Response", responses_api, of_responses, further)
    yield from answered("openai", "ChatCompletion", chat_api, of_chat)
    yield from answered("openai", "Transcription", transcription_api, of_audio)
    yield from answered("anthropic", "Message", messages_api, of_messages)
    yield from refused("openai", "Response", responses_api, ResponseStreamEvent)
    yield from refused("anthropic", "Message", messages_api, RawMessageStreamEvent)
    yield from errors(("rate_limited", "unauthorized", "overloaded", "context_overflow", "unknown_model"))


SHAPES = list(shapes())


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=lambda number: f"{number}-{SHAPES[number].name}")
def test_what_a_double_sends_is_what_the_sdk_expects(number: int) -> None:
    SHAPES[number].check()


@pytest.mark.parametrize("kind", ["context_overflow", "quota_exceeded"])
def test_a_failed_stream_has_a_code_of_the_service_and_is_else_what_the_sdk_expects(
    kind: FailureKind,
) -> None:
    events = list(responses_api.error_events(Failure(kind, None, 0.0), "1", request=REQUEST))
    failed = Shape("openai", f"Response, {kind}", ResponseStreamEvent, events[-1])
    with pytest.raises(ShapeError, match=r"response\.error\.code: Input should be [^;]*$"):
        failed.check()
    assert events[-1]["response"]["error"]["code"] in OF_THE_SERVICE


def test_there_is_a_shape_for_each_event_that_tells_of_an_answer() -> None:
    told = {str(shape.body.get("type")) for shape in SHAPES}
    assert {"response.output_text.delta", "response.completed", "response.created"} <= told
    assert {"content_block_delta", "message_delta", "message_stop", "error"} <= told


PLANTED: dict[str, Callable[[dict[str, Any]], object]] = {
    "status: Field required": lambda body: body["output"][0].pop("status"),
    "usage.input_tokens: Input should be a valid integer": lambda body: body["usage"].update(
        input_tokens="1"
    ),
    "unknown to the SDK: output.0.mood": lambda body: body["output"][0].update(mood="good"),
    "status: Input should be": lambda body: body.update(status="done"),
}


@pytest.mark.parametrize("said", PLANTED)
def test_a_change_is_told_with_the_sdk_its_version_and_the_shape(said: str) -> None:
    body = responses_api.response_body(Answer(("שלום",)), "1", request=REQUEST)
    PLANTED[said](body)
    with pytest.raises(ShapeError) as caught:
        Shape("openai", "Response", Response, body).check()
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{installed('openai')}: Response: ")


def test_an_event_that_the_sdk_has_no_more_is_named() -> None:
    with pytest.raises(ShapeError, match=r"openai [\d.]+: x: no member is a 'response.output_text.piece'"):
        Shape("openai", "x", ResponseStreamEvent, {"type": "response.output_text.piece"}).check()


# What our readers read.


BEYOND = {("ChatCompletion", "error"), ("Message", "error")}
"""Read although the SDK has no such field: an error in a 200, as compatible servers send it."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> set[tuple[type[BaseModel], str]]:
    """What is read of the SDKs' models while the test runs."""
    seen: set[tuple[type[BaseModel], str]] = set()

    def watched(model: BaseModel, name: str) -> object:
        if not name.startswith(("_", "model_")):
            seen.add((type(model), name))
        return object.__getattribute__(model, name)

    for sdk in (openai, anthropic):
        monkeypatch.setattr(sdk.BaseModel, "__getattribute__", watched, raising=False)
    return seen


OPENAI = reachable(
    Response,
    ResponseStreamEvent,
    ChatCompletion,
    ChatCompletionChunk,
    Transcription,
    TranscriptionStreamEvent,
)
ANTHROPIC = reachable(Message, RawMessageStreamEvent, ErrorResponse)

READ_AT_LEAST = {
    "openai-responses": {("Response", "output"), ("Response", "usage"), ("ResponseOutputText", "text")},
    "openai-kept": {("Response", "status"), ("ResponseOutputMessage", "phase")},
    "openai-chat": {("ChatCompletionMessage", "content"), ("CompletionUsage", "prompt_tokens")},
    "anthropic": {("Message", "stop_reason"), ("TextBlock", "text"), ("Usage", "cache_read_input_tokens")},
}


@pytest.mark.parametrize("stage", READ_AT_LEAST)
def test_what_our_readers_read_is_there_in_the_sdk(
    stage: str, reads: set[tuple[type[BaseModel], str]]
) -> None:
    with STAGES[stage]() as on:

        async def call() -> None:
            first = await on.provider.start_session("א")
            await on.provider.continue_session(first.session, "ב")
            on.says_nothing()
            with pytest.raises(ProviderError):
                await on.provider.start_session("ג")
            await on.provider.aclose()  # type: ignore[attr-defined]  # these have one

        on.double.answers("1").answers("2")
        asked(call())
    seen = set(reads)
    missing = {(model.__name__, name) for model, name in seen if not has(model, name)} - BEYOND
    assert missing == set(), f"{stage}: not in {installed('openai')}, {installed('anthropic')}"
    assert {(model.__name__, name) for model, name in seen} >= READ_AT_LEAST[stage]


def has(model: type[BaseModel], name: str) -> bool:
    return name in model.model_fields or hasattr(model, name)


READERS: dict[ModuleType, set[type[BaseModel]]] = {
    openai_responses: OPENAI,
    openai_chat: OPENAI,
    openai_transcriber: OPENAI,
    anthropic_provider: ANTHROPIC,
}


def compared(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Each word that a reader compares a field with: (field, word)."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Compare(left=ast.Attribute(attr=name), comparators=[right]):
                yield from ((name, word) for word in words(right))
            case ast.Compare(left=ast.Call(func=ast.Name(id=name)), comparators=[right]):
                yield from ((name.removeprefix("_"), word) for word in words(right))
            case ast.Match(subject=ast.Attribute(attr=name), cases=cases):
                found = (
                    one.value
                    for case in cases
                    for one in ast.walk(case.pattern)
                    if isinstance(one, ast.MatchValue)
                )
                yield from ((name, word) for value in found for word in words(value))
            case _:
                pass


def words(node: ast.AST) -> list[str]:
    return [
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


def optional(module: ModuleType) -> Iterator[str]:
    """Each field that a reader reads if it is there."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), _]):
                yield name
            case _:
                pass


@pytest.mark.parametrize("module", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_words_that_our_readers_know_are_words_of_the_sdk(module: ModuleType) -> None:
    models = READERS[module]
    for name, word in compared(module):
        said = set().union(*(literals(model, name) for model in models))
        assert word in said, f"{module.__name__} knows {name} {word!r}; {sdk_of(module)} does not"


@pytest.mark.parametrize("module", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_what_our_readers_read_if_it_is_there_can_be_there(module: ModuleType) -> None:
    fields = {name for model in READERS[module] for name in model.model_fields}
    beyond = {name for _, name in BEYOND}
    missing = set(optional(module)) - fields - beyond
    assert missing == set(), f"{module.__name__} reads what {sdk_of(module)} does not have"


def test_the_readers_compare_what_is_worth_comparing() -> None:
    assert {("status", "failed"), ("phase", "final_answer")} <= set(compared(openai_responses))
    assert ("stop_reason", "refusal") in set(compared(anthropic_provider))
    assert "thinking_tokens" in set(optional(anthropic_provider))


def sdk_of(module: ModuleType) -> str:
    return installed("anthropic" if module is anthropic_provider else "openai")


OVER_HTTP = {
    "context_length_exceeded",
    "insufficient_quota",
    "invalid_api_key",
    "model_not_found",
    "previous_response_not_found",
    "server_is_overloaded",
}
"""Codes of OpenAI's errors over HTTP; for the SDK these are any text."""


def test_the_codes_of_refusals_are_codes_of_the_sdks() -> None:
    codes = literals(ResponseError, "code")
    assert set(openai_provider.SERVICE.error_types) - OVER_HTTP <= codes, installed("openai")
    types = set(ErrorType.__args__)  # type: ignore[attr-defined]  # a Literal has them
    assert set(anthropic_provider.SERVICE.error_types) - {"request_too_large"} <= types, installed(
        "anthropic"
    )
