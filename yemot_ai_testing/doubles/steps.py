"""The steps of a script: what a model, or the process that calls it, does with one model call.

A new step is written here, in ``scriptable`` (its method), and in the wire formats that run it: its class,
who can take it, and how it is written in a scenario. Everything else is derived.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "API_STEPS",
    "CUT_REASONS",
    "FAILURE_KINDS",
    "MODEL_STEPS",
    "PROCESS_STEPS",
    "SERVICE_STEPS",
    "SESSION_STEPS",
    "STEP_SYNTAX",
    "Answer",
    "BusySession",
    "Calls",
    "Crash",
    "Cut",
    "CutReason",
    "Drop",
    "Failure",
    "FailureKind",
    "Hang",
    "Malformed",
    "Reconnect",
    "Step",
    "StepSyntax",
    "ToolArguments",
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
    "refused_request",
]
"""The failures of every model, by the names of ``ProviderError.kind``."""

FAILURE_KINDS: Final[tuple[str, ...]] = get_args(FailureKind)

CutReason = Literal["length", "content_filter", "error"]
"""Why an answer has no end: a limit of tokens, the service's content filter, an error of the service."""

CUT_REASONS: Final[tuple[str, ...]] = get_args(CutReason)

ToolArguments: TypeAlias = "Mapping[str, Any] | str"
"""The arguments of a call of a tool; a text is sent as it is, such as JSON that is broken."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The model answers.

    Attributes:
        pieces: the text, in the pieces of the stream.
        after: seconds before the first piece.
        items: output items of the Responses API before the text (reasoning, tool calls); only the model
            service uses them.
        every: seconds between one piece and the next.
        thoughts: what the model thinks before the text; a service writes them in its own notation.
        saying: a complete message before the text, such as "one moment"; where an answer is one message, its
            first line.
    """

    pieces: tuple[str, ...]
    after: float = 0.0
    items: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    every: float = field(default=0.0, repr=False)
    thoughts: str = field(default="", repr=False)
    saying: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)

    @property
    def duration(self) -> float:
        """Seconds until the answer is complete."""
        return self.after + self.every * max(len(self.pieces) - 1, 0)

    def as_one_message(self) -> Answer:
        """Return the answer with ``saying`` as the first line of its text."""
        return replace(self, pieces=(f"{self.saying}\n", *self.pieces), saying="") if self.saying else self


@dataclass(frozen=True, slots=True)
class Calls:
    """The model calls tools and waits: the next step answers the request that brings their results.

    Attributes:
        tools: the name of the tool of each call, at least one.
        arguments: the arguments of each call; a call without any has none.
        after: seconds before the answer.
        saying: a text before the calls, in the same answer.
    """

    tools: tuple[str, ...]
    arguments: tuple[ToolArguments, ...] = ()
    after: float = 0.0
    saying: str = ""

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """Each call: the name of the tool, and the arguments as the model writes them."""
        given = (*self.arguments, *({} for _ in self.tools))
        return tuple((tool, _as_json(one)) for tool, one in zip(self.tools, given, strict=False))

    @property
    def pieces(self) -> tuple[str, ...]:
        """The text before the calls, as the pieces of a stream."""
        return (self.saying,) if self.saying else ()


def _as_json(arguments: ToolArguments) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


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
class Cut:
    """The service ends the answer before the model has finished, and says so.

    Attributes:
        reason: why.
        pieces: the text that is sent before.
    """

    reason: CutReason
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
class Reconnect:
    """The stream of the answer breaks off, and Codex asks the model again: the next step answers.

    Attributes:
        pieces: the text that is sent before.
    """

    pieces: tuple[str, ...] = ("…",)


@dataclass(frozen=True, slots=True)
class UnknownSession:
    """The resumed session does not exist."""


@dataclass(frozen=True, slots=True)
class BusySession:
    """Another process writes to the resumed session."""


Step: TypeAlias = (
    "Answer | Calls | Transcription | Failure | Hang | Drop | Cut | Crash | Malformed | Reconnect"
    " | UnknownSession | BusySession"
)

MODEL_STEPS: Final = (Answer, Failure, Hang, Drop, Cut)
"""The steps of every model."""

API_STEPS: Final = (*MODEL_STEPS, Calls)
"""The steps of a model that calls tools of its client."""

SERVICE_STEPS: Final = (*API_STEPS, Transcription, UnknownSession)
"""The steps of a service that transcribes and keeps conversations as well."""

SESSION_STEPS: Final = (UnknownSession, BusySession)
"""What can happen to a session that a process resumes."""

PROCESS_STEPS: Final = (Crash, Malformed, Reconnect, *SESSION_STEPS)
"""The steps of a process that are not those of every model."""


@dataclass(frozen=True, slots=True)
class StepSyntax:
    """How a step is written: the method of a double, and the ``agent:`` of a scenario.

    Attributes:
        step: the class of the step.
        verb: the method that adds it.
        key: the key of a scenario.
        value: the field that the value of the key sets; empty if the value is ``true`` or a mapping.
        mapping: the fields in the mapping; empty if the value is no mapping.
        options: the keys that may stand beside the key, each with its field; ``after`` is not among them.
    """

    step: type[Step]
    verb: str
    key: str
    value: str = ""
    mapping: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    @property
    def field_types(self) -> Mapping[str, str]:
        """The annotation of each field of the step, by its name."""
        return {one.name: str(one.type) for one in fields(self.step)}

    @property
    def delayed(self) -> bool:
        """Whether the step can come ``after`` some seconds."""
        return "after" in self.field_types

    @property
    def beside(self) -> Mapping[str, str]:
        """The keys that may stand beside the key, each with its field."""
        return {**dict(self.options), **({"after": "after"} if self.delayed else {})}

    @property
    def written(self) -> tuple[str, ...]:
        """The fields that a scenario can set; the others have their defaults."""
        return (*filter(None, (self.value,)), *self.mapping, *self.beside.values())


STEP_SYNTAX: Final = (
    StepSyntax(
        Answer, "answers", "answers", "pieces", options=(("thoughts", "thoughts"), ("saying", "saying"))
    ),
    StepSyntax(Calls, "calls", "calls", "tools", options=(("with", "arguments"), ("saying", "saying"))),
    StepSyntax(Transcription, "transcribes", "transcribes", "text"),
    StepSyntax(Failure, "fails", "fails", "kind"),
    StepSyntax(Hang, "hangs", "hangs"),
    StepSyntax(Drop, "drops", "drops"),
    StepSyntax(Cut, "cuts", "cuts", "reason", options=(("text", "pieces"),)),
    StepSyntax(Crash, "crashes", "crash", mapping=("exit", "stderr")),
    StepSyntax(Malformed, "malformed", "malformed"),
    StepSyntax(Reconnect, "reconnects", "reconnects", "pieces"),
    StepSyntax(UnknownSession, "unknown_session", "unknown_session"),
    StepSyntax(BusySession, "busy_session", "busy_session"),
)
"""Every step."""
