"""The message of an exception that foreign code raises may quote the caller: it is not logged."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.errors import ProviderError
from yemot_ai.providers import JSON, AnyProvider, Exchange, FallbackProvider, Reply
from yemot_ai_testing.doubles.platform_server import PlatformServer
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

WORDS = "הסוד של המתקשר"


def _chained(words: str) -> Exception:
    error = RuntimeError("outer")
    error.__cause__ = ValueError(words)
    error.add_note(words)
    return error


RAISED: list[Callable[[str], BaseException]] = [
    lambda words: ValueError(f"cannot encode {words!r}"),
    KeyError,
    TimeoutError,
    lambda words: ExceptionGroup(words, [ValueError(words)]),
    SystemExit,
    _chained,
]


class RaisingProvider:
    """Raise an exception that quotes the prompt, or answer and fail to end the session."""

    name = "raises"

    def __init__(self, make: Callable[[str], BaseException], *, answers: bool = False) -> None:
        self._make = make
        self._answers = answers

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        if self._answers:
            return Reply("כן", {"prompt": prompt})
        raise self._make(prompt)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        raise self._make(prompt)

    async def end_session(self, session: JSON) -> None:
        raise self._make(str(session))


class RaisingStreamingProvider(RaisingProvider):
    """Raise before the first piece of a stream."""

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        raise self._make(prompt)
        yield ""


class RaisingTranscriber:
    def __init__(self, make: Callable[[str], BaseException]) -> None:
        self._make = make

    async def transcribe(self, audio: bytes) -> str:
        raise self._make(WORDS)


def unwrapped(provider: AnyProvider) -> AnyProvider:
    return provider


def with_fallback(provider: AnyProvider) -> AnyProvider:
    return FallbackProvider([provider, provider])


@pytest.fixture(params=RAISED, ids=["value", "key", "timeout", "group", "exit", "chained"])
def make(request: pytest.FixtureRequest) -> Callable[[str], BaseException]:
    factory: Callable[[str], BaseException] = request.param
    return factory


@pytest.mark.parametrize("wrapped", [unwrapped, with_fallback])
@pytest.mark.parametrize("kind", [RaisingProvider, RaisingStreamingProvider])
def test_an_agent_logs_no_words_of_the_caller(
    make: Callable[[str], BaseException],
    wrapped: Callable[[AnyProvider], AnyProvider],
    kind: type[RaisingProvider],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    flow = AIFlow(YemotAI(provider=wrapped(kind(make))))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("")

    assert "סליחה" in line.send(("ai_1", WORDS))
    assert "raises" in caplog.text
    assert WORDS not in caplog.text


@pytest.mark.parametrize("wrapped", [unwrapped, with_fallback])
def test_a_plain_handler_logs_no_words_of_the_caller(
    make: Callable[[str], BaseException],
    wrapped: Callable[[AnyProvider], AnyProvider],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    flow = AIFlow(YemotAI(provider=wrapped(RaisingProvider(make))))

    @flow.get("")
    def handler(call: AICall) -> None:
        call.ask_ai(WORDS)

    Line(flow).enter("")
    assert "the handler of extension '' failed" in caplog.text
    assert WORDS not in caplog.text


@pytest.mark.parametrize("wrapped", [unwrapped, with_fallback])
def test_the_error_that_a_developer_gets_prints_no_words_of_the_caller(
    make: Callable[[str], BaseException], wrapped: Callable[[AnyProvider], AnyProvider]
) -> None:
    ai = YemotAI(provider=wrapped(RaisingProvider(make)))

    with pytest.raises(ProviderError) as caught:
        ai.reply("c1", WORDS)
    assert WORDS not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("wrapped", [unwrapped, with_fallback])
def test_a_session_that_cannot_be_ended_is_logged_without_its_words(
    make: Callable[[str], BaseException],
    wrapped: Callable[[AnyProvider], AnyProvider],
    caplog: pytest.LogCaptureFixture,
) -> None:
    ai = YemotAI(provider=wrapped(RaisingProvider(make, answers=True)))
    ai.reply("c1", WORDS)
    ai.end("c1")

    assert "could not delete a conversation" in caplog.text
    assert WORDS not in caplog.text


def test_a_transcriber_that_raises_puts_no_words_into_the_log(
    make: Callable[[str], BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    with PlatformServer() as platform:
        send_recording(RaisingTranscriber(make), platform)

    assert "the recording was not transcribed" in caplog.text or "no answer" in caplog.text
    assert WORDS not in caplog.text


def send_recording(transcriber: RaisingTranscriber, platform: PlatformServer) -> None:
    ai = YemotAI(provider=ScriptedProvider(), transcriber=transcriber, recordings=platform.recordings())
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום", listen="record")(lambda call, text: None)
    line = Line(flow)
    line.enter("")

    assert "סליחה" in line.send(("ai_1", "/000.wav"))
