"""The SDKs' models, compared with what the doubles send and what the providers read.

A new SDK version that changes a used shape fails here, with its name and version.
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

from tests.providers.provider_setups import PROVIDER_SETUPS
from tests.providers.sdk_shapes import Shape, ShapeError, literals, reachable_models, sdk_version
from tests.support.asking import ask_provider
from tests.support.codex import run_async
from yemot_ai.errors import ProviderError
from yemot_ai.providers.anthropic import message_stream as anthropic_stream
from yemot_ai.providers.anthropic import messages as anthropic_messages
from yemot_ai.providers.openai import chat as openai_chat
from yemot_ai.providers.openai import chat_calls as openai_chat_calls
from yemot_ai.providers.openai import response_calls as openai_response_calls
from yemot_ai.providers.openai import response_items as openai_response_items
from yemot_ai.providers.openai import response_stream as openai_response_stream
from yemot_ai.providers.openai import response_text as openai_response_text
from yemot_ai.providers.openai import responses as openai_responses
from yemot_ai.providers.refusals import ErrorBody, refusal_kind
from yemot_ai.transcription import openai as openai_transcriber
from yemot_ai_testing.doubles.model_service import chat as chat_api
from yemot_ai_testing.doubles.model_service import messages as messages_api
from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service import transcription as transcription_api
from yemot_ai_testing.doubles.steps import FAILURE_KINDS, Answer, Calls, Failure, FailureKind

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
    "no text": Answer(()),
    "an answer after a delay": Answer(("שלום",), after=1.0),
}
CALLS = {
    "a call": Calls(("clock",), ({"zone": "Asia/Jerusalem"},)),
    "two calls after a text": Calls(("clock", "calendar"), ({}, {"day": "ראשון"}), saying="רגע"),
}
SERVICE_ONLY_CODES = {"context_length_exceeded", "insufficient_quota"}
"""Codes of a failed response that the service sends and Codex reads, but the SDK's type does not have."""


def answer_shapes(
    sdk: str, name: str, api: ModelAPI, kinds: tuple[Any, Any], answers: Mapping[str, Answer] = ANSWERS
) -> Iterator[Shape]:
    """Yield the body and each stream event of a double's answer."""
    body, event = kinds
    for title, step in answers.items():
        whole = api.response_body(step, "1", request=REQUEST)
        yield Shape(sdk, f"{name}, {title}", body, whole)
        for data in api.stream_events(whole, step.pieces):
            yield Shape(sdk, f"{name}, {title}, event {data.get('type', 'chunk')}", event, data)


def calls_shapes(sdk: str, name: str, api: ModelAPI, kinds: tuple[Any, Any]) -> Iterator[Shape]:
    """Yield the body and each stream event of an answer that calls tools."""
    body, event = kinds
    for title, step in CALLS.items():
        whole = api.calls_body(step, "1", request=REQUEST)
        yield Shape(sdk, f"{name}, {title}", body, whole)
        for data in api.stream_events(whole, step.pieces):
            yield Shape(sdk, f"{name}, {title}, event {data.get('type', 'chunk')}", event, data)


def error_event_shapes(sdk: str, name: str, api: ModelAPI, event: Any) -> Iterator[Shape]:  # noqa: ANN401 - a type
    """Yield each event of a double's failing stream."""
    for kind in FAILURE_KINDS:
        failure = Failure(kind, None, 0.0)  # type: ignore[arg-type]  # the values of the literal
        for data in api.error_events(failure, "1", request=REQUEST):
            # A failed response has a separate test: its codes are the service's.
            if data["type"] != "response.failed":
                expected = ErrorResponse if data["type"] == "error" else event
                yield Shape(sdk, f"{name}, {kind}, event {data['type']}", expected, data)


def error_shapes(kinds: Iterable[FailureKind]) -> Iterator[Shape]:
    for kind in kinds:
        body = messages_api.error_response(Failure(kind, None, 0.0)).body
        yield Shape("anthropic", f"error, {kind}", ErrorResponse, body)


def shapes() -> Iterator[Shape]:
    """Yield everything that the doubles send."""
    of_responses, of_chat = (Response, ResponseStreamEvent), (ChatCompletion, ChatCompletionChunk)
    of_messages, of_audio = (Message, RawMessageStreamEvent), (Transcription, TranscriptionStreamEvent)
    further = {**ANSWERS, "tools and reasoning": Answer(("שלום",), items=ITEMS)}
    yield from answer_shapes("openai", "Response", responses_api, of_responses, further)
    yield from answer_shapes("openai", "ChatCompletion", chat_api, of_chat)
    yield from answer_shapes("openai", "Transcription", transcription_api, of_audio)
    yield from answer_shapes("anthropic", "Message", messages_api, of_messages)
    yield from calls_shapes("openai", "Response", responses_api, of_responses)
    yield from calls_shapes("openai", "ChatCompletion", chat_api, of_chat)
    yield from calls_shapes("anthropic", "Message", messages_api, of_messages)
    yield from error_event_shapes("openai", "Response", responses_api, ResponseStreamEvent)
    yield from error_event_shapes("anthropic", "Message", messages_api, RawMessageStreamEvent)
    yield from error_shapes(
        ("rate_limited", "unauthorized", "overloaded", "context_overflow", "unknown_model")
    )


SHAPES = list(shapes())


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=lambda number: f"{number}-{SHAPES[number].name}")
def test_what_a_double_sends_is_what_the_sdk_expects(number: int) -> None:
    SHAPES[number].check()


@pytest.mark.parametrize("kind", ["context_overflow", "quota_exceeded"])
def test_a_failed_stream_has_a_code_of_the_service_and_otherwise_matches_the_sdk(
    kind: FailureKind,
) -> None:
    events = list(responses_api.error_events(Failure(kind, None, 0.0), "1", request=REQUEST))
    failed = Shape("openai", f"Response, {kind}", ResponseStreamEvent, events[-1])
    with pytest.raises(ShapeError, match=r"response\.error\.code: Input should be [^;]*$"):
        failed.check()
    assert events[-1]["response"]["error"]["code"] in SERVICE_ONLY_CODES


def test_there_is_a_shape_for_each_event_of_an_answer() -> None:
    types = {str(shape.body.get("type")) for shape in SHAPES}
    assert {"response.output_text.delta", "response.completed", "response.created"} <= types
    assert {"content_block_delta", "message_delta", "message_stop", "error"} <= types
    assert "response.function_call_arguments.delta" in types
    assert "response.function_call_arguments.done" in types


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "status: Field required": lambda body: body["output"][0].pop("status"),
    "usage.input_tokens: Input should be a valid integer": lambda body: body["usage"].update(
        input_tokens="1"
    ),
    "unknown to the SDK: output.0.mood": lambda body: body["output"][0].update(mood="good"),
    "status: Input should be": lambda body: body.update(status="done"),
}


@pytest.mark.parametrize("message", CHANGES)
def test_a_change_is_reported_with_the_sdk_its_version_and_the_shape(message: str) -> None:
    body = responses_api.response_body(Answer(("שלום",)), "1", request=REQUEST)
    CHANGES[message](body)
    with pytest.raises(ShapeError) as caught:
        Shape("openai", "Response", Response, body).check()
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{sdk_version('openai')}: Response: ")


def test_an_event_that_the_sdk_does_not_have_is_named() -> None:
    with pytest.raises(ShapeError, match=r"openai [\d.]+: x: no member is a 'response.output_text.piece'"):
        Shape("openai", "x", ResponseStreamEvent, {"type": "response.output_text.piece"}).check()


# What the providers read.


NOT_IN_SDK = {
    ("ChatCompletion", "error"),
    ("Choice", "delta"),
    ("Choice", "error"),
    ("Choice", "message"),
    ("Choice", "text"),
    ("ChatCompletionMessage", "reasoning_content"),
    ("Message", "error"),
    ("Response", "store"),
}
"""Fields that the SDK does not have: as compatible servers send an error in a 200, a text, thoughts or an
echo."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> set[tuple[type[BaseModel], str]]:
    """The fields of the SDKs' models that are read while the test runs."""
    seen: set[tuple[type[BaseModel], str]] = set()

    def record(model: BaseModel, name: str) -> object:
        if not name.startswith(("_", "model_")):
            seen.add((type(model), name))
        return object.__getattribute__(model, name)

    for sdk in (openai, anthropic):
        monkeypatch.setattr(sdk.BaseModel, "__getattribute__", record, raising=False)
    return seen


OPENAI = reachable_models(
    Response,
    ResponseStreamEvent,
    ChatCompletion,
    ChatCompletionChunk,
    Transcription,
    TranscriptionStreamEvent,
)
ANTHROPIC = reachable_models(Message, RawMessageStreamEvent, ErrorResponse)

READ_AT_LEAST = {
    "openai-responses": {("Response", "output"), ("Response", "usage"), ("ResponseOutputText", "text")},
    "openai-unstored": {("Response", "status"), ("ResponseOutputMessage", "phase")},
    "openai-chat": {("ChatCompletionMessage", "content"), ("CompletionUsage", "prompt_tokens")},
    "anthropic": {("Message", "stop_reason"), ("TextBlock", "text"), ("Usage", "cache_read_input_tokens")},
}


@pytest.mark.parametrize("name", READ_AT_LEAST)
def test_the_fields_that_providers_read_exist_in_the_sdk(
    name: str, reads: set[tuple[type[BaseModel], str]]
) -> None:
    with PROVIDER_SETUPS[name]() as setup:

        async def call() -> None:
            first = await ask_provider(setup.provider, "א")
            await ask_provider(setup.provider, "ב", session=first.session)
            setup.answer_empty()
            with pytest.raises(ProviderError):
                await ask_provider(setup.provider, "ג")
            await setup.provider.aclose()  # type: ignore[attr-defined]  # these have one

        setup.double.answers("1").answers("2")
        run_async(call())
    seen = set(reads)
    missing = {(model.__name__, field) for model, field in seen if not has(model, field)} - NOT_IN_SDK
    assert missing == set(), f"{name}: not in {sdk_version('openai')}, {sdk_version('anthropic')}"
    assert {(model.__name__, field) for model, field in seen} >= READ_AT_LEAST[name]


def has(model: type[BaseModel], name: str) -> bool:
    return name in model.model_fields or hasattr(model, name)


READERS: dict[ModuleType, set[type[BaseModel]]] = {
    openai_responses: OPENAI,
    openai_response_stream: OPENAI,
    openai_response_text: OPENAI,
    openai_chat: OPENAI,
    openai_chat_calls: OPENAI,
    openai_response_calls: OPENAI,
    openai_response_items: OPENAI,
    openai_transcriber: OPENAI,
    anthropic_messages: ANTHROPIC,
    anthropic_stream: ANTHROPIC,
}


def compared_values(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield each value that a module compares a field with: (field, value)."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Compare(left=ast.Attribute(attr=name), comparators=[right]):
                yield from ((name, word) for word in string_constants(right))
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="field"), args=[_, ast.Constant(value=str(name))]),
                comparators=[right],
            ):
                yield from ((name, word) for word in string_constants(right))
            case ast.Match(subject=ast.Attribute(attr=name), cases=cases):
                values = (
                    pattern.value
                    for case in cases
                    for pattern in ast.walk(case.pattern)
                    if isinstance(pattern, ast.MatchValue)
                )
                yield from ((name, word) for value in values for word in string_constants(value))
            case _:
                pass


def string_constants(node: ast.AST) -> list[str]:
    return [
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def optional_fields(module: ModuleType) -> Iterator[str]:
    """Yield each field that a module reads with ``field``, or with ``getattr`` and a default."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(func=ast.Name(id="getattr" | "field"), args=[_, ast.Constant(value=str(name)), *_]):
                yield name
            case _:
                pass


@pytest.mark.parametrize("module", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_values_that_providers_compare_are_values_of_the_sdk(module: ModuleType) -> None:
    models = READERS[module]
    for name, word in compared_values(module):
        values = set().union(*(literals(model, name) for model in models))
        assert word in values, f"{module.__name__} expects {name} {word!r}; {sdk_of(module)} does not have it"


@pytest.mark.parametrize("module", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_optional_fields_that_providers_read_exist_in_the_sdk(module: ModuleType) -> None:
    fields = {name for model in READERS[module] for name in model.model_fields}
    not_in_sdk = {name for _, name in NOT_IN_SDK}
    missing = set(optional_fields(module)) - fields - not_in_sdk
    assert missing == set(), f"{module.__name__} reads what {sdk_of(module)} does not have"


def test_the_comparisons_are_found_in_the_source() -> None:
    assert ("status", "failed") in set(compared_values(openai_responses))
    assert ("phase", "final_answer") in set(compared_values(openai_response_text))
    assert ("type", "response.output_text.delta") in set(compared_values(openai_response_stream))
    assert "reasoning_tokens" in set(optional_fields(openai_responses))
    assert ("stop_reason", "refusal") in set(compared_values(anthropic_messages))
    assert "thinking_tokens" in set(optional_fields(anthropic_messages))


def sdk_of(module: ModuleType) -> str:
    return sdk_version("anthropic" if READERS[module] is ANTHROPIC else "openai")


GENERAL_CODES = {
    "conflict_error",
    "data_residency_mismatch",
    "invalid_request_error",
    "memory_path_conflict_error",
    "memory_precondition_failed_error",
    "not_found_error",
    "vector_store_timeout",
}
"""Codes that do not say what to do; those of images are not sent here."""


def test_the_table_of_refusals_has_the_error_codes_of_the_sdks() -> None:
    types = set(ErrorType.__args__)  # type: ignore[attr-defined]  # a Literal has them
    codes = {str(code) for code in literals(ResponseError, "code") | types}
    unknown = {code for code in codes if refusal_kind(ErrorBody("", (code,))) is None}

    assert {code for code in unknown if "image" not in code} == GENERAL_CODES, sdk_version("openai")
