"""The steps of a script: what a model, or the process that calls it, does with one model call.

A new step is written here, and in the wire formats that run it: its class, its method, who can take it, and
how it is written in a scenario. Everything else is derived.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from yemot_ai_testing.doubles.arguments import as_exit_code, as_pieces, as_seconds, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

__all__ = [
    "FAILURE_KINDS",
    "MODEL_STEPS",
    "PROCESS_STEPS",
    "SERVICE_STEPS",
    "SESSION_STEPS",
    "STEP_SYNTAX",
    "Answer",
    "BusySession",
    "Crash",
    "Drop",
    "Failure",
    "FailureKind",
    "Hang",
    "Malformed",
    "ScriptableCodex",
    "ScriptableModel",
    "ScriptableService",
    "Step",
    "StepSyntax",
    "Transcription",
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

MODEL_STEPS: Final = (Answer, Failure, Hang, Drop)
"""The steps of every model."""

SERVICE_STEPS: Final = (*MODEL_STEPS, Transcription)
"""The steps of a service that transcribes as well."""

SESSION_STEPS: Final = (UnknownSession, BusySession)
"""What can happen to a session that a process resumes."""

PROCESS_STEPS: Final = (Crash, Malformed, *SESSION_STEPS)
"""The steps that only a process can take."""


@dataclass(frozen=True, slots=True)
class StepSyntax:
    """How a step is written: the method of a double, and the ``agent:`` of a scenario.

    Attributes:
        step: the class of the step.
        verb: the method that adds it.
        key: the key of a scenario.
        value: the field that the value of the key sets; empty if the value is ``true`` or a mapping.
        mapping: the fields in the mapping; empty if the value is no mapping.
    """

    step: type[Step]
    verb: str
    key: str
    value: str = ""
    mapping: tuple[str, ...] = ()

    @property
    def field_types(self) -> Mapping[str, str]:
        """The annotation of each field of the step, by its name."""
        return {one.name: str(one.type) for one in fields(self.step)}

    @property
    def delayed(self) -> bool:
        """Whether the step can come ``after`` some seconds."""
        return "after" in self.field_types

    @property
    def written(self) -> tuple[str, ...]:
        """The fields that a scenario can set; the others have their defaults."""
        return (*filter(None, (self.value,)), *self.mapping, *(("after",) if self.delayed else ()))


STEP_SYNTAX: Final = (
    StepSyntax(Answer, "answers", "answers", "pieces"),
    StepSyntax(Transcription, "transcribes", "transcribes", "text"),
    StepSyntax(Failure, "fails", "fails", "kind"),
    StepSyntax(Hang, "hangs", "hangs"),
    StepSyntax(Drop, "drops", "drops"),
    StepSyntax(Crash, "crashes", "crash", mapping=("exit", "stderr")),
    StepSyntax(Malformed, "malformed", "malformed"),
    StepSyntax(UnknownSession, "unknown_session", "unknown_session"),
    StepSyntax(BusySession, "busy_session", "busy_session"),
)
"""Every step."""


class ScriptableModel(ABC):
    """The methods that script a model; a double implements ``add``.

    Each method adds one step and returns the double, so that calls can be chained.
    """

    @abstractmethod
    def add(self, step: Step) -> None:
        """Append a step to the script."""

    def answers(self, text: str | Sequence[str], *, after: float = 0.0, every: float = 0.0) -> Self:
        """Answer the next call.

        Args:
            text: the answer, or its pieces, at least one.
            after: seconds before the first piece.
            every: seconds from one piece to the next; between ``hold`` and ``release`` none is written.

        Raises:
            TypeError: the text is not a text, or the seconds are not a number.
            ValueError: there is no piece, or the seconds are negative or not finite.
        """
        pieces = as_pieces(text)
        if not pieces:
            raise ValueError('an answer has at least one piece; answers("") is an empty one')
        self.add(Answer(pieces, as_seconds("after", after), every=as_seconds("every", every)))
        return self

    def fails(self, kind: FailureKind, *, retry_after: float | None = None, after: float = 0.0) -> Self:
        """Answer the next call with an error.

        Args:
            kind: one of ``FAILURE_KINDS``.
            retry_after: seconds of the service's ``retry-after``.
            after: seconds before the error.

        Raises:
            ValueError: there is no such kind, or the seconds are negative or not finite.
            TypeError: the seconds are not a number.
        """
        if kind not in FAILURE_KINDS:
            raise ValueError(f"no failure {kind!r}: a model fails with one of {', '.join(FAILURE_KINDS)}")
        wait = None if retry_after is None else as_seconds("retry_after", retry_after)
        self.add(Failure(kind, wait, as_seconds("after", after)))
        return self

    def hangs(self, *, saying: str = "") -> Self:
        """Never answer the next call.

        Args:
            saying: a first message, after which nothing more is sent (Codex and the model service).

        Raises:
            TypeError: it is not a text.
        """
        self.add(Hang(as_text("saying", saying)))
        return self

    def drops(self, text: str | Sequence[str] = "…") -> Self:
        """Close the connection in the middle of the next answer, after ``text``.

        Raises:
            TypeError: the text is not a text.
        """
        self.add(Drop(as_pieces(text)))
        return self


class ScriptableCodex(ScriptableModel):
    """The steps of a Codex process as well."""

    def crashes(self, exit: int = 1, stderr: str = "") -> Self:  # noqa: A002 - the key of scenarios
        """Exit the next process with this exit code before it has answered.

        Args:
            exit: the exit code.
            stderr: its output on standard error.

        Raises:
            TypeError: the code is not a whole number, or the output is not a text.
        """
        self.add(Crash(as_exit_code(exit), as_text("stderr", stderr)))
        return self

    def malformed(self, text: str = Malformed().text) -> Self:
        """Let the next process write ``text`` instead of a message of its protocol, and exit 0.

        Raises:
            TypeError: it is not a text.
        """
        self.add(Malformed(as_text("malformed", text)))
        return self

    def unknown_session(self) -> Self:
        """Let the next resumed session be unknown."""
        self.add(UnknownSession())
        return self

    def busy_session(self) -> Self:
        """Let another process write to the next resumed session."""
        self.add(BusySession())
        return self


class ScriptableService(ScriptableModel):
    """The steps of a service that transcribes as well."""

    def transcribes(self, text: str, *, after: float = 0.0) -> Self:
        """Transcribe the next recording.

        Args:
            text: the transcript; "" for silence.
            after: seconds before the response.

        Raises:
            TypeError: the text is not a text, or the seconds are not a number.
            ValueError: the seconds are negative or not finite.
        """
        self.add(Transcription(as_text("a transcription", text), as_seconds("after", after)))
        return self
