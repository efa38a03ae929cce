"""The waits that services ask for, as they send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import OverloadedError, ProviderError, RateLimitedError
from yemot_ai.providers import FallbackProvider, OpenAIProvider
from yemot_ai.providers.codex import faults
from yemot_ai.providers.refusals import ErrorBody, LimitNotice, wait_from_text
from yemot_ai.providers.refusals.clock_times import time_in
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

DAY = 86_400.0


def future(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 7m12s.", 432.0),
        ("Please try again in 20s. Visit https://x", 20.0),
        ("Please try again in 1.5s", 1.5),
        ("Please try again in 340ms", 0.34),
        ("try again in 1h2m", 3720.0),
        ("try again in 1h", 3600.0),
        ("Try again in 3 days 6 hours 57 minutes.", 3 * DAY + 6 * 3600 + 57 * 60),
        ("or try again in 2 hours and 5 minutes", 7500.0),
        ("Please retry after 30 seconds.", 30.0),
        ("Please retry after 26 seconds. Please go here", 26.0),
        ("please wait 5 seconds before retrying", 5.0),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Your limit resets in 2 hours, 10 minutes", 7800.0),
        ("Retry-After: 12", 12.0),
        ("retry after 15", 15.0),
        ("try again in about 1 minute", 60.0),
        ("TRY AGAIN IN 2 MIN", 120.0),
        ("Request was throttled. Expected available in 25 seconds.", 25.0),
        ("Your quota will reset after 5h30m20s.", 19820.0),
        ("please try again after 1 seconds", 1.0),
        ("Please try again in an hour.", 3600.0),
        ("Try again in one minute and 30 seconds", 90.0),
        ("Try again in 2 weeks", 14 * DAY),
        ("please try again in 30-60 seconds", 60.0),
        ("try again in 00:01:30", 90.0),
        ("Your limit resets in 1.02:03:04.", DAY + 2 * 3600 + 184),
        ("Please wait 01:30 before the next request", 90.0),
        ("Retry-After: 00:00:07.5", 7.5),
        ("try again in 1 hour 5 minutes", 3900.0),
        ("try again in 1d2h", 26 * 3600.0),
        ("Please wait 1,800 seconds", 1800.0),
        ("try again in half an hour", 1800.0),
        ("try again in inf seconds", None),
        ("try again in nan seconds", None),
        ("try again in -5 seconds", None),
        ("retry after 99999999999", None),
        ("resets at 25:99 UTC", None),
        ("again at 12:00 on 31 February", None),
        ("Please retry 3 times on a satellite", None),
        ("Please try again later. We are here Mon-Fri 9am-5pm", None),
        ("Please try again in a few seconds", None),
        ("Please try again later.", None),
        ("Please retry 3 times", None),
        ("Limit 100000, Used 99000, Requested 1443", None),
        ("gpt-5s is down, try again with gpt-4m", None),
        ("try again in 99999999 hours", None),
        ("please wait", None),
        ("", None),
    ],
)
def test_a_wait_in_words(text: str, seconds: float | None) -> None:
    assert wait_from_text(text) == seconds


NOW = datetime(2026, 11, 30, 7, 30, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("at 15:00 UTC", "2026-11-30T15:00+00:00"),
        ("at 07:00 UTC", "2026-12-01T07:00+00:00"),
        ("at 15:00", "2026-11-30T15:00+00:00"),
        ("at 15:00:30Z", "2026-11-30T15:00:30+00:00"),
        ("at 15:00 +0200", "2026-11-30T15:00+02:00"),
        ("at 15:00 (UTC+05:30)", "2026-11-30T15:00+05:30"),
        ("at 9:00 GMT-3 on Monday", "2026-11-30T09:00-03:00"),
        ("3pm (America/New_York)", "2026-11-30T15:00-05:00"),
        ("10:30 p.m. (Asia/Jerusalem)", "2026-11-30T22:30+02:00"),
        ("12am UTC", "2026-12-01T00:00+00:00"),
        ("noon ET", "2026-11-30T12:00-05:00"),
        ("at midnight UTC", "2026-12-01T00:00+00:00"),
        ("midnight Pacific time", "2026-11-30T00:00-08:00"),
        ("tomorrow", "2026-12-01T00:00+00:00"),
        ("tomorrow at 9:15 AM UTC", "2026-12-01T09:15+00:00"),
        ("Thursday", "2026-12-03T00:00+00:00"),
        ("Mon 07:00 UTC", "2026-12-07T07:00+00:00"),
        ("on December 1", "2026-12-01T00:00+00:00"),
        ("Jan 5, 9am (UTC)", "2027-01-05T09:00+00:00"),
        ("on 9 Dec 2026 10:00 CET", "2026-12-09T10:00+01:00"),
        ("at Aug 8th, 2027 12:30 PM UTC", "2027-08-08T12:30+00:00"),
        ("on 2026-12-07", "2026-12-07T00:00+00:00"),
        ("on 2026-12-07 at 00:10 UTC", "2026-12-07T00:10+00:00"),
        ("2026-12-07T10:00:00.123+02:00", "2026-12-07T10:00+02:00"),
        ("at 15:00 (Nowhere/City)", "2026-11-30T15:00+00:00"),
        ("at 3 times a month", None),
        ("2026-13-45", None),
        ("at 13pm UTC", None),
        ("at Feb 30", None),
        ("", None),
    ],
)
def test_the_time_at_which_a_limit_ends(text: str, time: str | None) -> None:
    assert time_in(text, now=NOW) == (None if time is None else datetime.fromisoformat(time))


@pytest.mark.parametrize(
    "text",
    [
        "Your limit resets at {:%H:%M:%S} UTC",
        "Limit resets {:%I:%M%p} (UTC)",
        "Try again on {:%B %d, %Y at %H:%M} UTC",
        "Claude AI usage limit reached|{:%s}",
        "resets_at: {:%s}",
        "Please retry after {:%s}",
    ],
)
def test_a_time_in_words(text: str) -> None:
    assert wait_from_text(text.format(future(5400).astimezone())) == pytest.approx(5400, abs=62)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1308", "Usage limit reached for 5 hour. Your limit will reset at {:%Y-%m-%d %H:%M:%S}"),
        ("1310", "[1310][Weekly limit reached. Your limit will reset at {:%Y-%m-%d %H:%M:%S}][20260912]"),
        ("1113", "已达到 5 小时的使用上限。您的限额将在 {:%Y-%m-%d %H:%M:%S} 重置。"),
    ],
    ids=["hours", "week", "chinese"],
)
def test_a_time_of_zhipu_is_that_of_beijing(code: str, message: str) -> None:
    """Zhipu writes the wall clock of Beijing without a zone: oh-my-pi#11014."""
    at = future(5400).astimezone(timezone(timedelta(hours=8)))
    body = {"error": {"code": code, "message": message.format(at)}}

    assert ErrorBody.parse(body, status=429).retry_after == pytest.approx(5400, abs=3)


@pytest.mark.parametrize(
    ("pattern", "wait"),
    [
        ("%I:%M %p", timedelta(hours=2)),
        ("%b %dth, %Y %I:%M %p", timedelta(days=3)),
        ("%b %d, %Y %I:%M %p", timedelta(days=40)),
    ],
)
def test_a_clock_time_of_codex_is_local(pattern: str, wait: timedelta) -> None:
    end = future(wait.total_seconds()).astimezone()
    found = wait_from_text(f"You've hit your usage limit. Upgrade, or try again at {end:{pattern}}.")

    assert found is not None
    assert found == pytest.approx(wait.total_seconds(), abs=3700)  # a change of daylight saving is an hour


@pytest.mark.parametrize("pattern", ["%Y-%m-%d at %H:%M UTC", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"])
def test_a_date_in_words_is_in_utc(pattern: str) -> None:
    found = wait_from_text(f"You will regain access on {future(5 * DAY):{pattern}}.")

    assert found == pytest.approx(5 * DAY, abs=65)


def test_a_time_of_today_that_has_passed_is_tomorrow() -> None:
    found = wait_from_text(f"try again at {future(-300).astimezone():%I:%M %p}")

    assert found == pytest.approx(DAY - 300, abs=3700)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "20s"}, 20.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, None),
        ({"retry-after": "99999999999"}, None),
        ({"retry-after": "PT1M30S"}, 90.0),
        ({"retry-after": "00:01:30"}, 90.0),
        ({"retry-after": "1 Jan 2008 00:00:00 +99999999999999"}, None),
        ({"retry-after": "Mon, 30 Nov 99999999999999999999 00:00:00 GMT"}, None),
        ({"retry-after-ms": "inf", "retry-after": "2"}, 2.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Mon, 99 Foo 2028"}, None),
    ],
)
def test_a_wait_in_a_header(headers: Mapping[str, str], seconds: float | None) -> None:
    found = ErrorBody.parse({"message": "no"}, status=503, headers=headers).retry_after

    assert found == (None if seconds is None else pytest.approx(seconds, abs=2))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-requests": "0"}, 90.0),
        ({"x-ratelimit-reset-requests": "90s", "x-ratelimit-remaining-requests": "3",
          "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0"}, 360.0),
        ({"x-ratelimit-reset-requests": "90s", "x-ratelimit-remaining-requests": "3"}, None),
        ({"x-ratelimit-reset-tokens": "17ms"}, 0.017),
        ({"ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-reset-tokens": "-1"}, None),
        ({"x-ratelimit-limit-tokens": "100"}, None),
        ({"x-ratelimit-reset-requests-day": "33011.38"}, 33011.38),
        ({"x-ratelimit-reset-ms": "1500"}, 1.5),
        ({"ratelimit": '"burst";r=0;t=50'}, 50.0),
        ({"ratelimit": "limit=10, remaining=0, reset=50"}, 50.0),
        ({"ratelimit": "limit=10, remaining=3, reset=50"}, None),
        ({"x-ratelimit-reset": "inf"}, None),
        ({"x-ratelimit-reset": "1e308"}, None),
    ],
)  # fmt: skip
def test_the_reset_of_a_limit_in_headers(headers: Mapping[str, str], seconds: float | None) -> None:
    found = ErrorBody.parse({"message": "no"}, status=429, headers=headers).reset_after

    assert found == (None if seconds is None else pytest.approx(seconds, abs=2))


def http_date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


def epoch(at: datetime) -> str:
    return f"{at.timestamp():.0f}"


def epoch_milliseconds(at: datetime) -> str:
    return f"{at.timestamp() * 1000:.0f}"


def epoch_microseconds(at: datetime) -> str:
    return f"{at.timestamp() * 1_000_000:.0f}"


@pytest.mark.parametrize(
    "write", [http_date, datetime.isoformat, epoch, epoch_milliseconds, epoch_microseconds]
)
@pytest.mark.parametrize("seconds", [90.0, 500 * DAY, -90.0])
def test_a_wait_until_a_time(write: Callable[[datetime], str], seconds: float) -> None:
    """A header with a date (``Retry-After``, Anthropic's), or a time since 1970 (OpenRouter's, Codex's)."""
    value = write(future(seconds))
    limits = {
        "anthropic-ratelimit-requests-reset": value,
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-tokens-reset": write(future(900 * DAY)),
        "anthropic-ratelimit-tokens-remaining": "5000",
    }
    found = [
        ErrorBody.parse({}, headers={"retry-after": value}).retry_after,
        ErrorBody.parse({"error": {"resets_at": value}}).retry_after,
        ErrorBody.parse({}, headers={"X-RateLimit-Reset": value}).reset_after,
        ErrorBody.parse({}, headers=limits).reset_after,
    ]

    assert found == [pytest.approx(seconds, abs=3) if seconds > 0 else None] * len(found)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"retryDelay": "34s"}]}}, 34.0),
        ([{"error": {"details": [{"retryDelay": "0.5s"}]}}], 0.5),
        ({"error": {"type": "usage_limit_reached", "resets_in_seconds": 529498}}, 529498.0),
        ({"error": {"message": "no", "retry_after": 12}}, 12.0),
        ({"detail": {"retry_after": "12"}}, 12.0),
        ({"error": {"metadata": {"retry_after_seconds": 9, "headers": {"Retry-After": "8"}}}}, 9.0),
        ({"error": {"metadata": {"headers": {"Retry-After": "8"}}}}, 8.0),
        ({"error": {"retry_after_ms": 2500}}, 2.5),
        ({"error": {"details": [{"metadata": {"quotaResetDelay": "1h16m8.5s"}}]}}, 4568.5),
        ({"error": {"resets_in_seconds": -3}}, None),
        ({"error": {"resets_in_seconds": 10**400}}, None),
        ({"error": {"resets_in_seconds": None}}, None),
        ({"error": {"resets_in_seconds": True}}, None),
        ({"error": {"resets_in_seconds": "NaN"}}, None),
    ],
)
def test_a_wait_in_a_field(body: object, seconds: float | None) -> None:
    found = ErrorBody.parse(body, status=429).retry_after

    assert found == (None if seconds is None else pytest.approx(seconds, abs=2))


def sse(error: object) -> bytes:
    return f"data: {json.dumps({'error': error})}\n\n".encode()


@contextmanager
def refusing(
    body: bytes, *, status: int = 200, kind: str = "application/json"
) -> Iterator[tuple[FixedResponseServer, OpenAIProvider]]:
    """Return a server that refuses everything, and a provider that asks it."""
    with FixedResponseServer(body, status=status, kind=kind) as server:
        provider = OpenAIProvider(api_key="test", model="m", base_url=f"{server.url}/v1", api="chat")
        yield server, provider
        Engine.shared().run(provider.aclose())


@pytest.mark.parametrize(
    "error",
    [
        {"code": 429, "message": "Please try again in 7m12s"},
        {"code": "429", "message": "no", "metadata": {"headers": {"retry-after": "432"}}},
        {"code": "rate_limit_exceeded", "message": "no", "retry_after": 432},
    ],
)
def test_a_wait_in_an_event_of_a_stream(error: object) -> None:
    with refusing(sse(error), kind="text/event-stream") as (_, provider):

        async def ask() -> None:
            async for _ in provider.ask("יש?", stream=True):
                pass

        with pytest.raises(ProviderError) as caught:
            Engine.shared().run(ask())
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 432.0)


@pytest.mark.parametrize(
    ("message", "header", "requests"),
    [
        ("Please try again in 7m12s", "x-a: b", 1),
        ("no", f"retry-after: {format_datetime(future(500 * DAY), usegmt=True)}", 1),
        ("no", "x-ratelimit-reset-requests: 1m", 1),
        ("Please try again in 10ms", "x-a: b", 2),
        ("no", "retry-after: -5", 2),
    ],
    ids=["words", "a date", "a reset", "soon", "no wait"],
)
def test_no_request_is_retried_sooner_than_asked_for(message: str, header: str, requests: int) -> None:
    body = json.dumps({"error": {"message": message}}).encode()
    with refusing(body, status=429, kind=f"application/json\r\n{header}") as (server, provider):
        ai = YemotAI(provider=provider)
        with pytest.raises(ProviderError):
            ai.reply("c1", "יש?")
        assert len(server.requests) == requests


@pytest.mark.parametrize("status", [200, 429, 502])
@pytest.mark.parametrize(("wait", "skipped"), [("7m12s", 432.0), ("30 days", DAY)])
def test_a_fallback_skips_the_provider_for_as_long_as_asked(status: int, wait: str, skipped: float) -> None:
    body = json.dumps({"error": {"code": status if status > 200 else 429, "message": f"Try again in {wait}"}})
    now = [1000.0]
    second = ScriptedProvider(engine=Engine.shared())
    with refusing(body.encode(), status=status) as (server, provider):
        fallback = FallbackProvider([provider, second], now=lambda: now[0])
        for elapsed, requests in ((0, 1), (skipped - 1, 1), (2, 2)):
            now[0] += elapsed
            second.answers("שני")
            assert Engine.shared().run(ask_provider(fallback, "יש?")).text == "שני"
            assert len(server.requests) == requests


def test_a_usage_limit_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    body = {"error": {"type": "usage_limit_reached", "message": "no", "resets_in_seconds": 7200}}
    with refusing(json.dumps(body).encode(), status=429) as (_, provider):
        ai = YemotAI(provider=provider)
        for call in range(3):
            with pytest.raises(ProviderError):
                ai.reply(f"c{call}", "יש?")

    notices = [record.getMessage() for record in caplog.records if "usage limit" in record.getMessage()]
    end = (datetime.now().astimezone() + timedelta(seconds=7200)).isoformat(timespec="minutes")
    assert len(notices) == 1
    assert notices[0][:-8].startswith(f"OpenAI: usage limit until {end}"[:-8])


def test_a_usage_limit_of_codex_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(faults, "_LIMIT_NOTICE", LimitNotice())
    body = {"error": {"type": "usage_limit_reached", "message": "no", "resets_in_seconds": 7200}}
    error = faults.error_from_text(f"unexpected status 429 Too Many Requests: {json.dumps(body)}")
    faults.error_from_text("You've hit your usage limit. Try again in 2 hours.")

    assert (error.kind, error.retry_after) == ("quota_exceeded", 7200.0)
    notices = [record.getMessage() for record in caplog.records]
    assert len(notices) == 1
    assert notices[0].startswith("Codex: usage limit until ")


def test_only_a_limit_of_a_minute_or_more_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    notice = LimitNotice()
    for wait in (59.0, None, 60.0, 7200.0):
        error = RateLimitedError("no", retry_after=wait)
        notice.report("a", error)
    assert len(caplog.records) == 1

    for wait in (float("inf"), float("nan"), 1e308, -7200.0):
        LimitNotice().report("a", RateLimitedError("no", retry_after=wait))
    assert len(caplog.records) == 1

    overloaded = OverloadedError("no")
    overloaded.retry_after = 7200.0
    LimitNotice().report("b", overloaded)
    assert len(caplog.records) == 1
    LimitNotice().report("b", RateLimitedError("no", retry_after=7200.0))
    assert len(caplog.records) == 2


@pytest.mark.parametrize("day", [29, 30])
def test_a_date_of_no_possible_year_is_no_time_before_or_after_its_day(day: int) -> None:
    text = "Mon, 30 Nov 99999999999999999999 00:00:00 GMT"
    assert time_in(text, now=datetime(2026, 11, day, 12, tzinfo=UTC)) is None
