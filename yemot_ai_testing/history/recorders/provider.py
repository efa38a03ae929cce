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
from yemot_ai_testing.history.correlation import latest_utterance_id, utterance_ids
from yemot_ai_testing.history.events import ModelAnswered, ModelAsked, ModelWrote
from yemot_ai_testing.history.history import History

__all__ = ["RecordedModelCall", "RecordedProvider", "record_model_call"]


class RecordedModelCall:
    """A question that is being asked.

    Attributes:
        model_call_id: names it.
        session: the conversation that it is part of; say it before the question is over.
    """

    def __init__(self, model_call_id: str, session: str, history: History) -> None:
        self.model_call_id = model_call_id
        self.session = session
        self._history = history

    def record_piece(self, text: str) -> None:
        """Write down that the model hands over a piece of its answer."""
        self._history.add(ModelWrote(self._history.now(), self.model_call_id, text))


@contextmanager
def record_model_call(
    history: History, prompt: str, session: JSON, prior: Sequence[Exchange] = (), *, worker: str = ""
) -> Iterator[RecordedModelCall]:
    """Write down that the model is asked, and what comes of it when the context is left."""
    ask = str(history.next_number())
    known = str(session) if session else ""
    # An application may also tell what was said before in the question itself.
    told = (
        tuple(mark for exchange in prior for mark in utterance_ids(exchange.prompt))
        + utterance_ids(prompt)[:-1]
    )
    history.add(ModelAsked(history.now(), ask, prompt, latest_utterance_id(prompt), known, told, worker))
    question = RecordedModelCall(ask, known, history)
    try:
        yield question
    except BaseException as error:
        history.add(ModelAnswered(history.now(), ask, "", _error_kind(error)))
        raise
    history.add(ModelAnswered(history.now(), ask, question.session))


def _error_kind(error: BaseException) -> str:
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
            self.stream = self._recorded_stream  # only then: whoever asks has to see whether this one streams

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the provider can do
        return getattr(self._provider, name)

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Ask, and write it down."""
        with record_model_call(self._history, prompt, None, history, worker=self._worker) as question:
            reply = await self._provider.start_session(prompt, instructions=instructions, history=history)
            question.session = str(reply.session)
            return reply

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Ask, and write it down."""
        with record_model_call(self._history, prompt, session, worker=self._worker) as question:
            reply = await self._provider.continue_session(session, prompt, instructions=instructions)
            question.session = str(reply.session)
            return reply

    async def _recorded_stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Ask, and write down each piece before it is handed on."""
        reply = None
        with record_model_call(self._history, prompt, session, history, worker=self._worker) as question:
            parts = self._stream(session, prompt, instructions=instructions, history=history)
            async for part in parts:
                if isinstance(part, Reply):
                    reply, question.session = part, str(part.session)
                    break
                question.record_piece(part)
                yield part
        if reply is not None:  # written down first: nobody has to ask for what follows the reply
            yield reply
