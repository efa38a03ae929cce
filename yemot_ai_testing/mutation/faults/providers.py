"""Faults of what asks the model, for applications with a ``YemotAI``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from yemot_ai.errors import ProviderError
from yemot_ai.providers import JSON, AnswerPart, Reply
from yemot_ai_testing.mutation.mutation import Ask, ModelQuestion, provider

_newest_session: list[JSON] = []
"""The conversation of the last question in this process."""


@provider("memory")
async def conversation_forgotten(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """At every utterance the model knows nothing of what was said before."""
    async for part in ask(replace(question, session=None, history=())):
        yield part


@provider("memory")
async def one_conversation_for_all(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """All callers are in one conversation with the model."""
    session = _newest_session[-1] if _newest_session else question.session
    async for part in ask(replace(question, session=session)):
        if isinstance(part, Reply):
            _newest_session[:] = [part.session]
        yield part


@provider("memory")
async def instructions_lost(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The model does not get the instructions, such as to answer briefly and in Hebrew."""
    async for part in ask(replace(question, instructions=None)):
        yield part


@provider("input")
async def asked_twice(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The model is asked twice for one utterance, and paid twice."""
    async for part in ask(question):
        if isinstance(part, Reply):
            async for _ in ask(question):
                pass
        yield part


@provider("input")
async def question_shortened(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The model gets only the first word of what a caller said."""
    async for part in ask(replace(question, prompt=question.prompt.partition(" ")[0])):
        yield part


@provider("answers")
async def last_piece_lost(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The end of an answer that the model writes in pieces is not heard."""
    pieces: list[str] = []
    async for part in ask(question):
        if not isinstance(part, str):
            is_reply = isinstance(part, Reply) and pieces[1:]
            yield replace(part, text="".join(pieces[:-1])) if is_reply else part
            return
        pieces.append(part)
        if pieces[1:]:
            yield pieces[-2]


@provider("failures")
async def no_second_try(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """A passing failure of the model is final: the caller hears an apology."""
    try:
        async for part in ask(question):
            yield part
    except ProviderError as error:
        raise ProviderError(str(error), provider=error.provider) from error


@provider("failures")
async def second_answer_never_ends(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The second question to the model is never answered."""
    if question.number == 1:
        await asyncio.Event().wait()
    async for part in ask(question):
        yield part


@provider("failures")
async def failure_spoken(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """A caller hears the text of an error."""
    try:
        async for part in ask(question):
            yield part
    except ProviderError as error:
        yield Reply(f"error: {error}", session=question.session)
