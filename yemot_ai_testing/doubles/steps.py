"""The steps of a script: what a model, or the process that asks it, can do instead of nothing.

Plain values; ``script`` has the verbs that make them and the queue that keeps them.
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
"""What a model service can answer instead of an answer; the words of ``ProviderError.kind``."""

FAILURE_KINDS: Final[tuple[str, ...]] = get_args(FailureKind)


@dataclass(frozen=True, slots=True)
class Answer:
    """The model answers.

    Attributes:
        pieces: the text, in the pieces in which it is written.
        after: seconds of thinking before the first piece.
        items: what a model service puts out before the text (its thoughts, the tools it calls), as the
            service's own objects; the other doubles have no use for it.
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
        """Seconds until it is whole."""
        return self.after + self.every * max(len(self.pieces) - 1, 0)


@dataclass(frozen=True, slots=True)
class Transcription:
    """The service transcribes a recording.

    Attributes:
        text: what it has heard.
        after: seconds of listening before.
    """

    text: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """The service refuses.

    Attributes:
        kind: the class of refusal.
        retry_after: seconds that the service asks to wait, where it says so.
        after: seconds before it refuses.
    """

    kind: FailureKind
    retry_after: float | None = None
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer ever comes; the call ends when the asker leaves.

    Attributes:
        saying: a first message that is whole before nothing more comes; empty for none. Only what is
            asked over the Responses API, or imitates who asks it, says it.
    """

    saying: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection breaks in the middle of the answer.

    Attributes:
        pieces: what was written before it broke.
    """

    pieces: tuple[str, ...] = ("…",)


@dataclass(frozen=True, slots=True)
class Crash:
    """The process dies before it has answered.

    Attributes:
        exit: its exit code.
        stderr: what it writes before it dies.
    """

    exit: int = 1
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The process writes something that is not its protocol."""

    text: str = '{"type":"item.completed","item":{"id"\n'


@dataclass(frozen=True, slots=True)
class UnknownSession:
    """The session that is resumed is not known (any more)."""


@dataclass(frozen=True, slots=True)
class BusySession:
    """Somebody else is writing to the session that is resumed."""


Step: TypeAlias = (
    "Answer | Transcription | Failure | Hang | Drop | Crash | Malformed | UnknownSession | BusySession"
)


def as_pieces(text: object) -> tuple[str, ...]:
    """Return the pieces in which ``text`` is written.

    Raises:
        TypeError: it is neither a text nor a sequence of texts.
    """
    if isinstance(text, str):
        return (text,)
    if not isinstance(text, Sequence) or not all(isinstance(piece, str) for piece in text):
        raise TypeError(f'a model writes a text such as "שלום", or a list of its pieces, not {text!r}')
    return tuple(text)


def as_seconds(name: str, value: object) -> float:
    """Return ``value``, which the argument ``name`` has, if that many seconds can pass.

    Raises:
        TypeError: it is no number.
        ValueError: it is negative, or not finite.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number of seconds such as 2.5, not {value!r}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is a number of seconds from 0 on, such as 2.5, not {value!r}")
    return value
