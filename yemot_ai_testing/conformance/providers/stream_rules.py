"""Rules about streaming: pieces are the answer, in order, while the model writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from yemot_ai.providers import AnswerPart
from yemot_ai_testing.conformance.providers.answer_rules import LONG_ANSWER
from yemot_ai_testing.conformance.providers.backend import BreaksOff, StopsInTheMiddle
from yemot_ai_testing.conformance.providers.bench import REFUSALS, TIMEOUT, ProviderBench, through_json
from yemot_ai_testing.conformance.providers.work_rules import answers_at_once
from yemot_ai_testing.conformance.rule import Breach, NotRun, RuleGroup, expect_equal, expect_true

__all__ = ["STREAM_RULES"]

STREAM_RULES: Final = RuleGroup[ProviderBench]("stream")

QUESTIONS: Final = 4
"""How many questions show that each leaves something behind."""

FIRST_SENTENCE: Final = "המשפט הראשון שלם. "


@STREAM_RULES.rule("joined", fix="yield each piece once, in order, and the Reply with all of them last")
async def pieces_are_the_answer(bench: ProviderBench) -> None:
    """The pieces add up to the text of the Reply: in order, nothing twice, nothing lost."""
    bench.require_streaming()
    bench.answers(LONG_ANSWER)
    pieces, reply = await bench.ask_in_pieces("ספר לי")
    expect_equal("the pieces", "".join(pieces).strip(), reply.text.strip())
    if bench.is_scripted:
        expect_equal("the answer", reply.text, LONG_ANSWER)


@STREAM_RULES.rule("continued", fix="return the same session from a streamed answer as from a whole one")
async def streamed_conversation_continues(bench: ProviderBench) -> None:
    """A conversation continues after a streamed answer, streamed or not."""
    bench.require_streaming()
    asked = bench.word()
    bench.answers(bench.word("תשובה"))
    session = through_json((await bench.ask_in_pieces(asked))[1].session)
    bench.answers(bench.word("תשובה"))
    session = through_json((await bench.ask_in_pieces(bench.word(), session=session))[1].session)
    if not bench.is_scripted:
        await bench.ask(bench.word(), session=session)
        return
    got = await bench.received_with(bench.word(), session=session)
    expect_true(got.knows(asked) or session is None, f"{asked!r} before the prompt", got)


@STREAM_RULES.rule("own-answers", fix="keep what belongs to a turn in local variables, not on self")
async def each_call_gets_its_own_pieces(bench: ProviderBench) -> None:
    """Of answers that are streamed at the same moment, each has its own pieces."""
    bench.require_streaming()
    streamed, answers = await answers_at_once(bench, bench.ask_in_pieces)
    expect_equal("the pieces", ["".join(pieces).strip() for pieces, _ in streamed], answers)
    expect_equal("the answers", [reply.text for _, reply in streamed], answers)


@STREAM_RULES.rule("early", fix="yield pieces as they come, or set `streams = False`")
async def first_piece_comes_early(bench: ProviderBench) -> None:
    """With stream=True a piece comes while the model writes the rest."""
    parts = _begun_answer(bench)
    try:
        await _expect_piece(parts)
    finally:
        await _close(parts)


@STREAM_RULES.rule("closed", fix="close the response or end the process in a `finally:` around the `yield`")
async def closed_answer_stops(bench: ProviderBench) -> None:
    """Closing a streamed answer ends the model's work, and the next question is answered."""
    await _close_early(bench)
    await bench.expect_idle()
    bench.answers("כן")
    expect_equal("the next answer", (await bench.ask("ועכשיו?")).text, "כן")


@STREAM_RULES.rule("leftovers", fix="end every task, thread and process of the turn before `aclose` returns")
async def closed_answers_leave_nothing(bench: ProviderBench) -> None:
    """Streamed answers that are closed early leave no task, thread, process or connection behind."""
    await _close_early(bench)
    before = await bench.settled()
    for _ in range(QUESTIONS):
        await _close_early(bench)
    await bench.expect_nothing_left(before, questions=QUESTIONS)


@STREAM_RULES.rule("broken-off", fix="raise if the stream ends before its last event, also after some pieces")
async def broken_stream_raises(bench: ProviderBench) -> None:
    """A streamed answer that breaks off raises a ProviderError, also after some pieces."""
    bench.require_streaming()
    for _ in range(REFUSALS):
        bench.require(BreaksOff).breaks(f"{FIRST_SENTENCE}והשני")
    await bench.error_of("מי שם?", stream=True)


def _begun_answer(bench: ProviderBench) -> AsyncIterator[AnswerPart]:
    """Return an answer that the model begins and does not finish."""
    bench.require_streaming()
    bench.require(StopsInTheMiddle).begins(FIRST_SENTENCE)
    return bench.provider.ask("ספר לי", stream=True)


async def _close_early(bench: ProviderBench) -> None:
    """Close an answer after its first piece."""
    parts = _begun_answer(bench)
    try:
        await _expect_piece(parts)
    except Breach as breach:
        raise NotRun("no piece comes early: see stream-early") from breach
    finally:
        await _close(parts)


async def _next(parts: AsyncIterator[AnswerPart]) -> AnswerPart:
    """Return the next part; as a coroutine, it can be a task, whatever the provider returned."""
    return await anext(parts)


async def _expect_piece(parts: AsyncIterator[AnswerPart]) -> None:
    reading = asyncio.ensure_future(_next(parts))
    done, _ = await asyncio.wait({reading}, timeout=TIMEOUT / 2)
    if not done:
        reading.cancel()
        await asyncio.wait({reading}, timeout=TIMEOUT / 2)
        raise Breach("a piece while the model writes the rest", "none")
    try:
        piece = reading.result()
    except Exception as error:  # every error is a breach here
        raise Breach("a piece while the model writes the rest", repr(error)) from error
    expect_true(isinstance(piece, str), "a piece while the model writes the rest", repr(piece))


async def _close(parts: AsyncIterator[AnswerPart]) -> None:
    if not isinstance(parts, AsyncGenerator):
        raise Breach(
            "ask(stream=True) to return an async generator, which can be closed", type(parts).__name__
        )
    try:
        async with asyncio.timeout(TIMEOUT / 2):
            await parts.aclose()
    except TimeoutError as error:
        raise Breach(f"aclose() to return within {TIMEOUT / 2:g} s", "it does not") from error
    except RuntimeError as error:
        raise Breach("no piece after aclose()", str(error)) from error
