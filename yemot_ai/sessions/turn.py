"""A turn: one utterance and its answer, as the ledger stores it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from yemot_ai.errors import ProviderError
from yemot_ai.providers.provider import JSON, Usage

__all__ = ["TRANSCRIPT_SUFFIX", "TURN_PREFIX", "ToolUse", "Turn", "TurnFailure", "TurnStatus", "current_kind"]

TRANSCRIPT_SUFFIX = ".heard"
"""The suffix of the id of a turn that transcribes a recording; another turn answers it."""

TURN_PREFIX = "ai_"
"""The prefix of the id of an agent's turn, before its number."""

_FORMER_PATHS: Final = {
    "yemot_ai.recordings.EmptyRecordingError": "recording_empty",
    "yemot_ai.recordings.RecordingNotReadyError": "recording_not_ready",
}
"""Kinds of classes that have moved, by the Python paths in older records."""


class TurnStatus(enum.Enum):
    """The status of a turn."""

    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TurnFailure:
    """A provider error as plain data, so that any process can raise it again.

    Attributes:
        kind: ``ProviderError.kind`` of its class; for a class that does not define ``kind``, its Python path.
        message: its message.
        fields: its attributes.
    """

    kind: str
    message: str
    fields: Mapping[str, JSON] = field(default_factory=dict)

    @classmethod
    def from_error(cls, error: ProviderError) -> Self:
        """Return the failure for ``error``."""
        return cls(_stored_name(type(error)), str(error), dict(vars(error)))

    def to_error(self) -> ProviderError:
        """Return the error; one of an unknown kind becomes a ``ProviderError``."""
        kind = current_kind(self.kind)
        error_type = next((known for known in _error_types() if _stored_name(known) == kind), ProviderError)
        # The constructors take different arguments; the message is already there.
        error = error_type.__new__(error_type, self.message)
        error.args = (self.message,)  # the constructor of an OSError, such as a timeout, has not kept it
        error.__dict__.update(self.fields)
        return error


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What a model has called, in the turn of one run of a tool; ``Turn.answer`` is the result.

    Attributes:
        name: the tool; a model may name one that does not exist.
        arguments: the arguments, as JSON.
        call_id: the model service's id of the call.
        round: which message of the model, in its turn, has called it, from 1.
        preface: what the model said in that message; in the first call of a round only.
        confirmed: the caller has agreed to it.
        retry: whether it may run again if its worker died in the middle.
        says: what the caller hears, once, while it runs.
        said_at: the number of the poll that has spoken that; 0: none has.
    """

    name: str
    arguments: str
    call_id: str
    round: int
    preface: str = ""
    confirmed: bool = False
    retry: bool = False
    says: str = ""
    said_at: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance and its answer; or, as a step of one, a run of a tool.

    Attributes:
        id: names the turn within its call; a second question with the same id gets the stored answer.
        text: the utterance.
        conversation: the conversation that it belongs to ("" if no model was asked).
        status: running, answered or failed.
        owner: the worker and its work on the turn (``worker.work``); a worker that finds another owner has
            lost the turn and writes nothing.
        answer: the answer, as the model wrote it; of a cut-off answer, the part before the cut.
        outcome: the response to the line, if the turn ended with an action (a transfer, a hang-up);
            "" otherwise.
        spoken: rendered messages that the developer's function queued before the answer.
        failure: the error of a failed turn.
        usage: the tokens that the turn cost.
        session_id: the provider's id of the conversation, for logs.
        duration: seconds from the question to the answer.
        forgotten: the caller has restarted the conversation since.
        pieces: the complete sentences of the answer, from the time they are written until all of it has
            been spoken.
        interrupted: the caller pressed a key or hung up before the whole answer was spoken; ``answer`` is the
            part that was.
        lost: how many workers died during the turn.
        parent: the turn whose function has asked this one as a step, or whose model has called the
            tool ("" for none).
        tool: what was called, if the turn is the run of a tool.
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
    parent: str = ""
    tool: ToolUse | None = None

    @property
    def is_transcription(self) -> bool:
        """Whether the turn transcribes a recording; ``answer`` is the transcript."""
        return not self.conversation and self.id.endswith(TRANSCRIPT_SUFFIX)

    @property
    def number(self) -> int | None:
        """The number of an agent's turn; None for a step, a transcription, and a turn without an agent."""
        number = self.id.removeprefix(TURN_PREFIX)
        return int(number) if number != self.id and number.isdecimal() else None

    @property
    def is_cut_off(self) -> bool:
        """Whether the caller has heard only a part of the answer."""
        return bool(self.answer) and (self.interrupted or self.status is TurnStatus.FAILED)

    @property
    def has_answer(self) -> bool:
        """Whether it was answered, or its answer was cut off after a piece."""
        return self.status is TurnStatus.ANSWERED or bool(self.answer)

    def is_spoken(self, spoken_count: int) -> bool:
        """Return whether ``spoken_count`` pieces are the whole answer, of a turn without a final response."""
        return self.is_done and 0 < len(self.pieces) <= spoken_count

    @property
    def is_done(self) -> bool:
        """Whether it is answered or has failed."""
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
    """Yield all classes of provider errors, those of developers included."""
    queue: list[type[ProviderError]] = [ProviderError]
    while queue:
        kind = queue.pop()
        yield kind
        queue.extend(kind.__subclasses__())
