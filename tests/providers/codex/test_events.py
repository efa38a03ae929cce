"""The event reader with recorded lines, lines of other versions, and malformed ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ContextOverflowError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    SessionBusyError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers.codex.events import EventReader, TurnOutcome, usage_delta
from yemot_ai.providers.codex.faults import error_from_text
from yemot_ai.providers.provider import Usage
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.recordings import Recording

STARTED = {"type": "thread.started", "thread_id": "t"}
MESSAGE = {"type": "item.completed", "item": {"type": "agent_message", "text": "hello"}}
DONE = {"type": "turn.completed", "usage": {"input_tokens": 3, "output_tokens": 1}}
RECORDED = recordings.load_newest()
TURNS = [
    recording for recording in RECORDED.values() if recording.argv[0] == "exec" and "--json" in recording.argv
]


def read(*events: object) -> EventReader:
    reader = EventReader()
    for event in events:
        reader.feed(event if isinstance(event, bytes) else json.dumps(event).encode())
    return reader


def finish(recording: Recording) -> TurnOutcome:
    reader = read(*(line.text.encode() for line in recording.stdout))
    return reader.finish(exit_code=recording.exit_code, stderr_tail="\n".join(recording.stderr))


@pytest.mark.parametrize(
    "case",
    ["answer", "resumed", "reasoning", "two_messages", "web_search", "reconnected", "not_a_uuid"],
)
def test_a_recorded_answer_is_read(case: str) -> None:
    outcome = finish(RECORDED[case])
    assert outcome.text in {"עכשיו שלוש וחצי.", "אני לא זוכר דבר."}
    assert outcome.thread_id == "{thread_id}"
    assert (outcome.usage or {})["input_tokens"] in {100, 200}


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("unauthorized", AuthenticationError),
        ("rate_limited", RateLimitedError),
        ("overloaded", OverloadedError),
        ("context_overflow", ContextOverflowError),
        ("quota_exceeded", QuotaExceededError),
        ("unknown_model", UnknownModelError),
        ("cut_stream", ProviderCrashError),
        ("unknown_session", SessionLostError),
        ("busy_session", SessionBusyError),
        ("terminated", ProviderCrashError),
        ("untrusted_folder", ProviderCrashError),
        ("no_message", AnswerEmptyError),
    ],
)
def test_a_recorded_failure_is_an_error_of_its_class(case: str, error: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as caught:
        finish(RECORDED[case])
    assert type(caught.value) is error
    assert caught.value.exit_code == RECORDED[case].exit_code
    assert caught.value.provider == "codex"


@pytest.mark.parametrize("recording", TURNS, ids=lambda recording: recording.case)
def test_every_recorded_turn_has_an_outcome_or_a_provider_error(recording: Recording) -> None:
    try:
        finish(recording)
    except ProviderError as error:
        assert str(error)  # noqa: PT017 - any class, with a message


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("We're currently experiencing high demand, which may cause temporary errors.", OverloadedError),
        ("unexpected status 503 Service Unavailable: upstream", OverloadedError),
        ("exceeded retry limit, last status: 502 Bad Gateway, request id: x", OverloadedError),
        ("Selected model is at capacity. Please try a different model.", OverloadedError),
        ("Rate limit reached for gpt-5. Please try again in 11.054s.", RateLimitedError),
        ("You've hit your usage limit. Upgrade to Pro or try again in 3 days.", QuotaExceededError),
        ("Your access token could not be refreshed. Please log in again.", AuthenticationError),
        ("Missing environment variable: `CODEX_KEY`.", AuthenticationError),
        ("The 'gpt-9' model is not supported when using Codex with a ChatGPT account.", UnknownModelError),
        ("Your input exceeds the context window of this model.", ContextOverflowError),
        ("thread 'main' panicked at src/main.rs:1", ProviderCrashError),
        ("", ProviderCrashError),
    ],
)
def test_messages_of_other_versions_have_the_same_classes(message: str, error: type[ProviderError]) -> None:
    result = error_from_text(message, thread_id="t")
    assert type(result) is error
    assert result.thread_id == "t"


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 11.5s.", 11.5),
        ("try again in 200ms", 0.2),
        ("Try again in 2m", 120.0),
        ("retry after 1h", 3600.0),
        ("Please try again in 7m12s.", 432.0),
        ("Too many requests", None),
    ],
)
def test_an_error_message_may_name_seconds_to_wait(message: str, seconds: float | None) -> None:
    error = error_from_text(f"rate limit: {message}")
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


def test_an_unknown_model_is_named() -> None:
    error = error_from_text("The 'gpt-9' model is not supported when using Codex")
    assert isinstance(error, UnknownModelError)
    assert error.model == "gpt-9"


def test_unknown_events_and_items_are_ignored() -> None:
    unknown: tuple[object, ...] = (
        {"type": "moon.risen"},
        {"type": 7},
        {},
        {"type": "item.completed", "item": 3},
        {"item": None},
    )
    assert read(STARTED, *unknown, MESSAGE, DONE).finish(exit_code=0).text == "hello"


CUT = {"message": "Incomplete response returned, reason: max_output_tokens"}


def test_an_answer_that_was_cut_is_read() -> None:
    outcome = read(STARTED, MESSAGE, {"type": "turn.failed", "error": CUT}).finish(exit_code=1)
    assert (outcome.text, outcome.cut, outcome.usage) == ("hello", "max_output_tokens", None)


def test_a_message_without_an_answer_does_not_hide_the_one_before_it() -> None:
    call = {"type": "agent_message", "text": "<tool_call>{}</tool_call>"}
    events = STARTED, MESSAGE, {"type": "item.completed", "item": call}, DONE
    assert read(*events).finish(exit_code=0).text == "hello"


@pytest.mark.parametrize(
    "usage", [None, 7, {}, {"input_tokens": "many"}, {"input_tokens": 3}, {"x": 1, "input_tokens": 3}]
)
def test_missing_counters_are_accepted(usage: object) -> None:
    outcome = read(STARTED, MESSAGE, {"type": "turn.completed", "usage": usage}).finish(exit_code=0)
    assert set(outcome.usage or {}) <= {"input_tokens"}


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((STARTED, MESSAGE), 0),
        ((STARTED, MESSAGE, DONE), 1),
        ((STARTED, MESSAGE, DONE), -15),
        ((STARTED, MESSAGE, {"type": "turn.failed", "error": {"message": "odd"}}), 0),
        ((STARTED, MESSAGE, {"type": "turn.failed"}), 0),
        ((STARTED, {"type": "error", "message": "odd"}, DONE), 0),
        ((), 0),
    ],
)
def test_an_incomplete_turn_is_an_error(events: tuple[Any, ...], code: int) -> None:
    with pytest.raises(ProviderCrashError):
        read(*events).finish(exit_code=code)


def test_an_error_event_is_not_fatal() -> None:
    reconnecting = {"type": "error", "message": "Reconnecting... 1/5"}
    assert read(STARTED, reconnecting, MESSAGE, DONE).finish(exit_code=0).text == "hello"


def test_an_answer_in_another_thread_is_dropped() -> None:
    with pytest.raises(SessionLostError) as caught:
        read(STARTED, MESSAGE, DONE).finish(exit_code=0, expected="mine")
    assert caught.value.thread_id == "mine"


def test_an_answer_without_a_thread_is_malformed() -> None:
    with pytest.raises(MalformedStreamError, match="without naming the thread"):
        read(MESSAGE, DONE).finish(exit_code=0)


@pytest.mark.parametrize(
    "line",
    [b"{", b"null", b"[]", b"hello", b"\xff", b'{"a":' * 5000, b"1" * 5000, b'{"type":"x"} {}', b"\x00{}"],
)
def test_a_line_that_is_no_event_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedStreamError) as caught:
        read(STARTED, line, MESSAGE, DONE).finish(exit_code=0)
    assert len(str(caught.value)) < 2000


def test_a_single_surrogate_is_replaced() -> None:
    half = b'{"type":"item.completed","item":{"type":"agent_message","text":"a\\ud800b"}}'
    assert read(STARTED, half, DONE).finish(exit_code=0).text.encode() == "a\ufffdb".encode()


@given(
    st.lists(st.binary(max_size=60)), st.integers(-20, 120), st.text(max_size=60), st.sampled_from(["", "t"])
)
def test_any_output_raises_only_provider_errors(
    lines: list[bytes], code: int, stderr: str, expected: str
) -> None:
    with pytest.raises(ProviderError):
        read(*lines).finish(exit_code=code, stderr_tail=stderr, expected=expected)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "message", "text", "item", "usage", "error", "thread_id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "thread.started",
        "turn.started",
        "turn.completed",
        "turn.failed",
        "item.completed",
        "error",
        "agent_message",
    ]
)
EVENTS = st.fixed_dictionaries(
    {"type": KINDS}, optional=dict.fromkeys(("thread_id", "item", "usage", "error", "message"), VALUES)
)


@pytest.mark.slow
@given(st.lists(EVENTS, max_size=6))
def test_any_events_give_an_outcome_or_a_provider_error(events: list[Any]) -> None:
    try:
        outcome = read(*events).finish(exit_code=0)
    except ProviderError:
        return
    assert outcome.text.strip()
    assert outcome.thread_id


def test_the_usage_of_a_turn_is_the_difference() -> None:
    before = {"input_tokens": 100, "cached_input_tokens": 5, "output_tokens": 7}
    after = {"input_tokens": 250, "cached_input_tokens": 5, "output_tokens": 9, "reasoning_output_tokens": 4}
    assert usage_delta(before, after) == Usage(150, 0, 2, 4)


def test_reset_counters_are_used_unchanged() -> None:
    assert usage_delta({"input_tokens": 100}, {"input_tokens": 30}) == Usage(30)


def test_without_earlier_counters_the_usage_is_unknown() -> None:
    assert usage_delta(None, {"input_tokens": 30}) is None
