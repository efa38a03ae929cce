"""Rules about answers: the whole text, nothing else, and what it cost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Final

from yemot_ai.errors import AnswerCutError
from yemot_ai.providers import AnswerPart, Reply, Usage
from yemot_ai_testing.conformance.providers.backend import CutsAnswers, WritesCommentary
from yemot_ai_testing.conformance.providers.bench import ProviderBench
from yemot_ai_testing.conformance.rule import NotApplicable, RuleGroup, expect_equal, expect_true

__all__ = ["ANSWER_RULES"]

ANSWER_RULES: Final = RuleGroup[ProviderBench]("answer")

PARAGRAPH: Final = (
    'המאפייה פתוחה משמונה עד שבע. שאלת: "ומה בשישי?" אז כך:\n* בשישי עד 14:00;\n* בשבת סגור! וזהו…\n\n'
)
LONG_ANSWER: Final = f"{PARAGRAPH * 60}אלה כל הפרטים, עם ך, ם, ן, ף וץ בסוף מילים 👩‍👩‍👧"
"""About 7 kB: many sentences, lines, lists, quotes, and characters of several code units."""

VERY_LONG_ANSWER: Final = "מילה " * 40_000 + "סוף"
ODD_ANSWER: Final = (
    "\u200fימין\u200e\u2028שורה\u2029ועוד\x85סוף e\u0301 👩\u200d👧 \ufeffבלי \x0bטאב\x0c\x1c קצה"
)


@ANSWER_RULES.rule("reply", fix="return or yield Reply(text, session=…) of yemot_ai.providers")
async def answer_is_a_reply(bench: ProviderBench) -> None:
    """A question without stream=True is answered by one Reply with a text."""
    bench.answers("בשמונה")
    parts = await bench.in_time(_parts(bench.provider.ask("מתי פותחים?")))
    replies = [part for part in parts if isinstance(part, Reply)]
    expect_true(len(parts) == len(replies) == 1, "one Reply and nothing else", parts)
    (reply,) = replies
    expect_true(isinstance(reply.text, str), "Reply.text to be a text", reply)
    expect_true(isinstance(reply.cut, str), "Reply.cut to be a text", reply)
    expect_true(reply.usage is None or isinstance(reply.usage, Usage), "Reply.usage: a Usage or None", reply)


@ANSWER_RULES.rule("name", fix="set `name` to a short text, such as `name = 'my-model'`")
async def name_is_a_text(bench: ProviderBench) -> None:
    """The name is a text that is not empty, and stays the same."""
    name = bench.provider.name
    expect_true(isinstance(name, str), "a text", repr(name))
    expect_true(name.strip(), "a name", repr(name))
    expect_equal("the name of another instance", bench.new_provider().name, name)


@ANSWER_RULES.rule(
    "whole", fix="join all pieces of the model's message; do not stop at a sentence, a line or a length"
)
async def answer_is_whole(bench: ProviderBench) -> None:
    """The answer is the model's whole text, character by character."""
    for text in ("כן", LONG_ANSWER):
        bench.backend.answers(text)
        expect_equal("the answer", (await bench.ask(bench.word("שאלה"))).text, text)


@ANSWER_RULES.rule("long", fix="read lines and events without a limit of their length")
async def long_answer_is_whole(bench: ProviderBench) -> None:
    """An answer of 200,000 characters is whole, although it may be one line of the protocol."""
    bench.backend.answers(VERY_LONG_ANSWER)
    reply = await bench.ask("ספר הכול")
    expect_equal("the length of the answer", len(reply.text), len(VERY_LONG_ANSWER))
    expect_equal("the answer", reply.text, VERY_LONG_ANSWER)


@ANSWER_RULES.rule(
    "odd", fix="split a stream at the line ends of its protocol only: not with str.splitlines()"
)
async def odd_answer_is_whole(bench: ProviderBench) -> None:
    """Line separators, direction marks and combined characters of an answer are kept."""
    bench.backend.answers(ODD_ANSWER)
    expect_equal("the answer", (await bench.ask("ספר לי")).text, ODD_ANSWER)


@ANSWER_RULES.rule(
    "surrogate", fix="replace lone surrogates in what the model wrote: no store can write them"
)
async def answer_can_be_encoded(bench: ProviderBench) -> None:
    """A lone surrogate of an answer is replaced, in the text and in the session; the rest is kept."""
    try:
        bench.backend.answers("לפני \ud83d אחרי")
    except ValueError as error:
        raise NotApplicable(f"the model cannot write one: {error}") from error
    reply = await bench.ask("ספר לי")
    session = json.dumps(reply.session, ensure_ascii=False, default=str)
    expect_true(is_encodable(reply.text + session), "a text without lone surrogates", ascii(reply))
    ends = reply.text.startswith("לפני ") and reply.text.endswith(" אחרי")
    expect_true(ends, "the words around the surrogate", reply.text)


def is_encodable(text: str) -> bool:
    return text == text.encode("utf-8", "ignore").decode()


@ANSWER_RULES.rule(
    "cut",
    fix="return Reply(…, cut=reason), or raise AnswerCutError, if the model reports that it was stopped",
)
async def cut_answer_says_so(bench: ProviderBench) -> None:
    """An answer that reached a limit of tokens is not taken for a whole one."""
    bench.require(CutsAnswers).cuts("עד כאן. וכאן")
    try:
        reply = await bench.ask("ספר לי")
    except AnswerCutError:
        return
    expect_true(reply.cut, "Reply.cut, or AnswerCutError", reply)


@ANSWER_RULES.rule(
    "alone",
    fix="read only the final message: not reasoning, not commentary before it, not the output of tools",
)
async def answer_is_alone(bench: ProviderBench) -> None:
    """What the model thinks, says of its work or gets from a tool is no part of the answer."""
    bench.answers("כן")
    await bench.ask("יש?")
    for text in bench.require(WritesCommentary).answers_with_commentary():
        expect_equal("the answer", (await bench.ask(bench.word("שאלה"))).text, text)


@ANSWER_RULES.rule("fresh", fix="ask the model each time; do not keep answers by the words of the question")
async def each_question_is_asked(bench: ProviderBench) -> None:
    """The same words, said again, are a new question to the model."""
    first, second = bench.word("תשובה"), bench.word("תשובה")
    bench.backend.answers(first)
    reply = await bench.ask("כן")
    bench.backend.answers(second)
    expect_equal("the second answer", (await bench.ask("כן", session=reply.session)).text, second)
    await bench.received(2)


@ANSWER_RULES.rule("usage", fix="count the tokens of one turn; subtract what earlier turns have used")
async def usage_is_of_one_turn(bench: ProviderBench) -> None:
    """The usage is that of one turn, without those before it, and no count is negative."""
    replies = await _same_answers(bench, turns=3)
    usages = [reply.usage for reply in replies if reply.usage is not None]
    if not usages:
        raise NotApplicable("the provider reports no usage")
    for usage in usages:
        expect_true(isinstance(usage, Usage), "a Usage", repr(usage))
        counts = (
            usage.input_tokens,
            usage.cached_input_tokens,
            usage.output_tokens,
            usage.reasoning_output_tokens,
        )
        expect_true(all(type(count) is int and count >= 0 for count in counts), "whole numbers from 0", usage)
    first, last = usages[0].output_tokens, usages[-1].output_tokens
    expect_true(not first or last < 2 * first, "the same output tokens for the same answer", usages)


async def _parts(answer: AsyncIterator[AnswerPart]) -> list[AnswerPart]:
    return [part async for part in answer]


async def _same_answers(bench: ProviderBench, *, turns: int) -> list[Reply]:
    replies: list[Reply] = []
    for _ in range(turns):
        bench.answers("בשמונה בבוקר")
        replies.append(await bench.ask("מתי?", session=replies[-1].session if replies else None))
    return replies
