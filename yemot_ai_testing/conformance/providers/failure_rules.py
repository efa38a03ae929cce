"""Rules about failures: each has its kind, and none breaks the next question."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Final

from yemot_ai.errors import ProviderError, ProviderTimeoutError
from yemot_ai_testing.conformance.providers.backend import (
    BreaksOff,
    SendsNoAnswer,
    SendsNonsense,
    StopsInTheMiddle,
)
from yemot_ai_testing.conformance.providers.bench import REFUSALS, ProviderBench
from yemot_ai_testing.conformance.rule import Breach, NotRun, RuleGroup, expect_equal, expect_true

__all__ = ["FAILURE_RULES"]

FAILURE_RULES: Final = RuleGroup[ProviderBench]("failure")

TITLES: Final[Mapping[str, str]] = {
    "rate_limited": "Too many requests are a RateLimitedError",
    "unauthorized": "A refused key or login is an AuthenticationError",
    "overloaded": "An overloaded model or an error of its server is an OverloadedError",
    "context_overflow": "A conversation that is too long is a ContextOverflowError, so that it is shortened",
    "quota_exceeded": "A used-up quota is a QuotaExceededError, which is not retried",
    "unknown_model": "A model that does not exist is an UnknownModelError",
    "refused_request": "Words that the service refuses are a RefusedRequestError, which is not retried",
}

DEADLINE_SLACK: Final = 3.0
"""Seconds after the deadline, on a busy machine too."""


def _add_refusal(kind: str) -> None:
    name = kind.replace("_", "-")
    fix = f"raise the subclass of ProviderError with kind {kind!r}: read the code, the status or the message"

    @FAILURE_RULES.rule(name, TITLES[kind], fix=fix)
    async def failure_has_its_kind(bench: ProviderBench) -> None:
        bench.refuses(kind)
        error = await bench.error_of("מי שם?")
        expect_equal("the kind of the error", error.kind, kind)


for _kind in TITLES:
    _add_refusal(_kind)


@FAILURE_RULES.rule("empty", fix="raise AnswerEmptyError if the text is empty or blank")
async def no_answer_is_an_error(bench: ProviderBench) -> None:
    """Success without a text is an AnswerEmptyError, not an empty answer."""
    for _ in range(REFUSALS):
        bench.require(SendsNoAnswer).answers_nothing()
    expect_equal("the kind of the error", (await bench.error_of("מי שם?")).kind, "empty")


@FAILURE_RULES.rule("broken-off", fix="raise ProviderCrashError if the answer ends before its last event")
async def broken_answer_is_an_error(bench: ProviderBench) -> None:
    """An answer that breaks off is a transient error, not a shorter answer."""
    for _ in range(REFUSALS):
        bench.require(BreaksOff).breaks("עד כאן. וכאן")
    await _expect_transient(bench)


@FAILURE_RULES.rule("garbled", fix="raise MalformedStreamError if a line or an event cannot be parsed")
async def garbled_answer_is_an_error(bench: ProviderBench) -> None:
    """Data that the protocol does not allow are a transient error."""
    for _ in range(REFUSALS):
        bench.require(SendsNonsense).garbles()
    await _expect_transient(bench)


@FAILURE_RULES.rule(
    "private", fix="put the code and the status into the message, not the request: it is logged"
)
async def error_names_no_words(bench: ProviderBench) -> None:
    """The message of an error does not quote what the caller said."""
    word = bench.word("סוד")
    bench.refuses("overloaded")
    error = await bench.error_of(word)
    expect_true(word not in f"{error} {error.args}", "no word of the prompt", error)


@FAILURE_RULES.rule("passes", fix="do not keep the error or a closed connection in the provider")
async def next_question_is_answered(bench: ProviderBench) -> None:
    """After a failure has passed, questions are answered."""
    bench.refuses("rate_limited")
    await bench.error_of("מי שם?")
    bench.answers("כן")
    errors: list[ProviderError] = []
    for _ in range(REFUSALS + 1):
        try:
            await bench.ask("ועכשיו?")
        except ProviderError as error:
            errors.append(error)
        else:
            return
    raise Breach("an answer after the failures", repr(errors[-1]))


@FAILURE_RULES.rule("deadline", fix="wrap the turn in asyncio.timeout(…) and raise ProviderTimeoutError")
async def silent_model_ends_at_the_deadline(bench: ProviderBench) -> None:
    """A question to a silent model ends at the deadline, with a ProviderTimeoutError."""
    deadline = await _deadline(bench)
    bench.backend.hangs()
    await _expect_timeout(bench, deadline, stream=False)


@FAILURE_RULES.rule(
    "deadline-later", fix="let one deadline cover the whole turn, not the time to the first text"
)
async def stalled_model_ends_at_the_deadline(bench: ProviderBench) -> None:
    """An answer that stops in the middle ends at the deadline, with a ProviderTimeoutError."""
    bench.require_streaming()
    deadline = await _deadline(bench)
    bench.require(StopsInTheMiddle).begins("המשפט הראשון שלם. ")
    await _expect_timeout(bench, deadline, stream=True)


async def _deadline(bench: ProviderBench) -> float:
    """Return the deadline, after a first question: it may import an SDK, which takes seconds."""
    if bench.deadline is None:
        raise NotRun("the deadline of the provider is not known: give deadline=")
    bench.answers("כן")
    with contextlib.suppress(ProviderTimeoutError):
        await bench.ask("שלום")
    return bench.deadline


async def _expect_timeout(bench: ProviderBench, deadline: float, *, stream: bool) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    error = await bench.error_of("מי שם?", stream=stream)
    passed = loop.time() - started
    expect_true(isinstance(error, ProviderTimeoutError), "ProviderTimeoutError", repr(error))
    in_time = deadline * 0.8 <= passed <= deadline + DEADLINE_SLACK
    expect_true(in_time, f"an end after {deadline:g} s", f"after {passed:.1f} s")
    await bench.expect_idle()


async def _expect_transient(bench: ProviderBench) -> None:
    error = await bench.error_of("מי שם?")
    expect_true(error.transient, "an error that is transient, so that it is retried", repr(error))
