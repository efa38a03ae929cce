"""A turn: one utterance and its answer, as the ledger keeps it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from yemot_ai.errors import ProviderError
from yemot_ai.providers.provider import JSON, Usage

__all__ = ["TRANSCRIPT_SUFFIX", "Turn", "TurnFailure", "TurnStatus", "current_kind"]

TRANSCRIPT_SUFFIX = ".heard"
"""Ends the id of a turn in which a recording was transcribed: another turn answers it."""


_FORMER_PATHS: Final = {
    "yemot_ai.recordings.EmptyRecordingError": "recording_empty",
    "yemot_ai.recordings.RecordingNotReadyError": "recording_not_ready",
}
"""Kinds by the Python paths that older records hold, of classes that have moved since."""


class TurnStatus(enum.Enum):
    """Where a turn stands."""

    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TurnFailure:
    """A provider's error as plain data, so that a replay raises the same one in any process.

    Attributes:
        kind: ``ProviderError.kind`` of its class; of a class that names none of its own, its Python path.
        message: its message.
        fields: its own attributes.
    """

    kind: str
    message: str
    fields: Mapping[str, JSON] = field(default_factory=dict)

    @classmethod
    def from_error(cls, error: ProviderError) -> Self:
        """Keep ``to_error``."""
        return cls(_stored_name(type(error)), str(error), dict(vars(error)))

    def to_error(self) -> ProviderError:
        """Build the error again; one of an unknown kind becomes a plain ``ProviderError``."""
        kind = current_kind(self.kind)
        error_type = next((known for known in _error_types() if _stored_name(known) == kind), ProviderError)
        # The constructors take different arguments; the message is already there.
        error = error_type.__new__(error_type, self.message)
        error.__dict__.update(self.fields)
        return error


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance and its answer.

    Attributes:
        id: names the turn within its call; asked again under the same id, it is answered from
            the ledger.
        text: the utterance.
        conversation: whose memory it belongs to ("" when no model was asked).
        status: where it stands.
        owner: names the work that is being done on it, after the worker that does it (``worker.work``); one
            that finds another name here has lost the turn and writes nothing.
        answer: what was answered, as the model wrote it; of an answer that broke off, as far as it went.
        outcome: the line's answer, where the turn ended in one of its own (a transfer, a
            hang-up); "" otherwise.
        spoken: what the developer's function had queued before the answer, rendered.
        failure: what went wrong.
        usage: what the turn cost.
        session_id: the provider's own id of the conversation, for logs.
        duration: seconds from the question to the answer.
        forgotten: the caller has started anew since.
        pieces: the whole sentences of the answer, from the moment that they are written until all of
            it was spoken.
        interrupted: the caller pressed a key while the answer was spoken; ``answer`` is as far as that.
        lost: how many workers were lost while they worked on it.
    """

    id: str
    text: str
    conversation: str = ""
    status: TurnStatus = TurnStatus.RUNNING
    owner: str = ""
    answer: str = ""
    outcome: str = ""
    spoken: str = ""
    failure: TurnFailure | None = None
    usage: Usage | None = None
    session_id: str = ""
    duration: float = 0.0
    forgotten: bool = False
    pieces: tuple[str, ...] = ()
    interrupted: bool = False
    lost: int = 0

    @property
    def is_transcription(self) -> bool:
        """Whether it only found out what the caller has recorded; ``answer`` is what was said."""
        return not self.conversation and self.id.endswith(TRANSCRIPT_SUFFIX)

    @property
    def has_answer(self) -> bool:
        """Whether it belongs to what was said: it was answered, or its answer broke off after a sentence."""
        return self.status is TurnStatus.ANSWERED or bool(self.answer)

    @property
    def is_done(self) -> bool:
        """Whether it is answered or has failed for good."""
        return self.status is not TurnStatus.RUNNING


def current_kind(stored: str) -> str:
    """Return the kind of error that a record names; records used to hold Python paths instead."""
    kind = _FORMER_PATHS.get(stored, stored)
    return next((_stored_name(known) for known in _error_types() if _path(known) == kind), kind)


def _stored_name(kind: type[ProviderError]) -> str:
    return kind.kind if "kind" in vars(kind) else _path(kind)


def _path(kind: type[ProviderError]) -> str:
    """Return the Python path of the class: what records held before they held ``kind``."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _error_types() -> Iterator[type[ProviderError]]:
    """Yield all classes of provider errors, the ones that developers wrote included."""
    queue: list[type[ProviderError]] = [ProviderError]
    while queue:
        kind = queue.pop()
        yield kind
        queue.extend(kind.__subclasses__())
