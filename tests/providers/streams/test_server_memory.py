"""A server that keeps no conversation is found out, and each turn carries the history."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import Event, delta, ended, listen, output, responses
from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import SessionLostError
from yemot_ai.providers import OpenAIProvider

ANSWER = "נעים מאוד"

NO_MEMORY: dict[str, dict[str, Any]] = {
    "store: false": {"id": "resp_1", "store": False},
    "as Ollama": {"id": "resp_1", "store": False, "previous_response_id": None},
    "no id": {},
    "a null id": {"id": None},
    "an empty id": {"id": ""},
}


def body(**fields: Any) -> bytes:  # noqa: ANN401 - any field
    return json.dumps({"status": "completed", "output": output(ANSWER), **fields}).encode()


def inputs(server: FixedResponseServer) -> list[list[str] | str]:
    """Return the messages of each request."""
    sent = [json.loads(request)["input"] for request in server.requests]
    return [turn if isinstance(turn, str) else [message["content"] for message in turn] for turn in sent]


@pytest.mark.parametrize("name", NO_MEMORY)
def test_each_turn_carries_the_history(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with FixedResponseServer(body(**NO_MEMORY[name])) as server:
        ai = YemotAI(provider=responses(server.url))
        for text in ("שמי דוד", "מה שמי?", "בטוח?"):
            ai.reply("c1", text)
        ai.close()

        assert inputs(server) == [
            ["שמי דוד"],
            ["שמי דוד", ANSWER, "מה שמי?"],
            ["שמי דוד", ANSWER, "מה שמי?", ANSWER, "בטוח?"],
        ]
        assert [json.loads(request)["store"] for request in server.requests] == [True, False, False]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "keeps no conversation" in warnings[0]


@pytest.mark.parametrize("name", NO_MEMORY)
def test_a_stream_shows_it_too(name: str) -> None:
    last: Event = {"type": "response.completed", "response": {"output": [], **NO_MEMORY[name]}}
    with EventStreamServer(delta(ANSWER), last) as server:
        provider = responses(server.url)
        _, first = Engine.shared().run(listen(provider))
        Engine.shared().run(listen(provider, session=first.session))

        assert inputs(server) == [["עד מתי?"], ["עד מתי?", ANSWER, "עד מתי?"]]


def test_an_answer_without_the_previous_response_is_not_spoken() -> None:
    fields = {"id": "resp_1", "previous_response_id": None}
    with FixedResponseServer(body(**fields)) as server:
        ai = YemotAI(provider=responses(server.url))
        for text in ("שמי דוד", "מה שמי?", "בטוח?"):
            ai.reply("c1", text)
        ai.close()

        assert inputs(server) == [
            ["שמי דוד"],
            "מה שמי?",
            ["שמי דוד", ANSWER, "מה שמי?"],
            ["שמי דוד", ANSWER, "מה שמי?", ANSWER, "בטוח?"],
        ]


def test_a_stream_without_the_previous_response_ends_before_its_text() -> None:
    created: Event = {"type": "response.created", "response": {"id": "resp_1", "previous_response_id": None}}
    with EventStreamServer(created, delta(ANSWER), ended(output=[])) as server:
        provider = responses(server.url)
        _, first = Engine.shared().run(listen(provider))
        with pytest.raises(SessionLostError) as caught:
            Engine.shared().run(listen(provider, session=first.session))
        assert caught.value.thread_id == "resp_1"


def test_a_server_that_forgets_its_own_response_is_asked_once_a_turn_from_then_on() -> None:
    with FixedResponseServer(body(id="resp_1")) as server:
        provider = responses(server.url)

        async def turn(prompt: str, **arguments: Any) -> Any:  # noqa: ANN401 - a session
            return (await ask_provider(provider, prompt, **arguments)).session

        session = Engine.shared().run(turn("שמי דוד"))
        lost = {"error": {"code": "previous_response_not_found", "message": "gone"}}
        server.answers(json.dumps(lost).encode(), status=400)
        with pytest.raises(SessionLostError):
            Engine.shared().run(turn("מה שמי?", session=session))
        server.answers(body(id="resp_2"))
        session = Engine.shared().run(turn("מה שמי?"))
        Engine.shared().run(turn("בטוח?", session=session))
        with pytest.raises(SessionLostError):
            Engine.shared().run(turn("עוד?", session={"response_id": "resp_of_another_call"}))
        Engine.shared().run(provider.aclose())  # type: ignore[attr-defined]  # it has one

        assert inputs(server)[2:] == [["מה שמי?"], ["מה שמי?", ANSWER, "בטוח?"]]


def test_an_old_response_that_is_gone_says_nothing_about_the_server() -> None:
    lost = {"error": {"code": "previous_response_not_found", "message": "gone"}}
    with FixedResponseServer(json.dumps(lost).encode(), status=400) as server:
        provider = OpenAIProvider(api_key="test", model="m", base_url=f"{server.url}/v1")

        async def turns() -> None:
            with pytest.raises(SessionLostError):
                await ask_provider(provider, "מה שמי?", session={"response_id": "resp_of_last_month"})
            server.answers(body(id="resp_1", store=True))
            session = (await ask_provider(provider, "שמי דוד")).session
            await ask_provider(provider, "מה שמי?", session=session)
            await provider.aclose()

        Engine.shared().run(turns())
        assert json.loads(server.requests[-1])["previous_response_id"] == "resp_1"
