"""Record the model calls of a provider and their results.

>>> import asyncio
>>> from yemot_ai.providers import read_reply
>>> from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 0.0)
>>> provider = RecordedProvider(ScriptedProvider().answers("שלום"), history)
>>> asyncio.run(read_reply(provider.ask("אמירה 7001"), provider.name)).text
'שלום'
>>> [(event.__class__.__name__, event.model_call_id) for event in history.events]
[('ModelAsked', '1'), ('ModelAnswered', '1')]
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from yemot_ai.errors import ProviderError
from yemot_ai.providers import (
    JSON,
    AnswerPart,
    AnyProvider,
    Exchange,
    Reply,
    ToolCall,
    ToolCalls,
    ToolRequest,
)
from yemot_ai.providers.adapter import as_provider, forward_optional
from yemot_ai.providers.provider import close_parts
from yemot_ai_testing.history.correlation import latest_utterance_id, utterance_ids
from yemot_ai_testing.history.events import ModelAnswered, ModelAsked, ModelWrote
from yemot_ai_testing.history.history import History

__all__ = ["RecordedModelCall", "RecordedProvider", "record_model_call"]


class RecordedModelCall:
    """A running model call.

    Attributes:
        model_call_id: its ID.
        session: the conversation that it is part of; set it before the call ends.
        text: the whole answer; set it before the call ends.
        tool_calls: the tools that the model calls in the place of an answer; set them before the call ends.
    """

    def __init__(self, model_call_id: str, session: str, history: History) -> None:
        self.model_call_id = model_call_id
        self.session = session
        self.text = ""
        self.tool_calls: tuple[ToolCall, ...] = ()
        self._history = history

    def record_piece(self, text: str) -> None:
        """Record that the model writes a piece of its answer."""
        self._history.add(ModelWrote(self._history.now(), self.model_call_id, text))


@contextmanager
def record_model_call(  # noqa: PLR0913 - what the model is asked
    history: History,
    prompt: str,
    session: JSON,
    prior: Sequence[Exchange] = (),
    *,
    tools: ToolRequest | None = None,
    worker: str = "",
) -> Iterator[RecordedModelCall]:
    """Record that the model is asked, and its result at the end of the context."""
    model_call_id = str(history.next_number())
    session_name = str(session) if session else ""
    # The prompt itself may also contain earlier utterances.
    prior_ids = (
        tuple(utterance_id for exchange in prior for utterance_id in utterance_ids(exchange.prompt))
        + utterance_ids(prompt)[:-1]
    )
    utterance_id = latest_utterance_id(prompt)
    history.add(
        ModelAsked(
            history.now(),
            model_call_id,
            prompt,
            utterance_id,
            session_name,
            prior_ids,
            worker,
            tuple(_results(tools)),
        )
    )
    model_call = RecordedModelCall(model_call_id, session_name, history)
    try:
        yield model_call
    except BaseException as error:
        history.add(ModelAnswered(history.now(), model_call_id, "", _error_kind(error)))
        raise
    called = tuple((call.id, call.name, call.arguments) for call in model_call.tool_calls)
    history.add(
        ModelAnswered(
            history.now(), model_call_id, model_call.session, text=model_call.text, tool_calls=called
        )
    )


def _results(tools: ToolRequest | None) -> Iterator[tuple[str, str]]:
    """Iterate over the results that the model gets for its calls of tools: (ID of the call, result)."""
    for each in tools.rounds if tools else ():
        yield from ((call.id, result) for call, result in zip(each.calls, each.results, strict=True))


def _error_kind(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    return error.kind if isinstance(error, ProviderError) else type(error).__name__


class RecordedProvider:
    """Wraps a provider, and records its model calls and the pieces of streamed answers.

    Args:
        provider: the provider.
        history: where the events are added.
        worker: the name of the worker, if there are several.
    """

    def __init__(self, provider: AnyProvider, history: History, *, worker: str = "") -> None:
        self._provider = as_provider(provider)
        self._history = history
        self._worker = worker
        self.streams = self._provider.streams
        forward_optional(provider, self)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any other attribute of the provider
        return getattr(self._provider, name)

    async def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Ask the provider, and record the model call, and each piece before it is yielded."""
        end: Reply | ToolCalls | None = None
        with_tools = {"tools": tools} if tools is not None else {}
        with record_model_call(
            self._history, prompt, session, history, tools=tools, worker=self._worker
        ) as model_call:
            parts = self._provider.ask(
                prompt,
                session=session,
                instructions=instructions,
                history=history,
                stream=stream,
                **with_tools,  # only a provider that takes tools gets them
            )
            try:
                async for part in parts:
                    if isinstance(part, Reply | ToolCalls):
                        end, model_call.text = part, part.text
                        if isinstance(part, ToolCalls):
                            model_call.tool_calls = part.calls
                        else:
                            model_call.session = str(part.session)
                        break
                    model_call.record_piece(part)
                    yield part
            finally:
                await close_parts(parts)
        if end is not None:  # recorded first: callers may stop at the reply
            yield end
