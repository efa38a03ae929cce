"""The model service, called by the OpenAI library and with plain HTTP requests."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING, Any

import openai
import pytest

from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import FakeOnlyError, ScriptMismatchError
from yemot_ai_testing.doubles.steps import Crash

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.steps import FailureKind


def test_the_openai_library_gets_the_answer(model: ModelServer, client: openai.OpenAI) -> None:
    model.answers(["שלום, ", "מה שלומך?"])
    response = client.responses.create(model="m", input="היי", instructions="ענה בקצרה")
    assert response.output_text == "שלום, מה שלומך?"
    assert response.id.startswith("resp_")
    assert response.usage is not None
    assert response.usage.total_tokens == api.TOKENS["input"] + api.TOKENS["output"]
    (request,) = model.requests
    assert (request.prompt, request.instructions, request.session) == ("היי", "ענה בקצרה", None)


def test_the_openai_library_gets_the_pieces_of_a_stream(model: ModelServer, client: openai.OpenAI) -> None:
    model.answers(["שלום, ", "מה שלומך?"])
    with client.responses.stream(model="m", input="היי") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert pieces == ["שלום, ", "מה שלומך?"]
        assert stream.get_final_response().output_text == "שלום, מה שלומך?"


def test_the_continued_response_is_recorded(model: ModelServer, client: openai.OpenAI) -> None:
    model.answers("א").answers("ב")
    first = client.responses.create(model="m", input="אחת")
    second = client.responses.create(model="m", input="שתיים", previous_response_id=first.id)
    assert second.id != first.id
    assert model.requests[1].session == first.id


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", openai.RateLimitError),
        ("quota_exceeded", openai.RateLimitError),
        ("unauthorized", openai.AuthenticationError),
        ("overloaded", openai.InternalServerError),
        ("context_overflow", openai.BadRequestError),
        ("unknown_model", openai.NotFoundError),
    ],
)
def test_a_failure_raises_the_matching_error_of_the_library(
    model: ModelServer, client: openai.OpenAI, kind: FailureKind, error: type[openai.APIStatusError]
) -> None:
    model.fails(kind, retry_after=7)
    with pytest.raises(error) as caught:
        client.responses.create(model="m", input="היי")
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.body


def test_an_overflow_of_a_stream_is_sent_as_an_event(model: ModelServer, client: openai.OpenAI) -> None:
    model.fails("context_overflow")
    events = list(client.responses.create(model="m", input="היי", stream=True))
    assert [event.type for event in events] == ["response.created", "response.failed"]
    last: Any = events[-1]
    assert last.response.error.code == "context_length_exceeded"


def test_a_dropped_connection_raises_a_connection_error(model: ModelServer, client: openai.OpenAI) -> None:
    model.drops("חצי")
    with pytest.raises(openai.APIConnectionError):
        client.responses.create(model="m", input="היי")


def test_a_truncated_stream_raises_a_connection_error(model: ModelServer, client: openai.OpenAI) -> None:
    model.drops(["חצי ", "תשובה"])
    with pytest.raises(openai.APIConnectionError):
        list(client.responses.create(model="m", input="היי", stream=True))


def post(model: ModelServer, body: object, path: str = "/responses") -> tuple[int, Any]:
    host = model.base_url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("POST", f"/v1{path}", json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_an_unscripted_call_gets_an_error_and_is_reported() -> None:
    with pytest.raises(ScriptMismatchError, match="הפתעה") as caught, ModelServer() as model:  # noqa: PT012
        status, body = post(model, {"input": "הפתעה"})
        assert (status, body["error"]["code"]) == (400, "unscripted_call")
    assert caught.value.unscripted == ("הפתעה",)


def test_an_unused_step_is_reported() -> None:
    with pytest.raises(ScriptMismatchError, match="unused step"), ModelServer() as model:
        model.answers("לשווא")


def test_output_items_are_sent_unchanged(model: ModelServer) -> None:
    model.emits(api.function_call("ring", {"times": 2}), text="צלצלתי")
    _status, body = post(model, {"input": "צלצל"})
    assert [item["type"] for item in body["output"]] == ["function_call", "message"]


@pytest.mark.parametrize(
    ("items", "prompt"),
    [
        ("אחת", "אחת"),
        ([{"role": "user", "content": "אחת"}, {"role": "assistant", "content": "x"}], "אחת"),
        (
            [{"role": "user", "content": [{"type": "input_text", "text": "אחת"}]}, {"type": "reasoning"}],
            "אחת",
        ),
        ([], ""),
    ],
)
def test_the_prompt_is_the_newest_message_of_the_user(model: ModelServer, items: object, prompt: str) -> None:
    model.answers("א")
    post(model, {"input": items})
    assert model.requests[0].prompt == prompt


def test_other_paths_are_not_found(model: ModelServer) -> None:
    assert post(model, {}, "/chat")[0] == 404
    assert model.requests == []


def test_a_held_call_waits_for_its_release(model: ModelServer) -> None:
    model.answers("א")
    model.hold()
    answers: list[Any] = []
    call = threading.Thread(target=lambda: answers.append(post(model, {"input": "היי"})))
    call.start()
    model.wait_for_requests(1)
    assert answers == []
    model.release()
    call.join(10)
    assert answers[0][0] == 200


def test_a_call_that_hangs_ends_when_the_server_closes() -> None:
    model = ModelServer().hangs()
    failed = threading.Event()

    def ask() -> None:
        try:
            post(model, {"input": "היי"})
        except (http.client.HTTPException, ConnectionError):
            failed.set()

    call = threading.Thread(target=ask)
    call.start()
    model.wait_for_requests(1)
    model.close()
    call.join(10)
    assert failed.is_set()


def test_waiting_for_missing_calls_times_out() -> None:
    with ModelServer() as model, pytest.raises(TimeoutError, match="0 of 1 calls"):
        model.wait_for_requests(1, timeout=0.01)


def test_a_service_without_a_process_refuses_a_crash_step(model: ModelServer) -> None:
    with pytest.raises(FakeOnlyError):
        model.add(Crash())


def test_an_unknown_failure_kind_raises_an_error_that_lists_the_kinds(model: ModelServer) -> None:
    with pytest.raises(ValueError, match="rate_limited, unauthorized"):
        model.fails("tired")  # type: ignore[arg-type]  # that is the point
