"""The model service cuts answers, refuses words and forgets conversations, in the shapes of each API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async
from tests.support.scenario_calls import play_turns
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import OverloadedError, RefusedRequestError
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import ScriptMismatchError
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock, OpenAIMock

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.steps import CutReason

MESSAGES: Any = [{"role": "user", "content": "כמה?"}]
TEXT = ["זה עולה. ", "מאה ועש"]


@pytest.fixture
def claude(model: ModelServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="none", base_url=model.root_url, max_retries=0, timeout=10) as client:
        yield client


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_cut_chat_has_the_reason_in_its_last_choice(
    model: ModelServer, client: openai.OpenAI, reason: CutReason
) -> None:
    model.cuts(reason, TEXT).cuts(reason, TEXT)
    (choice,) = client.chat.completions.create(model="m", messages=MESSAGES).choices
    assert (choice.message.content, choice.finish_reason) == ("זה עולה. מאה ועש", reason)
    *chunks, usage = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", *TEXT, None]
    assert chunks[-1].choices[0].finish_reason == reason
    assert usage.usage is not None


@pytest.mark.parametrize(
    ("reason", "why"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_a_cut_response_is_incomplete(
    model: ModelServer, client: openai.OpenAI, reason: CutReason, why: str
) -> None:
    model.cuts(reason, TEXT).cuts(reason, TEXT)
    whole: Any = client.responses.create(model="m", input="כמה?")
    streamed: Any = list(client.responses.create(model="m", input="כמה?", stream=True))[-1]
    assert streamed.type == "response.incomplete"
    for response in (whole, streamed.response):
        assert (response.status, response.incomplete_details.reason) == ("incomplete", why)
        assert response.output_text == "זה עולה. מאה ועש"


@pytest.mark.parametrize(("reason", "why"), [("length", "max_tokens"), ("content_filter", "refusal")])
def test_a_cut_message_has_the_stop_reason(
    model: ModelServer, claude: anthropic.Anthropic, reason: CutReason, why: str
) -> None:
    model.cuts(reason, TEXT).cuts(reason, TEXT)
    assert claude.messages.create(model="m", max_tokens=9, messages=MESSAGES).stop_reason == why
    with claude.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
        assert list(stream.text_stream) == TEXT
        assert stream.get_final_message().stop_reason == why


def test_an_error_cuts_a_stream_after_its_text(
    model: ModelServer, client: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    model.cuts("error", TEXT).cuts("error", TEXT).cuts("error", TEXT)
    events: list[Any] = list(client.responses.create(model="m", input="כמה?", stream=True))
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == TEXT
    assert (events[-1].type, events[-1].response.error.code) == ("response.failed", "server_error")
    chunks = iter(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    assert [next(chunks).choices[0].delta.content for _ in range(3)] == ["", *TEXT]
    with pytest.raises(openai.APIError, match="had an error"):
        next(chunks)
    with (
        pytest.raises(anthropic.APIStatusError, match="overloaded_error"),
        claude.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream,
    ):
        list(stream.text_stream)


def test_an_error_in_a_whole_answer_is_an_http_error(model: ModelServer, client: openai.OpenAI) -> None:
    model.cuts("error", TEXT)
    with pytest.raises(openai.InternalServerError):
        client.responses.create(model="m", input="כמה?")


def test_a_refused_request_is_a_bad_request(
    model: ModelServer, client: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    model.fails("refused_request").fails("refused_request")
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="m", input="כמה?")
    assert caught.value.code == "invalid_prompt"
    with pytest.raises(anthropic.BadRequestError, match="content filtering policy"):
        claude.messages.create(model="m", max_tokens=9, messages=MESSAGES)


def test_a_lost_response_is_named_in_the_error(model: ModelServer, client: openai.OpenAI) -> None:
    model.unknown_session()
    with pytest.raises(openai.BadRequestError, match="'resp_7' not found") as caught:
        client.responses.create(model="m", input="כמה?", previous_response_id="resp_7")
    assert caught.value.code == "previous_response_not_found"


def test_a_call_that_continues_nothing_loses_nothing(client: openai.OpenAI) -> None:
    model = ModelServer().unknown_session()
    with pytest.raises(openai.BadRequestError):
        client.with_options(base_url=model.base_url).responses.create(model="m", input="כמה?")
    model.close()
    with pytest.raises(ScriptMismatchError, match="call without a step: 'כמה"):
        model.assert_complete()


def test_an_unknown_reason_raises_an_error_that_lists_the_reasons(model: ModelServer) -> None:
    with pytest.raises(ValueError, match="length, content_filter, error"):
        model.cuts("tired")  # type: ignore[arg-type]  # that is the point


def test_the_mocks_have_the_same_shapes() -> None:
    with OpenAIMock() as mock, openai.OpenAI(api_key="none", max_retries=0) as client:
        mock.cuts("length", TEXT).unknown_session().fails("refused_request")
        assert client.responses.create(model="m", input="כמה?").status == "incomplete"
        with pytest.raises(openai.BadRequestError, match="'resp_7' not found"):
            client.responses.create(model="m", input="כמה?", previous_response_id="resp_7")
        with pytest.raises(openai.BadRequestError, match="usage policy"):
            client.responses.create(model="m", input="כמה?")
    with AnthropicMock() as mocked, anthropic.Anthropic(api_key="none", max_retries=0) as claude:
        mocked.cuts("content_filter", TEXT)
        assert claude.messages.create(model="m", max_tokens=9, messages=MESSAGES).stop_reason == "refusal"


def test_a_scripted_provider_cuts_its_reply() -> None:
    provider = ScriptedProvider().cuts("length", TEXT).cuts("error", TEXT).fails("refused_request")
    reply = run_async(ask_provider(provider, "כמה?"))
    assert (reply.text, reply.cut) == ("זה עולה. מאה ועש", "length")
    with pytest.raises(OverloadedError):
        run_async(ask_provider(provider, "כמה?"))
    with pytest.raises(RefusedRequestError):
        run_async(ask_provider(provider, "כמה?"))
    provider.assert_complete()


def test_a_scenario_cuts_an_answer() -> None:
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    result = play_turns(
        "- {says: כמה?, agent: {cuts: length}, hears: {contains: התשובה נקטעה}}", flow, double=provider
    )
    assert result.failure is None
