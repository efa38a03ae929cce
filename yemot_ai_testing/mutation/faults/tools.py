"""Faults of what runs tools, for applications with a ``YemotAI``; without tools nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from yemot_ai.providers import AnswerPart, ToolCalls, ToolRound
from yemot_ai_testing.mutation.mutation import Ask, ModelQuestion, provider


@provider("tools")
async def tool_called_twice(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """A tool runs twice for one call of the model: an order is placed again."""
    async for part in ask(question):
        yield replace(part, calls=part.calls + part.calls) if isinstance(part, ToolCalls) else part


@provider("tools")
async def tool_not_run(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """A tool does not run, and the model gets "done"."""
    async for part in ask(question):
        if not isinstance(part, ToolCalls) or question.tools is None:
            yield part
            continue
        done = ToolRound(part.calls, ("done",) * len(part.calls), part.text, part.state)
        tools = replace(question.tools, rounds=(*question.tools.rounds, done), may_call=False)
        async for answer in ask(replace(question, tools=tools)):
            yield answer


@provider("tools")
async def results_unknown(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """A tool runs, and the model gets the message that its result is unknown."""
    async for part in ask(_with_results(question, lambda results: ("the result is unknown",) * len(results))):
        yield part


@provider("tools")
async def results_exchanged(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The model gets the results of two tools for each other."""
    async for part in ask(_with_results(question, lambda results: results[::-1])):
        yield part


@provider("tools")
async def tools_not_offered(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
    """The model does not learn of the tools, and answers without them."""
    async for part in ask(replace(question, tools=None)):
        yield part


def _with_results(
    question: ModelQuestion, change: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> ModelQuestion:
    """Return a question with the results of the newest message that called tools changed."""
    if question.tools is None or not question.tools.rounds:
        return question
    *earlier, newest = question.tools.rounds
    changed = replace(newest, results=change(newest.results))
    return replace(question, tools=replace(question.tools, rounds=(*earlier, changed)))
