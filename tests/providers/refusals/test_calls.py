"""What callers hear when a service refuses, over the loopback and in raw bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import pytest

from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import FallbackProvider, OpenAIProvider
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

Rule: TypeAlias = Callable[[dict[str, Any]], "tuple[int, object]"]
"""From the JSON of a request to the status and the JSON of its response."""


class RuleServer(FixedResponseServer):
    """A server that answers by a rule."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(b"")
        self._rule = rule

    def response_to(self, head: bytes, request: bytes) -> tuple[bytes, bytes]:
        status, body = self._rule(json.loads(request))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/json" if content[:1] in b"{[" else "text/event-stream"
        start = f"HTTP/1.1 {status} Rule\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n\r\n"
        return start.encode(), content

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The requests."""
        return [json.loads(request) for request in self.requests]


@contextmanager
def serving(
    rule: Rule, api: Literal["responses", "chat"] = "responses"
) -> Iterator[tuple[RuleServer, OpenAIProvider]]:
    with RuleServer(rule) as server:
        provider = OpenAIProvider(api_key="test", model="m", base_url=f"{server.url}/v1", api=api)
        yield server, provider
        Engine.shared().run(provider.aclose())


def chat_answer(text: str) -> tuple[int, object]:
    return 200, {"id": "c", "choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


def stored_answer(text: str) -> tuple[int, object]:
    content = [{"type": "output_text", "text": text}]
    return 200, {"id": "resp_1", "status": "completed", "output": [{"type": "message", "content": content}]}


LOST: list[tuple[int, object]] = [
    (404, {"error": {"message": "Response with id 'resp_1' not found.", "code": 404}}),
    (404, {"object": "error", "message": "Response with id 'resp_1' not found.", "code": 404}),
    (404, {"error": {"message": "Previous response with id 'resp_1' not found.", "code": None}}),
    (400, {"error": {"message": "Invalid 'previous_response_id': 'resp_1'. Expected an ID that begins with "
                     "'resp'.", "code": "invalid_value", "param": "previous_response_id"}}),
    (400, {"error": {"message": "llama.cpp does not support 'previous_response_id'.", "code": 400}}),
    (400, {"error": {"message": "Previous response cannot be used for this organization due to Zero Data "
                     "Retention."}}),
    (404, {"detail": "Response resp_1 not found"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "lost", LOST, ids=["vllm", "flat", "no-code", "invalid", "llamacpp", "zdr", "detail"]
)
def test_a_conversation_that_the_server_has_lost_continues(lost: tuple[int, object]) -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        return lost if "previous_response_id" in request else stored_answer(f"עד {len(request['input'])}")

    with serving(rule) as (server, provider):
        ai = YemotAI(provider=provider)
        answers = [ai.reply("c1", prompt) for prompt in ("שמי דוד", "מה שמי?", "ועכשיו?")]

    assert answers == ["עד 1", "עד 3", "עד 5"]  # messages: every earlier turn is there
    assert server.sent[2]["input"][0] == {"role": "user", "content": "שמי דוד"}


def overflow(length: int) -> tuple[int, object]:
    message = f"request ({length} tokens) exceeds the available context size (4096 tokens), try increasing it"
    return 400, {"error": {"code": 400, "message": message, "type": "exceed_context_size_error"}}


@pytest.mark.parametrize("room", [0, 1, 3, 4, 7])
def test_a_history_that_does_not_fit_is_shortened_until_it_does(room: int) -> None:
    """The server has room for some exchanges of 900 characters."""

    def rule(request: dict[str, Any]) -> tuple[int, object]:
        exchanges = sum(message["role"] == "assistant" for message in request["messages"])
        return overflow(exchanges * 900) if exchanges > room else chat_answer("ת" * 450)

    with serving(rule, api="chat") as (server, provider):
        ai = YemotAI(provider=provider)
        for number in range(12):
            before = len(server.requests)
            assert ai.reply("c1", f"{number} " + "ש" * 450) == "ת" * 450
            assert len(server.requests) - before <= 5


def test_a_stored_conversation_that_does_not_fit_is_rebuilt_shorter() -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        fits = "previous_response_id" not in request and len(request["input"]) <= 7
        return stored_answer("כן") if fits or len(server.requests) < 9 else overflow(9)

    with serving(rule) as (server, provider):
        ai = YemotAI(provider=provider)
        for number in range(8):
            ai.reply("c1", f"שאלה {number}")
        assert ai.reply("c1", "ועכשיו?") == "כן"

    assert [len(request["input"]) for request in server.sent[9:]] == [13, 7]
    assert server.sent[-1]["input"][0]["content"] == "שאלה 5"


def test_a_prompt_that_never_fits_is_an_apology_and_the_call_continues() -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        return overflow(9999) if "ארוך" in request["messages"][-1]["content"] else chat_answer("שמונה")

    with serving(rule, api="chat") as (server, provider):
        flow = AIFlow(YemotAI(provider=provider))
        flow.ai_agent("", greeting="שלום", stream=False)(lambda call, text: None)
        line = Line(flow)
        line.enter("")
        assert "סליחה" in line.send(("ai_1", "ארוך מאוד"))
        assert len(server.requests) == 1
        assert "שמונה" in line.send(("ai_2", "מה השעה?"))


BROKEN: dict[str, tuple[int, object]] = {
    "http": (502, {"error": {"message": "Provider returned error"}}),
    "number": (200, {"error": {"code": 502, "message": "Provider returned error"}}),
    "text": (200, {"error": {"code": "503", "message": "Provider returned error"}}),
    "event": (200, b'data: {"error": {"code": 502, "message": "Provider returned error"}}\n\n'),
    "chunk": (200, b'data: {"id":"c","choices":[],"error":{"code":502,"message":"no"}}\n\n'),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_server_error_is_retried_wherever_its_code_is(way: str) -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        if len(server.requests) == 1:
            return BROKEN[way]
        if not request.get("stream"):
            return chat_answer("שמונה")
        chunk = {"id": "c", "choices": [{"delta": {"content": "שמונה."}, "finish_reason": "stop"}]}
        return 200, f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()

    with serving(rule, api="chat") as (server, provider):
        flow = AIFlow(YemotAI(provider=provider))
        streams = way in {"event", "chunk"}
        flow.ai_agent("", greeting="שלום", stream=streams)(lambda call, text: None)
        line = Line(flow)
        line.enter("")
        assert "שמונה" in line.send(("ai_1", "מה השעה?"))
        assert len(server.requests) == 2


@pytest.mark.parametrize("way", ["http", "number", "text"])
def test_a_broken_provider_is_asked_by_one_caller_of_five(way: str) -> None:
    second = ScriptedProvider(engine=Engine.shared())
    with serving(lambda request: BROKEN[way], api="chat") as (server, provider):
        fallback = FallbackProvider([provider, second])
        for _ in range(5):
            second.answers("שני")
            assert Engine.shared().run(ask_provider(fallback, "יש?")).text == "שני"
        assert len(server.requests) == 1


REFUSED: dict[str, tuple[int, object]] = {
    "openrouter": (403, {"error": {"code": 403, "message": "Your input was flagged", "metadata": {
        "reasons": ["violence"]}}}),
    "openai": (400, {"error": {"code": "invalid_prompt", "message": "Invalid prompt: …"}}),
    "xai": (403, {"code": "No permission", "error": "Content violates usage guidelines."}),
    "azure-200": (200, {"error": {"code": "content_filter", "message": "no"}}),
}  # fmt: skip


@pytest.mark.parametrize("way", REFUSED)
def test_refused_words_of_one_caller_leave_the_provider_to_other_callers(way: str) -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        return REFUSED[way] if "אסור" in json.dumps(request, ensure_ascii=False) else chat_answer("ראשון")

    second = ScriptedProvider(engine=Engine.shared()).answers("שני")
    with serving(rule, api="chat") as (_, provider):
        fallback = FallbackProvider([provider, second])
        assert Engine.shared().run(ask_provider(fallback, "אסור")).text == "שני"
        assert Engine.shared().run(ask_provider(fallback, "מותר")).text == "ראשון"


@pytest.mark.parametrize("way", REFUSED)
def test_refused_words_are_asked_once_and_the_call_continues(way: str) -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        return REFUSED[way] if "אסור" in json.dumps(request, ensure_ascii=False) else chat_answer("שמונה")

    with serving(rule, api="chat") as (server, provider):
        flow = AIFlow(YemotAI(provider=provider))
        flow.ai_agent("", greeting="שלום", stream=False)(lambda call, text: None)
        line = Line(flow)
        line.enter("")
        assert line.send(("ai_1", "אסור")).startswith("read=t-")
        assert len(server.requests) == 1
        assert "שמונה" in line.send(("ai_2", "מה השעה?"))


def questions(request: dict[str, Any]) -> int:
    return sum(message["role"] == "user" for message in request["messages"])


def test_refused_words_are_not_in_the_history_of_another_provider() -> None:
    """The second provider answers the refused words; when it fails, the first gets the history."""

    def rule(request: dict[str, Any]) -> tuple[int, object]:
        if "אסור" in json.dumps(request, ensure_ascii=False):
            return REFUSED["openai"]
        return chat_answer(f"ראשון {questions(request)}")

    second = ScriptedProvider(engine=Engine.shared()).answers("שני").fails("overloaded")
    with serving(rule, api="chat") as (server, provider):
        ai = YemotAI(provider=FallbackProvider([provider, second]))
        answers = [ai.reply("c1", prompt) for prompt in ("שמי דוד", "אסור", "מה שמי?", "תודה")]

    assert answers == ["ראשון 1", "שני", "ראשון 2", "ראשון 3"]
    assert len(server.requests) == 4


def test_a_conversation_that_is_refused_twice_continues_without_its_history() -> None:
    """A service may refuse later what it has answered: the conversation must not be refused for ever."""

    def rule(request: dict[str, Any]) -> tuple[int, object]:
        is_later = len(server.requests) > 1
        is_refused = is_later and "דוד" in json.dumps(request, ensure_ascii=False)
        return REFUSED["openai"] if is_refused else chat_answer(f"שמונה {questions(request)}")

    with serving(rule, api="chat") as (server, provider):
        flow = AIFlow(YemotAI(provider=provider))
        flow.ai_agent("", greeting="שלום", stream=False)(lambda call, text: None)
        line = Line(flow)
        line.enter("")
        assert "שמונה 1" in line.send(("ai_1", "שמי דוד"))
        assert "שמונה" not in line.send(("ai_2", "מה השעה?"))
        assert len(server.requests) == 2
        assert "שמונה 1" in line.send(("ai_3", "מה השעה?"))
        assert len(server.requests) == 4
        assert "שמונה 2" in line.send(("ai_4", "ומחר?"))


def test_an_answer_that_the_filter_cut_does_not_end_the_call() -> None:
    def rule(request: dict[str, Any]) -> tuple[int, object]:
        if len(server.requests) == 1:
            message = {"content": "זה אסור. אבל"}
            return 200, {"id": "c", "choices": [{"message": message, "finish_reason": "content_filter"}]}
        is_refused = "אסור" in json.dumps(request, ensure_ascii=False)
        return REFUSED["azure-200"] if is_refused else chat_answer("שמונה")

    with serving(rule, api="chat") as (server, provider):
        flow = AIFlow(YemotAI(provider=provider))
        flow.ai_agent("", greeting="שלום", stream=False)(lambda call, text: None)
        line = Line(flow)
        line.enter("")
        assert "זה אסור" in line.send(("ai_1", "מה?"))
        assert "שמונה" in line.send(("ai_2", "מה השעה?"))
        assert len(server.requests) == 3
