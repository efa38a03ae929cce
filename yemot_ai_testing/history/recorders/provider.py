"""Behind an application: every question to the model, and what came of it, is written down.

>>> import asyncio
>>> from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 0.0)
>>> provider = RecordedProvider(ScriptedProvider().answers("שלום"), history)
>>> asyncio.run(provider.start_session("אמירה 7001")).text
'שלום'
>>> [(event.__class__.__name__, event.ask) for event in history.events]
[('Asked', '1'), ('Told', '1')]
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from yemot_ai.errors import ProviderError
from yemot_ai.providers import JSON, Exchange, Provider, Reply, StreamingProvider
from yemot_ai_testing.history.correlation import mark_of, marks_in
from yemot_ai_testing.history.events import Asked, Told, Wrote
from yemot_ai_testing.history.history import History

__all__ = ["Question", "RecordedProvider", "asking"]


class Question:
    """A question that is being asked.

    Attributes:
        ask: names it.
        session: the conversation that it is part of; say it before the question is over.
    """

    def __init__(self, ask: str, session: str, history: History) -> None:
        self.ask = ask
        self.session = session
        self._history = history

    def wrote(self, text: str) -> None:
        """Write down that the model hands over a piece of its answer."""
        self._history.add(Wrote(self._history.now(), self.ask, text))


@contextmanager
def asking(
    history: History, prompt: str, session: JSON, earlier: Sequence[Exchange] = (), *, worker: str = ""
) -> Iterator[Question]:
    """Write down that the model is asked, and what comes of it when the context is left."""
    ask = str(history.number())
    known = str(session) if session else ""
    # An application may also tell what was said before in the question itself.
    told = tuple(mark for exchange in earlier for mark in marks_in(exchange.prompt)) + marks_in(prompt)[:-1]
    history.add(Asked(history.now(), ask, prompt, mark_of(prompt), known, told, worker))
    question = Question(ask, known, history)
    try:
        yield question
    except BaseException as error:
        history.add(Told(history.now(), ask, "", _word(error)))
        raise
    history.add(Told(history.now(), ask, question.session))


def _word(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    return error.kind if isinstance(error, ProviderError) else type(error).__name__


class RecordedProvider:
    """A provider whose questions are written down, and the pieces of its answers if it hands them over.

    Args:
        provider: who answers.
        history: where it is written.
        worker: which worker asks, where there are several.
    """

    def __init__(self, provider: Provider, history: History, *, worker: str = "") -> None:
        self._provider = provider
        self._history = history
        self._worker = worker
        if isinstance(provider, StreamingProvider):
            self._stream = provider.stream
            self.stream = self._told  # only then: whoever asks has to see whether this one streams

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the provider can do
        return getattr(self._provider, name)

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Ask, and write it down."""
        with asking(self._history, prompt, None, history, worker=self._worker) as question:
            reply = await self._provider.start_session(prompt, instructions=instructions, history=history)
            question.session = str(reply.session)
            return reply

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Ask, and write it down."""
        with asking(self._history, prompt, session, worker=self._worker) as question:
            reply = await self._provider.continue_session(session, prompt, instructions=instructions)
            question.session = str(reply.session)
            return reply

    async def _told(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Ask, and write down each piece before it is handed on."""
        reply = None
        with asking(self._history, prompt, session, history, worker=self._worker) as question:
            parts = self._stream(session, prompt, instructions=instructions, history=history)
            async for part in parts:
                if isinstance(part, Reply):
                    reply, question.session = part, str(part.session)
                    break
                question.wrote(part)
                yield part
        if reply is not None:  # written down first: nobody has to ask for what follows the reply
            yield reply
