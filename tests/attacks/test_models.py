"""Attacks by models: answers that never end, texts that are slow to read, waits and errors of services."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import logging
import re
import threading
import time
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.slowness import slowness
from tests.support.untraced import untraced
from tests.support.waiting import until
from yemot_ai import AICall, AIFlow, AnswerLimits, Engine, Limits, YemotAI
from yemot_ai.errors import (
    AnswerCutError,
    AuthenticationError,
    ConfigurationError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.providers import (
    JSON,
    CodexAppServerProvider,
    CodexCLIProvider,
    Exchange,
    FallbackProvider,
    OpenAIProvider,
    Reply,
)
from yemot_ai.providers.refusals.quoted_words import hide_words
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing import Caller, FakeCodex, ModelServer
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE
from yemot_ai_testing.doubles.scripted_double import unchecked

CUT = "סליחה, התשובה נקטעה, אפשר לשאול שוב"
SENTENCE = "זה משפט שחוזר על עצמו. "
LETTERS = AnswerLimits().characters
MB = 1_000_000
LATENCY = 0.2
"""Seconds that other callers may wait because of one answer, on a machine that has nothing else to do."""


def is_short(seconds: float) -> bool:
    """Return whether other callers may wait for a time of the processor, as slow as this machine is now."""
    return seconds < LATENCY or seconds < LATENCY * slowness()


class Streaming:
    """A model that streams the same pieces in each turn.

    Args:
        pieces: the pieces.
    """

    name = "streaming"

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = pieces
        self.written = 0
        self.closed = 0

    async def stream(
        self, session: JSON, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> AsyncIterator[str | Reply]:
        text = []
        try:
            for piece in self._pieces:
                self.written += len(piece)
                text.append(piece)
                yield piece
                await asyncio.sleep(0)
            yield Reply("".join(text), session="1")
        finally:
            self.closed += 1

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply("".join(self._pieces), session="1")

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)


@contextmanager
def measured_latency(engine: Engine) -> Iterator[list[float]]:
    """Yield a list that gets, at the end, the longest time for which the engine's loop was busy."""
    longest: list[float] = []
    stop = threading.Event()

    async def measure() -> None:
        late = 0.0
        with untraced():
            while not stop.is_set():
                start = time.thread_time()  # neither other processes count, nor the threads of doubles
                await asyncio.sleep(0.005)
                late = max(late, time.thread_time() - start)
        longest.append(late)

    measuring = engine.submit(measure())
    try:
        yield longest
    finally:
        stop.set()
        measuring.result()


def agent_of(ai: YemotAI) -> AIFlow:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


def ask(flow: AIFlow) -> str:
    caller = Caller(flow)
    caller.dial()
    heard = caller.says("שאלה")
    caller.hangs_up()
    return heard


ENDLESS = {
    "sentences": SENTENCE,
    "one sentence": "מילה ",
    "one word": "א",
    "full stops": ".",
    "exclamation marks": "! ",
    "quotes": '."',
    "lines": "שורה\n",
    "white space": " ",
    "line ends": "\n",
    "a table": "| א | ב |\n",
    "fences": "```\nx\n",
    "links": "[א](",
    "thoughts": "<think>א",
}


@pytest.mark.parametrize("piece", ENDLESS.values(), ids=ENDLESS)
def test_a_model_that_never_stops_writing_is_stopped_and_its_caller_can_ask_again(piece: str) -> None:
    model = Streaming(itertools.repeat(piece))
    ai = YemotAI(provider=model)
    with measured_latency(ai.engine) as latency:
        heard = ask(agent_of(ai))

    assert heard.endswith(CUT)
    assert len(heard) < 2 * LETTERS
    assert model.written <= LETTERS + len(piece)
    assert model.closed == 1
    assert is_short(latency[0])


WHOLE = {"sentences": SENTENCE, "one sentence": "מילה ", "full stops": ".", "lines": "שורה\n", "quotes": '."'}


@pytest.mark.parametrize("piece", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_three_megabytes_in_one_piece_are_cut_and_delay_no_other_caller(piece: str, *, streams: bool) -> None:
    model = Streaming([piece * (3 * MB // len(piece))])
    if not streams:
        model.stream = None  # type: ignore[method-assign,assignment]  # a provider without the third method
    ai = YemotAI(provider=model)
    with measured_latency(ai.engine) as latency:
        heard = ask(agent_of(ai))

    assert heard.endswith(CUT)
    assert len(heard) < 2 * LETTERS
    assert is_short(latency[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [SENTENCE * (MB // len(SENTENCE)), "." * MB, "<think>" + "א" * MB],
    ids=["sentences", "full stops", "thoughts"],
)
def test_a_megabyte_in_one_message_of_an_app_server_delay_no_other_caller(fake: FakeCodex, text: str) -> None:
    fake.answers(text)
    ai = YemotAI(provider=CodexAppServerProvider(fake.executable), retries=0)
    with measured_latency(ai.engine) as latency:
        heard = ask(agent_of(ai))

    assert len(heard) < 2 * LETTERS
    assert is_short(latency[0])
    ai.close()


def test_a_handler_gets_the_error_with_the_text_up_to_the_limit() -> None:
    flow = AIFlow(YemotAI(provider=Streaming([SENTENCE * 1_000])))
    errors: list[AnswerCutError] = []

    @flow.get("")
    def handler(call: AICall) -> None:
        try:
            call.ask_ai("שאלה")
        except AnswerCutError as error:
            errors.append(error)
            raise

    heard = Caller(flow).dial()

    assert heard.startswith(CUT)
    assert errors[0].reason == "more than 200 sentences"


def test_an_answer_is_cut_at_a_sentence_by_the_limits_that_are_given() -> None:
    limits = Limits(answer=AnswerLimits(characters=30))
    ai = YemotAI(provider=Streaming(["אחת שתיים שלוש. ", "ארבע חמש", " שש שבע. ", "שמונה."]), limits=limits)

    assert ask(agent_of(ai)) == f"אחת שתיים שלוש {CUT}"


def test_the_answer_after_a_cut_one_is_heard() -> None:
    ai = YemotAI(provider=Streaming(["אחת. ", "שתיים. "]), limits=Limits(answer=AnswerLimits(sentences=1)))
    caller = Caller(agent_of(ai))
    caller.dial()

    assert caller.says("שאלה") == caller.says("שאלה") == f"אחת {CUT}"


def test_an_honest_long_answer_is_heard_whole() -> None:
    story = " ".join(f"זה המשפט ה-{n} בסיפור הארוך." for n in range(180))
    heard = ask(agent_of(YemotAI(provider=Streaming([story]))))

    assert CUT not in heard
    assert "179" in heard


@pytest.mark.parametrize("most", [0, -1, 1.5, float("inf"), float("nan"), True, "9", None])
def test_a_limit_that_is_no_positive_number_is_refused(most: object) -> None:
    with pytest.raises(ConfigurationError, match="characters"):
        AnswerLimits(characters=most)  # type: ignore[arg-type]


def test_a_service_that_never_stops_writing_is_disconnected() -> None:
    with ModelServer() as server:
        server.answers([SENTENCE] * 10_000, every=0.002)
        provider = OpenAIProvider(api_key="unused", base_url=server.base_url, model="m")

        assert ask(agent_of(YemotAI(provider=provider))).endswith(CUT)
        server.wait_idle(timeout=30)


def test_a_turn_of_an_app_server_that_never_stops_writing_is_interrupted(fake: FakeCodex) -> None:
    provider = CodexAppServerProvider(fake.executable)
    fake.answers([SENTENCE] * 10_000, every=0.002)
    fake.answers("כן.")
    caller = Caller(agent_of(YemotAI(provider=provider)))
    caller.dial()

    assert caller.says("שאלה").endswith(CUT)
    until(lambda: not fake.turns_alive(), within=30)
    assert caller.says("שאלה") == "כן"


class Refusing:
    """A provider whose errors quote what it was asked, and ask for a wait.

    Args:
        quote: how it quotes.
        wait: its ``retry_after``.
        error_type: the class of its errors.
    """

    name = "refusing"

    def __init__(
        self,
        quote: Callable[[str], str] = str,
        wait: object = None,
        error_type: type[ProviderError] = ProviderCrashError,
    ) -> None:
        self._quote = quote
        self._wait = wait
        self._error_type = error_type
        self.asked = 0

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        self.asked += 1
        quoted = self._quote(prompt)
        error = self._error_type(f"bad input: {quoted} (code 17)", provider=self.name)
        error.stderr_tail = f"WARN input: {quoted}"
        error.retry_after = self._wait  # type: ignore[assignment]  # as a provider may
        error.add_note(f"it was {quoted}")
        raise error

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)


WORDS = "my secret code is banana forty"
QUOTES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "JSON": json.dumps,
    "address": urllib.parse.quote,
    "HTML": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "a part": lambda text: text[3:20],
}


MORE_QUOTES: dict[str, Callable[[str], str]] = {
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "form": urllib.parse.quote_plus,
    "address in an address": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
    "Rust": lambda text: "".join(f"\\u{{{ord(sign):x}}}" for sign in text),
    "bytes": lambda text: repr(text.encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "words": lambda text: str(text.split()),
    "letters": lambda text: str([*text]),
    "lines": lambda text: text.replace(" ", "\n\n"),
    "dashes": lambda text: text.replace(" ", "-"),
    "no spaces": lambda text: text.replace(" ", ""),
    "one word": lambda text: repr(text.split()[-2]),
}


@pytest.mark.parametrize("quote", MORE_QUOTES.values(), ids=MORE_QUOTES)
@pytest.mark.parametrize("words", [WORDS, "הקוד הסודי שלי הוא בננה ירוקה"], ids=["English", "Hebrew"])
def test_a_quotation_is_found_in_every_spelling(quote: Callable[[str], str], words: str) -> None:
    error = ProviderCrashError(f"bad input: {quote(words)} (code 17)", provider="x")
    hide_words(error, [words])

    assert re.fullmatch(r"bad input: b?\W*…\W* \(code 17\)", str(error))


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("error_type", [ProviderError, ProviderCrashError, AuthenticationError])
@pytest.mark.parametrize("behind", [False, True], ids=["alone", "fallback"])
def test_no_error_of_any_provider_carries_what_was_said(
    caplog: pytest.LogCaptureFixture,
    quote: Callable[[str], str],
    error_type: type[ProviderError],
    *,
    behind: bool,
) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    refusing = Refusing(quote, error_type=error_type)
    provider = FallbackProvider([refusing, refusing]) if behind else refusing
    store = MemoryStore()
    ai = YemotAI(provider=provider, store=store, retries=0)
    with pytest.raises(ProviderError, match="code 17") as raised:
        ai.reply("c1", WORDS)

    session = ai.engine.run(store.load("c1"))
    assert session is not None
    shown = f"{raised.value} {vars(raised.value)} {session.turns[0].failure} {caplog.text}"
    assert "banana" not in shown
    assert quote(WORDS) not in shown


@pytest.mark.parametrize(
    "wait", [float("inf"), float("nan"), 1e308, 99_999_999_999, -1e9, -1, "7", True, [7]]
)
def test_a_wait_that_is_no_sensible_one_neither_breaks_a_turn_nor_locks_a_provider_out(wait: object) -> None:
    now = 0.0
    refusing = Refusing(wait=wait, error_type=OverloadedError)
    fallback = FallbackProvider([refusing, Streaming(["כן"])], now=lambda: now)
    alone = YemotAI(provider=refusing, retries=1)
    with pytest.raises(OverloadedError):
        alone.reply("c1", "שאלה")
    refusing.asked = 0
    ai = YemotAI(provider=fallback)
    assert ai.reply("c1", "שאלה") == "כן"
    now = 86_400.0

    assert ai.reply("c2", "שאלה") == "כן"
    assert refusing.asked == 2


@pytest.mark.slow  # a deadline passes
@pytest.mark.parametrize("own", [True, False], ids=["of the provider", "of the turn"])
@pytest.mark.parametrize("make", [CodexCLIProvider, CodexAppServerProvider])
def test_a_deadline_is_one_warning_with_its_reason(
    caplog: pytest.LogCaptureFixture,
    fake: FakeCodex,
    make: type[CodexCLIProvider | CodexAppServerProvider],
    *,
    own: bool,
) -> None:
    fake.answers("מאוחר מדי").hold()
    ai = YemotAI(
        provider=make(fake.executable, timeout=0.3 if own else 9.0), turn_timeout=9.0 if own else 0.3
    )
    with pytest.raises(ProviderTimeoutError):
        ai.reply("c1", "שאלה")
    fake.release()

    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert re.search(r"no answer from .+ within 0\.3 s$", warnings[0])


@pytest.mark.slow
@pytest.mark.parametrize("make", [CodexCLIProvider, CodexAppServerProvider])
def test_a_model_of_the_real_codex_that_only_calls_tools_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    real_binary: Path,
    make: type[CodexCLIProvider | CodexAppServerProvider],
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))
    with unchecked(ModelServer()) as server:
        call = {"type": "function_call", "name": "nothing", "arguments": "{}"}
        for number in range(400):
            server.emits({**call, "id": f"fc_{number}", "call_id": f"call_{number}"})
        env = {CODEX_KEY_VARIABLE: "unused"}
        ai = YemotAI(provider=make(real_binary, config=server.codex_config(), env=env, max_requests=5))
        with pytest.raises(AnswerCutError, match="more than 5 requests to the model"):
            ai.reply("c1", "שאלה")

        server.wait_idle()
        assert len(server.requests) < 100
        ai.close()


@pytest.mark.parametrize("most", [0, -1, 2.5, True, None, "3"])
@pytest.mark.parametrize("make", [CodexCLIProvider, CodexAppServerProvider])
def test_a_number_of_requests_that_is_none_is_refused(
    make: type[CodexCLIProvider | CodexAppServerProvider], most: object
) -> None:
    with pytest.raises(ConfigurationError, match="max_requests"):
        make(max_requests=most)  # type: ignore[arg-type]
