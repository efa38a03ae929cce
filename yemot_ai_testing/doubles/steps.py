"""The steps of a script: what a model, or the process that asks it, can do instead of nothing.

Plain values; ``script`` has the verbs that make them and the queue that keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FAILURES",
    "Answer",
    "BusySession",
    "Crash",
    "Drop",
    "Failure",
    "FailureKind",
    "Hang",
    "Malformed",
    "Step",
    "UnknownSession",
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

FAILURES: Final[tuple[str, ...]] = get_args(FailureKind)


@dataclass(frozen=True, slots=True)
class Answer:
    """The model answers.

    Attributes:
        pieces: the text, in the pieces in which it is written.
        after: seconds of thinking before the first piece.
        items: what a model service puts out before the text (its thoughts, the tools it calls), as the
            service's own objects; the other doubles have no use for it.
    """

    pieces: tuple[str, ...]
    after: float = 0.0
    items: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)


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
    """No answer ever comes; the call ends when the asker leaves."""


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


Step: TypeAlias = "Answer | Failure | Hang | Drop | Crash | Malformed | UnknownSession | BusySession"
