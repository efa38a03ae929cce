"""Rules about the work of a turn: it can be cancelled, it blocks nothing, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

from yemot_ai.providers import SupportsAclose
from yemot_ai_testing.conformance.providers.backend import CountsRunningCalls, HoldsCalls
from yemot_ai_testing.conformance.providers.bench import ProviderBench, expect_no_error
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, RuleGroup, expect_equal, expect_true

__all__ = ["CLOSE_RULES", "WORK_RULES", "answers_at_once"]

T = TypeVar("T")

WORK_RULES: Final = RuleGroup[ProviderBench]("work")
CLOSE_RULES: Final = RuleGroup[ProviderBench]("close")

AT_ONCE: Final = 4
"""How many calls run at the same time, or one after another."""

MAX_PAUSE: Final = 1.0
"""Seconds in which the event loop may run nothing else, in all questions together, on a busy machine too."""

SHORT_PAUSE: Final = 0.1
"""Seconds of a pause that does not count: other processes need the processor too."""


@WORK_RULES.rule(
    "cancelled", fix="let asyncio.CancelledError pass: clean up in `finally:`, and catch no BaseException"
)
async def cancelled_question_ends(bench: ProviderBench) -> None:
    """A cancelled question ends as cancelled, in time."""
    task = await bench.cancel_question("מי שם?")
    if not task.cancelled():
        error = task.exception()
        raise Breach("asyncio.CancelledError", repr(error) if error else "the question was answered")


@WORK_RULES.rule("stopped", fix="close the connection or kill the process when the task is cancelled")
async def cancelled_model_stops(bench: ProviderBench) -> None:
    """Cancelling a question ends the model's work."""
    bench.require(CountsRunningCalls)
    await bench.cancel_question("מי שם?")
    await bench.expect_idle()


@WORK_RULES.rule(
    "leftovers", fix="end every task, thread and process of the turn in `finally:`, and wait for it"
)
async def cancelled_questions_leave_nothing(bench: ProviderBench) -> None:
    """Cancelled questions leave no task, thread, process or connection behind."""
    bench.answers("כן")
    await bench.ask("שלום")
    await bench.cancel_question("מי שם?")
    before = await bench.settled()
    for _ in range(AT_ONCE):
        await bench.cancel_question("מי שם?")
    await bench.expect_nothing_left(before, questions=AT_ONCE)


@WORK_RULES.rule("growth", fix="end what a turn starts with the turn, also after an answer or an error")
async def answered_questions_leave_nothing(bench: ProviderBench) -> None:
    """Answered questions leave no task, thread, process or connection behind."""
    await _ask(bench, times=1)
    before = await bench.settled()
    await _ask(bench, times=AT_ONCE)
    await bench.expect_nothing_left(before, questions=AT_ONCE)


@WORK_RULES.rule("next", fix="start each question with a new request; read no answer of an earlier one")
async def question_after_a_cancelled_one_is_answered(bench: ProviderBench) -> None:
    """The question after a cancelled one gets its own answer."""
    await bench.cancel_question("מי שם?")
    answer = bench.word("תשובה")
    bench.answers(answer)
    reply = await bench.ask("ועכשיו?")
    if bench.is_scripted:
        expect_equal("the answer", reply.text, answer)


@WORK_RULES.rule("parallel", fix="use no lock and no single connection for all calls")
async def calls_do_not_wait_for_each_other(bench: ProviderBench) -> None:
    """A call is answered while the model is silent to others."""
    async with AsyncExitStack() as stack:
        for number in range(AT_ONCE if bench.is_scripted else 0):
            await stack.enter_async_context(bench.hanging_question(f"שאלה {number}"))
        bench.answers("כן")
        await bench.ask("מי שם?")


@WORK_RULES.rule("own-answers", fix="keep what belongs to a turn in local variables, not on self")
async def each_call_gets_its_own_answer(bench: ProviderBench) -> None:
    """Of calls that are answered at the same moment, each gets its own answer."""
    replies, answers = await answers_at_once(bench, bench.ask)
    expect_equal("the answers", [reply.text for reply in replies], answers)


async def answers_at_once(
    bench: ProviderBench, ask: Callable[[str], Coroutine[Any, Any, T]]
) -> tuple[list[T], list[str]]:
    """Let questions be answered at the same moment; return the results, and the answers of the model."""
    holding = bench.require(HoldsCalls)
    answers = [bench.word("תשובה") for _ in range(AT_ONCE)]
    bench.answers(*answers)
    holding.hold()
    tasks: list[asyncio.Task[T]] = []
    try:
        for number in range(AT_ONCE):
            tasks.append(asyncio.create_task(ask(f"שאלה {number}")))
            await bench.received(number + 1)
    finally:
        holding.release()
    return await asyncio.gather(*tasks), answers


@WORK_RULES.rule("loop", fix="use an async client, or asyncio.to_thread for what blocks")
async def event_loop_runs_on(bench: ProviderBench) -> None:
    """The event loop serves other calls while a question is answered."""
    await _ask(bench, times=1)  # it may import an SDK
    pauses: list[float] = []
    watching = asyncio.create_task(_measure_pauses(pauses))
    await asyncio.sleep(0)
    try:
        await _ask(bench, times=AT_ONCE)
        await bench.cancel_question("מי שם?")
    finally:
        watching.cancel()
        await asyncio.wait({watching})
    blocked = sum(pause for pause in pauses if pause > SHORT_PAUSE)
    expect_true(
        blocked < MAX_PAUSE, f"less than {MAX_PAUSE:g} s in which nothing else ran", f"{blocked:.1f} s"
    )


@CLOSE_RULES.rule("twice", fix="let aclose() do nothing if there is nothing to close")
async def provider_closes_twice(bench: ProviderBench) -> None:
    """A provider can be closed before its first question, and twice."""
    unused = _closable(bench.new_provider())
    await expect_no_error(unused.aclose(), "aclose()")
    await _ask(bench, times=1)
    closing = _closable(bench.provider)
    for _ in range(2):
        await expect_no_error(closing.aclose(), "aclose()")


@CLOSE_RULES.rule("reopened", fix="open a new connection at the next question after aclose()")
async def closed_provider_answers(bench: ProviderBench) -> None:
    """A provider that was closed answers a later question."""
    await _ask(bench, times=1)
    await expect_no_error(_closable(bench.provider).aclose(), "aclose()")
    await _ask(bench, times=1)


@CLOSE_RULES.rule("leftovers", fix="close connections, and end processes and tasks, in aclose()")
async def closed_provider_leaves_nothing(bench: ProviderBench) -> None:
    """After aclose() no task, process or connection is left."""
    before = await bench.settled()
    provider = bench.new_provider()
    for _ in range(AT_ONCE):
        bench.answers("כן")
        await bench.ask("שלום", provider=provider)
    await expect_no_error(_closable(provider).aclose(), "aclose()")
    await bench.expect_nothing_left(before, questions=AT_ONCE)


async def _ask(bench: ProviderBench, *, times: int) -> None:
    for _ in range(times):
        bench.answers(bench.word("תשובה"))
        await bench.ask(bench.word())


async def _measure_pauses(pauses: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        try:
            await asyncio.sleep(0.01)
        finally:
            pauses.append(loop.time() - before)


def _closable(provider: object) -> SupportsAclose:
    if isinstance(provider, SupportsAclose):
        return provider
    raise NotApplicable("the provider has no aclose()")
