"""The methods that script a double; each adds one step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn, overload

from yemot_ai_testing.doubles.arguments import (
    as_exit_code,
    as_pieces,
    as_seconds,
    as_text,
    as_tool_call,
)
from yemot_ai_testing.doubles.steps import (
    CUT_REASONS,
    FAILURE_KINDS,
    Answer,
    BusySession,
    Calls,
    Crash,
    Cut,
    Drop,
    Failure,
    Hang,
    Malformed,
    Reconnect,
    Transcription,
    UnknownSession,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from yemot_ai_testing.doubles.steps import CutReason, FailureKind, Step, ToolArguments

__all__ = [
    "ScriptableAPI",
    "ScriptableCodex",
    "ScriptableConversation",
    "ScriptableModel",
    "ScriptableService",
]

_SERVICES: Final = "ScriptedProvider, ModelServer and OpenAIMock"
_CODEX: Final = "FakeCodex and RealCodex"

_OWNERS: Final = {
    "calls": f"{_SERVICES}, and of AnthropicMock; Codex calls no tools of an application",
    "transcribes": _SERVICES,
    "unknown_session": f"{_SERVICES}, and of {_CODEX}",
    "crashes": _CODEX,
    "malformed": _CODEX,
    "busy_session": _CODEX,
    "reconnects": _CODEX,
}
"""The doubles that have a step, for those who look for it at another one."""


class ScriptableModel(ABC):
    """The methods that script a model; a double implements ``add``.

    Each method adds one step and returns the double, so that calls can be chained.
    """

    @abstractmethod
    def add(self, step: Step) -> None:
        """Append a step to the script."""

    if not TYPE_CHECKING:  # a type checker knows what a double has

        def __getattr__(self, name: str) -> NoReturn:
            """Raise which doubles have a step that this one does not have."""
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name in _OWNERS:
                message = f"{type(self).__name__} has no step {name}(): it is one of {_OWNERS[name]}"
            raise AttributeError(message, name=name, obj=self)

    def answers(
        self, text: str | Sequence[str], *, after: float = 0.0, every: float = 0.0, saying: str = ""
    ) -> Self:
        """Answer the next call.

        Args:
            text: the answer, or its pieces, at least one.
            after: seconds before the first piece.
            every: seconds from one piece to the next; between ``hold`` and ``release`` none is written.
            saying: a complete message before the answer, such as "one moment"; a model whose answer is one
                message (Chat Completions, Messages, a provider in this process) begins it with this line.

        Raises:
            TypeError: a text is not a text, or the seconds are not a number.
            ValueError: there is no piece, or the seconds are negative or not finite.
        """
        self.add(_answer(text, after, every, saying))
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
        self.add(_failure(kind, retry_after, after))
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

    def cuts(self, reason: CutReason, text: str | Sequence[str] = "…") -> Self:
        """End the next answer after ``text``, as the service does when the model has not finished.

        Args:
            reason: one of ``CUT_REASONS``.
            text: the text before the end, or its pieces.

        Raises:
            ValueError: there is no such reason.
            TypeError: the text is not a text.
        """
        if reason not in CUT_REASONS:
            raise ValueError(f"no reason {reason!r}: an answer is cut by one of {', '.join(CUT_REASONS)}")
        self.add(Cut(reason, as_pieces(text)))
        return self


class ScriptableConversation(ScriptableModel):
    """The step of a double that keeps conversations as well."""

    def unknown_session(self) -> Self:
        """Let the next call that continues a conversation find that it does not exist."""
        self.add(UnknownSession())
        return self


class ScriptableCodex(ScriptableConversation):
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

    def reconnects(self, text: str | Sequence[str] = "…") -> Self:
        """Break off the stream of the next answer after ``text``; Codex asks again.

        The next step answers: Codex writes the message from the beginning. The real one gets as many retries
        as the script has such steps next when the process starts.

        Raises:
            TypeError: the text is not a text.
        """
        self.add(Reconnect(as_pieces(text)))
        return self

    def busy_session(self) -> Self:
        """Let another process write to the next resumed session."""
        self.add(BusySession())
        return self


class ScriptableAPI(ScriptableModel):
    """The steps of a model service as well."""

    def answers(
        self,
        text: str | Sequence[str],
        *,
        after: float = 0.0,
        every: float = 0.0,
        saying: str = "",
        thoughts: str = "",
    ) -> Self:
        """Answer the next call.

        Args:
            text: the answer, or its pieces, at least one.
            after: seconds before the first piece.
            every: seconds from one piece to the next; between ``hold`` and ``release`` none is written.
            saying: a complete message before the answer, such as "one moment"; a model whose answer is one
                message (Chat Completions, Messages, a provider in this process) begins it with this line.
            thoughts: what the model thinks before the text, in the notation of the service; a service that
                hides thoughts, and a provider in this process, send none.

        Raises:
            TypeError: a text is not a text, or the seconds are not a number.
            ValueError: there is no piece, or the seconds are negative or not finite.
        """
        self.add(replace(_answer(text, after, every, saying), thoughts=as_text("thoughts", thoughts)))
        return self

    @overload
    def calls(
        self, tool: str, arguments: ToolArguments = ..., /, *, saying: str = ..., after: float = ...
    ) -> Self: ...

    @overload
    def calls(
        self,
        *calls: tuple[str] | tuple[str, ToolArguments],
        saying: str = ...,
        after: float = ...,
    ) -> Self: ...

    def calls(self, *calls: Any, saying: str = "", after: float = 0.0) -> Self:
        """Let the model call tools; the next step answers the request that brings their results.

        ``calls("order_status", {"id": 7})`` is one call; several in one answer of the model are
        ``calls(("order_status", {"id": 7}), ("opening_hours", {}))``.

        Args:
            calls: a tool and its arguments, or such pairs; raw text in the place of the arguments is sent
                as it is, such as JSON that is broken.
            saying: a text before the calls, in the same answer.
            after: seconds before the answer.

        Raises:
            TypeError: a call is not a tool and its arguments, JSON cannot have the arguments, the text is
                not a text, or the seconds are not a number.
            ValueError: there is no call, a tool has no name, or a number is not valid.
        """
        self.add(_calls(calls, saying, after))
        return self


class ScriptableService(ScriptableAPI, ScriptableConversation):
    """The steps of a service that transcribes and keeps conversations as well."""

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


def _answer(text: str | Sequence[str], after: float, every: float, saying: str) -> Answer:
    pieces = as_pieces(text)
    if not pieces:
        raise ValueError('an answer has at least one piece; answers("") is an empty one')
    return Answer(
        pieces, as_seconds("after", after), every=as_seconds("every", every), saying=as_text("saying", saying)
    )


def _calls(calls: tuple[Any, ...], saying: str, after: float) -> Calls:
    given = (calls,) if calls and isinstance(calls[0], str) else calls
    if not given:
        raise ValueError('a step calls at least one tool: calls("order_status", {"id": 7})')
    pairs = [as_tool_call(call) for call in given]
    has_arguments = any(arguments != {} for _, arguments in pairs)
    return Calls(
        tuple(tool for tool, _ in pairs),
        tuple(arguments for _, arguments in pairs) if has_arguments else (),
        as_seconds("after", after),
        as_text("saying", saying),
    )


def _failure(kind: FailureKind, retry_after: float | None, after: float) -> Failure:
    if kind not in FAILURE_KINDS:
        raise ValueError(f"no failure {kind!r}: a model fails with one of {', '.join(FAILURE_KINDS)}")
    wait = None if retry_after is None else as_seconds("retry_after", retry_after)
    return Failure(kind, wait, as_seconds("after", after))
