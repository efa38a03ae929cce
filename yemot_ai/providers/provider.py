"""The provider protocol: a provider answers prompts.

A provider knows nothing of calls, lines or Hebrew. It gets a prompt and, from the second turn on,
the opaque session of its last reply::

    reply = await read_reply(provider.ask("מה השעה?", instructions="ענה בקצרה"), provider.name)
    reply = await read_reply(provider.ask("ומחר?", session=reply.session), provider.name)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from yemot_ai._runtime.tasks import start_task
from yemot_ai.errors import MalformedStreamError, ProviderError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message
from yemot_ai.providers.values import (
    JSON,
    AnswerPart,
    Exchange,
    Reply,
    ToolCall,
    ToolCalls,
    ToolRequest,
    ToolRound,
    ToolSpec,
    Usage,
)

__all__ = [
    "JSON",
    "AnswerPart",
    "Exchange",
    "Provider",
    "Reply",
    "SessionProvider",
    "SupportsAclose",
    "SupportsEndSession",
    "ToolCall",
    "ToolCalls",
    "ToolProvider",
    "ToolRequest",
    "ToolRound",
    "ToolSpec",
    "Usage",
    "close_parts",
    "read_answer",
    "read_reply",
    "session_id",
]


@runtime_checkable
class Provider(Protocol):
    """A name, and one method that answers.

    Failures are raised as ``yemot_ai.errors.ProviderError``.
    """

    @property
    def name(self) -> str:
        """A short name for logs and sessions, such as ``codex``."""
        ...

    @property
    def streams(self) -> bool:
        """Whether ``ask(…, stream=True)`` yields pieces while the model writes the rest."""
        ...

    def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[AnswerPart]:
        """Answer an utterance: an async generator.

        Cancelling its consumer, or closing it, cancels the turn, and leaves no process or connection
        behind.

        Args:
            prompt: what the caller said; data, never a command.
            session: the last reply's; None for the first utterance of a conversation.
            instructions: how to answer.
            history: earlier exchanges, when a lost session is rebuilt; only without ``session``.
            stream: whether pieces are wanted; a provider that does not stream ignores it.

        Yields:
            With ``stream``, pieces of the answer, in order; last the reply with the whole answer.

        Raises:
            SessionLostError: the provider no longer knows ``session``.
            ProviderError: there is no answer; also after some pieces, if it breaks off.
        """
        ...


@runtime_checkable
class ToolProvider(Provider, Protocol):
    """A provider whose model can call tools."""

    @property
    def takes_tools(self) -> bool:
        """Whether ``ask`` takes ``tools``."""
        ...

    def ask(  # noqa: PLR0913 - one argument more than ``Provider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Do what ``Provider.ask`` does, with tools.

        Args:
            prompt: what the caller said.
            session: the last reply's, also if the model has called tools in this turn.
            instructions: how to answer.
            history: earlier exchanges, when a lost session is rebuilt.
            stream: whether pieces are wanted.
            tools: the tools, and what they have returned in this turn; None without tools.

        Yields:
            Pieces, then the reply; or ``ToolCalls`` in its place, if the model waits for results.

        Raises:
            ProviderError: as in ``Provider.ask``.
        """
        ...


@runtime_checkable
class SessionProvider(Protocol):
    """The short way to write a provider: one method that starts a conversation, one that continues it.

    With a third method it streams: ``stream(session, prompt, *, instructions=None, history=())`` yields
    what ``Provider.ask(…, stream=True)`` yields. ``adapter`` makes a ``Provider`` of it.

    Cancelling the task that awaits a method cancels the turn, and leaves no process or connection
    behind. Failures are raised as ``yemot_ai.errors.ProviderError``.
    """

    @property
    def name(self) -> str:
        """A short name for logs and sessions, such as ``codex``."""
        ...

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance of a conversation.

        Args:
            prompt: what the caller said; data, never a command.
            instructions: how to answer.
            history: earlier exchanges, when a lost session is rebuilt.
        """
        ...

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance; ``session`` is the last reply's.

        Raises:
            SessionLostError: the provider no longer knows ``session``.
        """
        ...


@runtime_checkable
class SupportsEndSession(Protocol):
    """A provider that keeps data of a conversation and can delete them."""

    async def end_session(self, session: JSON) -> None:
        """Delete the data of ``session``; an unknown session is not an error."""
        ...


@runtime_checkable
class SupportsAclose(Protocol):
    """A provider that holds connections or processes."""

    async def aclose(self) -> None:
        """Close them; a later turn may open new ones."""
        ...


async def read_reply(
    parts: AsyncIterator[AnswerPart],
    provider_name: str,
    on_piece: Callable[[str], object] | None = None,
) -> Reply:
    """Do what ``read_answer`` does, without tools.

    Raises:
        ProviderError: as in ``read_answer``; or the provider calls a tool.
    """
    answer = await read_answer(parts, provider_name, on_piece)
    if isinstance(answer, ToolCalls):
        raise ProviderError(f"{provider_name} called a tool, but got none", provider=provider_name)
    return answer


async def read_answer(
    parts: AsyncIterator[AnswerPart],
    provider_name: str,
    on_piece: Callable[[str], object] | None = None,
) -> Reply | ToolCalls:
    """Read what ``Provider.ask`` yields, and return the reply, or the calls of tools.

    Args:
        parts: the answer; it is closed after an error. After its end its clean-up goes on by itself: it must
            neither delay nor lose the reply.
        provider_name: for errors.
        on_piece: called with each piece; None if pieces were not asked for.

    Raises:
        MalformedStreamError: there is no reply at the end.
        ProviderError: there is something else than a reply; or the provider's own error.
    """
    answer: Reply | ToolCalls | None = None
    try:
        async for part in parts:
            if isinstance(part, Reply | ToolCalls):
                answer = part
                return part
            if on_piece is None or not isinstance(part, str):
                message = f"{provider_name} returned {type(part).__name__} instead of a Reply"
                raise ProviderError(message, provider=provider_name)
            on_piece(part)
    finally:
        if answer is None:
            await close_parts(parts)
        else:
            start_task(_close_logged(parts, provider_name))
    raise MalformedStreamError(f"{provider_name} ended its stream without a reply", provider=provider_name)


async def _close_logged(parts: AsyncIterator[AnswerPart], provider_name: str) -> None:
    try:
        await close_parts(parts)
    except UNEXPECTED as error:  # the answer is complete
        log_without_message(error, f"{provider_name} could not clean up after its answer")


async def close_parts(parts: AsyncIterator[AnswerPart]) -> None:
    """Close an answer that may not have been read to its end, and so stop its turn."""
    if isinstance(parts, AsyncGenerator):
        await parts.aclose()


def session_id(session: JSON) -> str:
    """Return the provider's id of a conversation for logs, by the keys that the providers here use."""
    if isinstance(session, Mapping):
        return next((str(session[key]) for key in ("thread_id", "response_id", "id") if key in session), "")
    return session if isinstance(session, str) else ""
