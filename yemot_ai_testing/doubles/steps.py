"""The steps of a script: what a model, or the process that calls it, does with one model call.

Plain values; ``script`` has the methods that create them and the queue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FAILURE_KINDS",
    "Answer",
    "BusySession",
    "Crash",
    "Drop",
    "Failure",
    "FailureKind",
    "Hang",
    "Malformed",
    "Step",
    "Transcription",
    "UnknownSession",
    "as_pieces",
    "as_seconds",
]

FailureKind = Literal[
    "rate_limited",
    "unauthorized",
    "overloaded",
    "context_overflow",
    "quota_exceeded",
    "unknown_model",
]
"""The failures of a model service, by the names of ``ProviderError.kind``."""

FAILURE_KINDS: Final[tuple[str, ...]] = get_args(FailureKind)


@dataclass(frozen=True, slots=True)
class Answer:
    """The model answers.

    Attributes:
        pieces: the text, in the pieces of the stream.
        after: seconds before the first piece.
        items: output items of the Responses API before the text (reasoning, tool calls); only the model
            service uses them.
        every: seconds between one piece and the next.
    """

    pieces: tuple[str, ...]
    after: float = 0.0
    items: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    every: float = field(default=0.0, repr=False)

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)

    @property
    def duration(self) -> float:
        """Seconds until the answer is complete."""
        return self.after + self.every * max(len(self.pieces) - 1, 0)


@dataclass(frozen=True, slots=True)
class Transcription:
    """The service transcribes a recording.

    Attributes:
        text: the transcript.
        after: seconds before the response.
    """

    text: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """The service responds with an error.

    Attributes:
        kind: the kind of the error.
        retry_after: seconds of the service's ``retry-after``, if it sends one.
        after: seconds before the response.
    """

    kind: FailureKind
    retry_after: float | None = None
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Hang:
    """The call is never answered; it ends when the client disconnects.

    Attributes:
        saying: a complete first message, after which nothing more is sent; empty for none. Only the
            Responses API and the fake Codex send it.
    """

    saying: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed in the middle of the answer.

    Attributes:
        pieces: the text that is sent before.
    """

    pieces: tuple[str, ...] = ("…",)


@dataclass(frozen=True, slots=True)
class Crash:
    """The process exits before it has answered.

    Attributes:
        exit: its exit code.
        stderr: its output on standard error.
    """

    exit: int = 1
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The process writes ``text``, which is not a message of its protocol."""

    text: str = '{"type":"item.completed","item":{"id"\n'


@dataclass(frozen=True, slots=True)
class UnknownSession:
    """The resumed session does not exist."""


@dataclass(frozen=True, slots=True)
class BusySession:
    """Another process writes to the resumed session."""


Step: TypeAlias = (
    "Answer | Transcription | Failure | Hang | Drop | Crash | Malformed | UnknownSession | BusySession"
)


def as_pieces(text: object) -> tuple[str, ...]:
    """Return the pieces of ``text``.

    Raises:
        TypeError: it is neither a text nor a sequence of texts.
    """
    if isinstance(text, str):
        return (text,)
    if not isinstance(text, Sequence) or not all(isinstance(piece, str) for piece in text):
        raise TypeError(f'a model writes a text such as "שלום", or a list of its pieces, not {text!r}')
    return tuple(text)


def as_seconds(name: str, value: object) -> float:
    """Return ``value`` of the argument ``name`` if it is a valid number of seconds.

    Raises:
        TypeError: it is not a number.
        ValueError: it is negative or not finite.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number of seconds such as 2.5, not {value!r}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is a number of seconds from 0 on, such as 2.5, not {value!r}")
    return value
