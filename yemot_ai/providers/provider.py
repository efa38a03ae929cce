"""The provider protocol: a provider answers prompts.

A provider knows nothing of calls, lines or Hebrew. It gets a prompt and, from the second turn on,
the opaque session of its last reply::

    reply = await provider.start_session("מה השעה?", instructions="ענה בקצרה")
    reply = await provider.continue_session(reply.session, "ומחר?", instructions="ענה בקצרה")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypeAlias, runtime_checkable

__all__ = [
    "JSON",
    "Exchange",
    "Provider",
    "Reply",
    "StreamingProvider",
    "SupportsAclose",
    "SupportsEndSession",
    "Usage",
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
        session: for the next ``continue_session``; opaque to all other code.
        usage: the tokens of the turn, if the provider reports them.
    """

    text: str
    session: JSON
    usage: Usage | None = None


@runtime_checkable
class Provider(Protocol):
    """The name and the two methods of a provider.

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
class StreamingProvider(Protocol):
    """A provider that yields its answer while the model writes it."""

    def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer as ``start_session`` (``session`` is None) or ``continue_session`` does, piece by piece.

        Args:
            session: the last reply's; None for the first utterance.
            prompt: what the caller said.
            instructions: how to answer.
            history: earlier exchanges, when a lost session is rebuilt.

        Yields:
            Pieces of the answer, in order, and last the reply with the whole answer.

        Raises:
            ProviderError: as the two methods do; also after some pieces, if the answer breaks off.
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
