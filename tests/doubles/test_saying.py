"""A message before the answer: an item of its own in the Responses API, elsewhere the first line."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.support.asking import ask_provider
from yemot_ai.providers import AnthropicProvider, OpenAIProvider
from yemot_ai_testing import ModelServer, ScriptedProvider
from yemot_ai_testing.doubles.model_service import responses
from yemot_ai_testing.doubles.steps import Answer, Reconnect

SAID, PIECES = "רגע, בודק.", ("פתוח ", "עד שבע.")
FIRST_LINE = "רגע, בודק.\nפתוח עד שבע."


def deltas(step: Answer) -> list[tuple[str, str]]:
    """Return the id and the text of each delta of a stream."""
    body = responses.response_body(step, "1", request={})
    events = responses.stream_events(body, step.pieces)
    return [(event["item_id"], event["delta"]) for event in events if responses.is_delta(event)]


def test_each_message_of_a_response_has_its_own_deltas() -> None:
    expected = [("msg_0", SAID), *(("msg_1", piece) for piece in PIECES)]
    assert deltas(Answer(PIECES, saying=SAID)) == expected
    assert deltas(Answer(PIECES, items=(responses.message(SAID, item_id="msg_0"),))) == expected


@pytest.mark.slow
def test_an_answer_that_is_one_message_begins_with_it() -> None:
    with ModelServer() as model:
        model.answers(PIECES, saying=SAID).answers(PIECES, saying=SAID)
        providers: list[OpenAIProvider | AnthropicProvider] = [
            OpenAIProvider(model="m", api="chat", base_url=model.base_url, api_key="none"),
            AnthropicProvider(model="m", base_url=model.root_url, api_key="none"),
        ]
        for provider in providers:
            assert asyncio.run(ask_and_close(provider)) == FIRST_LINE


async def ask_and_close(provider: OpenAIProvider | AnthropicProvider) -> str:
    async with aclosing(provider):
        return (await ask_provider(provider, "?")).text


def test_a_scripted_provider_begins_with_it() -> None:
    provider = ScriptedProvider().answers(PIECES, saying=SAID)
    assert asyncio.run(ask_provider(provider, "?")).text == FIRST_LINE
    provider.assert_complete()


def test_a_scripted_provider_passes_over_a_stream_that_begins_again() -> None:
    provider = ScriptedProvider()
    provider.add(Reconnect(("פתוח ע",)))
    provider.answers(PIECES)
    assert asyncio.run(ask_provider(provider, "?")).text == "".join(PIECES)
    provider.assert_complete()
