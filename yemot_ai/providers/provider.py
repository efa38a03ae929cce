"""The provider protocol: a provider answers prompts.

A provider knows nothing of calls, lines or Hebrew. It gets a prompt and, from the second turn on,
the opaque session of its last reply::

    reply = await read_reply(provider.ask("מה השעה?", instructions="ענה בקצרה"), provider.name)
    reply = await read_reply(provider.ask("ומחר?", session=reply.session), provider.name)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypeAlias, runtime_checkable

from yemot_ai._runtime.tasks import start_task
from yemot_ai.errors import MalformedStreamError, ProviderError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message

__all__ = [
    "JSON",
    "Exchange",
    "Provider",
    "Reply",
    "SessionProvider",
    "SupportsAclose",
    "SupportsEndSession",
    "Usage",
    "close_parts",
    "read_reply",
    "session_id",
]

JSON: TypeAlias = "None | bool | int | float | str | Sequence[JSON] | Mapping[str, JSON]"
"""A value that survives ``json.dumps`` and ``json.loads``; the type of a session."""

MAX_TOKENS: Final = 2**40
"""More than any turn uses; sums of many such counts still fit into every store."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn (never a running total)."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0

    @classmethod
    def from_counts(
        cls, input_tokens: object, cached: object, output_tokens: object, reasoning: object
    ) -> Self:
        """Create it from the counts of a service; a value that is not a token count becomes 0."""
        return cls(
            _token_count(input_tokens),
            _token_count(cached),
            _token_count(output_tokens),
            _token_count(reasoning),
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_output_tokens + other.reasoning_output_tokens,
        )


def _token_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value <= MAX_TOKENS else 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of a conversation, to rebuild a lost session."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer.

    Attributes:
        text: the text as the model wrote it.
        session: to continue the conversation with; opaque to all other code.
        usage: the tokens of the turn, if the provider reports them.
        cut: why the model stopped before its answer was whole, in the service's word, such as ``length`` or
            ``content_filter``; empty for a whole answer.
    """

    text: str
    session: JSON
    usage: Usage | None = None
    cut: str = ""


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
    ) -> AsyncIterator[str | Reply]:
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
    parts: AsyncIterator[str | Reply],
    provider_name: str,
    on_piece: Callable[[str], object] | None = None,
) -> Reply:
    """Read what ``Provider.ask`` yields, and return the reply.

    Args:
        parts: the answer; it is closed after an error. After a reply its clean-up goes on by itself: it must
            neither delay nor lose the reply.
        provider_name: for errors.
        on_piece: called with each piece; None if pieces were not asked for.

    Raises:
        MalformedStreamError: there is no reply at the end.
        ProviderError: there is something else than a reply; or the provider's own error.
    """
    reply: Reply | None = None
    try:
        async for part in parts:
            if isinstance(part, Reply):
                reply = part
                return part
            if on_piece is None or not isinstance(part, str):
                message = f"{provider_name} returned {type(part).__name__} instead of a Reply"
                raise ProviderError(message, provider=provider_name)
            on_piece(part)
    finally:
        if reply is None:
            await close_parts(parts)
        else:
            start_task(_close_logged(parts, provider_name))
    raise MalformedStreamError(f"{provider_name} ended its stream without a reply", provider=provider_name)


async def _close_logged(parts: AsyncIterator[str | Reply], provider_name: str) -> None:
    try:
        await close_parts(parts)
    except UNEXPECTED as error:  # the answer is complete
        log_without_message(error, f"{provider_name} could not clean up after its answer")


async def close_parts(parts: AsyncIterator[str | Reply]) -> None:
    """Close an answer that may not have been read to its end, and so stop its turn."""
    if isinstance(parts, AsyncGenerator):
        await parts.aclose()


def session_id(session: JSON) -> str:
    """Return the provider's id of a conversation for logs, by the keys that the providers here use."""
    if isinstance(session, Mapping):
        return next((str(session[key]) for key in ("thread_id", "response_id", "id") if key in session), "")
    return session if isinstance(session, str) else ""
