"""What a service quotes of a request is in no error, log or record."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.streams.stream_events import chat, messages, responses
from tests.support.fixed_response_server import FixedResponseServer
from tests.support.untraced import untraced
from yemot_ai import YemotAI
from yemot_ai.errors import ProviderError, ProviderTimeoutError
from yemot_ai.providers import FallbackProvider, Provider
from yemot_ai.providers.refusals import ErrorBody
from yemot_ai.providers.refusals.quoted_words import without_words

MAKERS: dict[str, Callable[[str], Provider]] = {
    "responses": responses,
    "unstored": lambda url: responses(url, store=False),
    "chat": chat,
    "messages": messages,
}

WORDS = {
    "hebrew": "הסוד שלי הוא תעודת זהות 123456789",
    "english": "My secret is identity card 123456789",
    "mixed": "הסוד is in the secret box 123456789",
    "short": "secret1",
}


def quoting(words: str) -> dict[str, object]:
    """Return bodies of refusals that quote the request."""
    request = {"messages": [{"role": "user", "content": words}]}
    return {
        "message": {"error": {"message": f"Invalid prompt: '{words}'", "code": "invalid_prompt"}},
        "repr": {"error": {"message": f"Invalid input: {request!r}", "type": "invalid_request_error"}},
        "json": {"error": {"message": f"Error in {json.dumps(request)}"}},
        "key": {"error": {"message": f"Incorrect API key provided for {words}", "code": "invalid_api_key"}},
        "fastapi": {
            "detail": [{"msg": f"Value error: {words}", "input": words, "loc": ["body", "messages"]}]
        },
        "pydantic": {
            "detail": f"1 validation error [type=string_type, input_value='{words}', input_type=str]"
        },
        "capitals": {"error": {"message": f"Flagged: {words.upper()}"}},
        "cut": {"error": {"message": f"{'x' * 380} {words}"}},
        "flat": {"object": "error", "message": f"Bad request: {words}", "code": 400},
        "text": f"upstream said: {words}",
        "bytes": {"error": {"message": f"Bad request: {words.encode()!r}"}},
    }


def serve(body: object, *, status: int) -> FixedResponseServer:
    content = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return FixedResponseServer(content.encode(), status=status)


def quotes(text: str) -> bool:
    return re.search("סוד|זהות|identity|secret|123456", text, re.IGNORECASE) is not None


@pytest.mark.parametrize("api", MAKERS)
@pytest.mark.parametrize("language", WORDS)
def test_no_error_quotes_the_words_of_a_caller(
    api: str, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "yemot_ai")
    words = WORDS[language]
    for name, body in quoting(words).items():
        for status in (400, 401, 403, 500):
            with serve(body, status=status) as server:
                ai = YemotAI(provider=MAKERS[api](server.url), retries=0)
                with pytest.raises(ProviderError) as caught:
                    ai.reply("c1", words)
                ai.close()
            texts = traceback.format_exception(caught.value)
            assert not quotes("".join(texts).replace(__file__, "")), (name, status)
            assert not any(quotes(str(value)) for value in vars(caught.value).values())
    assert not quotes(caplog.text)


def test_no_note_of_a_fallback_quotes_the_words_of_a_caller(caplog: pytest.LogCaptureFixture) -> None:
    words = WORDS["english"]
    with serve(quoting(words)["repr"], status=400) as server:
        ai = YemotAI(provider=FallbackProvider([chat(server.url), responses(server.url)]))
        with pytest.raises(ProviderError) as caught:
            ai.reply("c1", words)
        ai.close()
    assert not quotes("".join(caught.value.__notes__) + str(caught.value) + caplog.text)


def test_earlier_words_are_not_quoted_either() -> None:
    answers = [{"id": "c", "choices": [{"message": {"content": "Noted."}, "finish_reason": "stop"}]}]
    with serve(answers[0], status=200) as server:
        ai = YemotAI(provider=chat(server.url))
        ai.reply("c1", WORDS["english"])
        body: dict[str, Any] = {"error": {"message": f"Bad history: {WORDS['english']}", "code": "bad"}}
        server.answers(json.dumps(body).encode(), status=400)
        with pytest.raises(ProviderError) as caught:
            ai.reply("c1", "and now?")
        ai.close()
    assert str(caught.value).startswith("Bad history: …")


@pytest.mark.parametrize(
    ("text", "words", "left"),
    [
        ("Invalid prompt: 'call me tomorrow'", ["call me tomorrow"], "Invalid prompt: '…'"),
        ("Invalid prompt: 'CALL ME tomorrow…'", ["call me tomorrow at nine"], "Invalid prompt: '…'"),
        ("a 4711 b 14711", ["4711"], "a … b 14711"),
        ("The model does not exist", ["a"], "The model does not exist"),
        ("The model does not exist", ["", " "], "The model does not exist"),
        ("no", [], "no"),
        ("the word 'banana' is a banana", ["a ripe banana"], "the word '…' is a banana"),
        ("HTTP 404 for 40412 at בננה", ["404 40412 בננה ירוקה"], "HTTP 404 for … at …"),
        ("המילה בננה אסורה", ["בננה ירוקה"], "המילה … אסורה"),
        ("\\u05d1\\u05e0\\u05e0\\u05d4ab", ["בננה"], "\\u05d1\\u05e0\\u05e0\\u05d4ab"),
        ("\\ud83d\\ude00 &#9999999; %ff", ["call me tomorrow"], "\\ud83d\\ude00 &#9999999; %ff"),
    ],
)
def test_only_what_is_quoted_is_left_out(text: str, words: list[str], left: str) -> None:
    assert without_words(text, words).replace("……", "…") == left


@pytest.mark.parametrize("unit", ["x", "\\", "\\u05d0", "%D7%90", "%25", "&#x5d0;", "'a' ", "שלום "])
def test_twice_the_error_takes_about_twice_as_long(unit: str) -> None:
    words, text = ["אני רוצה לדעת מתי אתם פתוחים"], unit * (20_000 // len(unit))
    bound = 3 * seconds_to_search(text, words) + 0.05

    assert any(seconds_to_search(2 * text, words) < bound for _ in range(3))


def seconds_to_search(text: str, words: list[str]) -> float:
    """Return the processor time."""
    with untraced():
        start = time.thread_time()
        without_words(text, words)
        return time.thread_time() - start


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Invalid prompt: 'שלום, שמי דוד 052-1234567'.", "Invalid prompt: '…'."),
        ("Flagged: \\u05e9\\u05dc\\u05d5\\u05dd 12, try again in 5s", "Flagged: …, try again in 5s"),
        ("مرحبا is not allowed", "… is not allowed"),
        ("Запрос отклонён", "Запрос отклонён"),
        ("模型不存在", "模型不存在"),
    ],
)
def test_words_in_hebrew_and_arabic_are_those_of_a_caller(message: str, left: str) -> None:
    assert ErrorBody.parse({"message": message}).message == left


def test_what_the_service_itself_says_stays() -> None:
    body = {"error": {"message": "Rate limit reached for gpt-5.5. Please try again in 7m12s", "code": "x"}}
    with serve(body, status=429) as server:
        ai = YemotAI(provider=chat(server.url))
        with pytest.raises(ProviderError, match=r"reached for gpt-5\.5\. Please try again in 7m12s"):
            ai.reply("c1", "מה המכסה שלי?")
        ai.close()


def test_the_message_of_a_timeout_stays_whole() -> None:
    with FixedResponseServer(None) as server:
        ai = YemotAI(provider=chat(server.url, 0.2), retries=0)
        with pytest.raises(ProviderTimeoutError, match=r"no answer from openai within 0\.2 s"):
            ai.reply("c1", "there was no answer from openai within the hour")
        ai.close()
