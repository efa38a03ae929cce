from __future__ import annotations

import logging

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai.redaction import MASKING_FILTER, mask_numbers, redact_url
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

log = logging.getLogger("yemot_ai")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call from 0501234567.", "call from …4567."),
        ("050-123-4567", "…4567"),
        ("050 1234567", "…4567"),
        ("+972501234567", "…4567"),
        ("+972-50-123-4567", "…4567"),
        ("00972501234567", "…4567"),
        ("972501234567", "…4567"),
        ("(031234567)", "(…4567)"),
        ("caller:0501234567", "caller:…4567"),
        ("caller_0501234567-4f3a.json", "caller_…4567-4f3a.json"),
        ("+12125550123", "…0123"),
        ("'ApiPhone': '0501234567', 'x': '0527654321'", "'ApiPhone': '…4567', 'x': '…4321'"),
    ],
)
def test_numbers_are_masked_but_for_the_last_four_digits(text: str, shown: str) -> None:
    assert mask_numbers(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "turn ai_3",
        "12 s",
        "id a0501234567b",
        "1767225600.25",
        "exit code 137",
        "5f0501234567",
        "010101",
        "3.5",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert mask_numbers(text) == text


def test_numbers_in_arguments_and_in_tracebacks_are_masked(caplog: pytest.LogCaptureFixture) -> None:
    callers: dict[str, str] = {}
    try:
        callers["0501234567"]
    except KeyError:
        log.exception("call from %s", "0527654321")

    assert "0501234567" not in caplog.text
    assert "0527654321" not in caplog.text
    assert "KeyError: '…4567'" in caplog.text


def test_it_can_be_switched_off(caplog: pytest.LogCaptureFixture) -> None:
    log.removeFilter(MASKING_FILTER)
    try:
        log.warning("call from %s", "0501234567")
    finally:
        log.addFilter(MASKING_FILTER)

    assert "0501234567" in caplog.text


def test_a_whole_call_with_faults_of_all_kinds_logs_neither_number_nor_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = ScriptedProvider().fails("overloaded").drops().answers("סוד").fails("unauthorized")
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: call.ask_ai(f"{text} {call.phone}"))

    @flow.get("5")
    def broken(call: object) -> None:
        raise ValueError(f"no customer 0501234567: {call!r}")

    line = {"ApiCallId": "c1", "ApiPhone": "0501234567", "ApiExtension": ""}
    flow.handle_request(line)
    for turn in range(1, 4):
        line = {**line, f"ai_{turn}": "סוד"}
        flow.handle_request(line)
        flow.handle_request({**line, f"ai_{turn}w1": "None"})
    flow.handle_request({**line, "ApiExtension": "5"})
    flow.handle_request({**line, "hangup": "yes"})

    assert "no customer …4567" in caplog.text
    assert "0501234567" not in caplog.text
    assert "סוד" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "redis://:sesame@host/0",
        "redis://:ses@me@sesame@host/0",
        "redis://host?password=sesame",
        "redis://a:sesame@host?x=sesame",
        "sesame@host",
    ],
)
def test_what_is_shown_of_a_url_holds_no_password(url: str) -> None:
    assert "sesame" not in redact_url(url)
    assert "host" in redact_url(url)
