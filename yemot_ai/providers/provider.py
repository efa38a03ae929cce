"""What a provider is: whoever answers an utterance.

A provider knows nothing of calls, lines or Hebrew. It is given a prompt and, from the second
turn on, the opaque session value that its own last reply carried::

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
"""A value that survives ``json.dumps`` and ``json.loads``; what a session may be."""

MAX_TOKENS: Final = 2**40
"""More than any turn costs; the sums of many such still are numbers that every store can keep."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one turn cost (a turn's own, never a running total)."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0

    @classmethod
    def from_counts(
        cls, input_tokens: object, cached: object, output_tokens: object, reasoning: object
    ) -> Self:
        """Take what a service says that it counted; what is no number of tokens counts as none."""
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


def _token_count(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0
    return int(found) if 0 <= found <= MAX_TOKENS else 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of a conversation, as a provider needs it to rebuild a lost session."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer.

    Attributes:
        text: what was said, as the model wrote it.
        session: what to hand to ``continue_session`` next time; opaque to everyone else.
        usage: what the turn cost, where the provider says so.
    """

    text: str
    session: JSON
    usage: Usage | None = None


@runtime_checkable
class Provider(Protocol):
    """The two methods that make an object a provider.

    Cancelling the task that awaits a method cancels the turn: a provider then leaves no process
    and no connection behind. Failures are raised as ``yemot_ai.errors.ProviderError``.
    """

    @property
    def name(self) -> str:
        """A short word for logs and sessions, such as ``codex``."""
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
    """A provider that hands its answer over while the model still writes it."""

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
            Pieces of text that the caller may hear, in order, and at last the reply, whose text is
            the whole answer.

        Raises:
            ProviderError: as the two methods do; also after some pieces, when the answer breaks off.
        """
        ...


@runtime_checkable
class SupportsEndSession(Protocol):
    """A provider that keeps something of a conversation and can be told to forget it."""

    async def end_session(self, session: JSON) -> None:
        """Delete what the provider keeps of ``session``; unknown sessions are no error."""
        ...


@runtime_checkable
class SupportsAclose(Protocol):
    """A provider that holds connections or processes."""

    async def aclose(self) -> None:
        """Let go of them; a later turn may open new ones."""
        ...
