"""What a model will answer: one vocabulary for every double that stands in for a model.

A script is a queue of steps; each call to the model consumes the next one::

    >>> class Recorder(Vocabulary):
    ...     def __init__(self):
    ...         self.script = Script()
    ...     def add(self, step):
    ...         self.script.add(step)
    >>> double = Recorder()
    >>> _ = double.answers("שלום").fails("rate_limited")
    >>> double.script.take("מה השעה?")
    Answer(pieces=('שלום',), after=0.0)

A call without a step fails, and ``Script.check`` tells what was asked and what was scripted.
This module imports nothing heavy, so every double may share it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from yemot_ai_testing.doubles.steps import (
    FAILURE_KINDS,
    Answer,
    BusySession,
    Crash,
    Drop,
    Failure,
    FailureKind,
    Hang,
    Malformed,
    Step,
    Transcription,
    UnknownSession,
    as_pieces,
    as_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

__all__ = [
    "FAILURE_KINDS",
    "Answer",
    "BusySession",
    "Crash",
    "Drop",
    "Failure",
    "FailureKind",
    "FakeOnlyError",
    "Gate",
    "Hang",
    "Malformed",
    "RecordedRequest",
    "Script",
    "ScriptMismatchError",
    "ScriptableCodex",
    "ScriptableModel",
    "ScriptableService",
    "Step",
    "Transcription",
    "UnknownSession",
]


class ScriptMismatchError(AssertionError):
    """What was asked is not what was scripted.

    Attributes:
        unscripted: the prompts for which there was no step, in order.
        unused: the steps that nobody asked for, in order.
    """

    def __init__(
        self, *, unscripted: Sequence[str], unused: Sequence[object], prompts: Sequence[str]
    ) -> None:
        self.unscripted = tuple(unscripted)
        self.unused = tuple(unused)
        super().__init__("\n".join(_mismatch_lines(self.unscripted, self.unused, prompts)))


class FakeOnlyError(NotImplementedError):
    """A real model cannot be made to do this; only a fake can."""


class RecordedRequest(Protocol):
    """What every double records of a call to the model."""

    @property
    def prompt(self) -> str:
        """What was asked: the newest words of the user."""
        ...

    @property
    def instructions(self) -> str | None:
        """How the model was told to answer."""
        ...

    @property
    def session(self) -> str | None:
        """The conversation that the call says it continues; None for a new one."""
        ...


class ScriptableModel(ABC):
    """The verbs that script a model; a double supplies ``add`` and speaks them all.

    Each verb adds one step and returns the double, so that verbs can be chained.
    """

    @abstractmethod
    def add(self, step: Step) -> None:
        """Append a step to the script."""

    def answers(self, text: str | Sequence[str], *, after: float = 0.0, every: float = 0.0) -> Self:
        """Answer the next call.

        Args:
            text: the answer, or the pieces in which it is written, at least one.
            after: seconds of thinking first.
            every: seconds from one piece to the next; between ``holds`` and ``releases`` none is written.

        Raises:
            TypeError: the text is no text, or the seconds are no number.
            ValueError: there is no piece, or the seconds cannot pass.
        """
        pieces = as_pieces(text)
        if not pieces:
            raise ValueError('an answer has at least one piece; answers("") is an empty one')
        self.add(Answer(pieces, as_seconds("after", after), every=as_seconds("every", every)))
        return self

    def fails(self, kind: FailureKind, *, retry_after: float | None = None, after: float = 0.0) -> Self:
        """Refuse the next call.

        Args:
            kind: one of ``FAILURES``.
            retry_after: seconds that the service asks to wait.
            after: seconds before it refuses.

        Raises:
            ValueError: there is no such kind, or the seconds cannot pass.
            TypeError: the seconds are no number.
        """
        if kind not in FAILURE_KINDS:
            raise ValueError(f"no failure {kind!r}: a model fails with one of {', '.join(FAILURE_KINDS)}")
        wait = None if retry_after is None else as_seconds("retry_after", retry_after)
        self.add(Failure(kind, wait, as_seconds("after", after)))
        return self

    def hangs(self, *, saying: str = "") -> Self:
        """Never answer the next call.

        Args:
            saying: a first message, after which nothing more comes (Codex and the model service).
        """
        self.add(Hang(saying))
        return self

    def drops(self, text: str | Sequence[str] = "…") -> Self:
        """Break the connection in the middle of the next answer, after ``text``.

        Raises:
            TypeError: the text is no text.
        """
        self.add(Drop(as_pieces(text)))
        return self


class ScriptableCodex(ScriptableModel):
    """What can happen to a Codex process besides."""

    def crashes(self, exit: int = 1, stderr: str = "") -> Self:  # noqa: A002 - the word the scenarios use
        """Let the next process die with this exit code, before it has answered."""
        self.add(Crash(exit, stderr))
        return self

    def malformed(self, text: str = Malformed().text) -> Self:
        """Let the next process write ``text`` instead of its protocol, and exit 0."""
        self.add(Malformed(text))
        return self

    def unknown_session(self) -> Self:
        """Let the session that is resumed next be unknown."""
        self.add(UnknownSession())
        return self

    def busy_session(self) -> Self:
        """Let somebody else be writing to the session that is resumed next."""
        self.add(BusySession())
        return self


class ScriptableService(ScriptableModel):
    """What a service that also transcribes can be told besides."""

    def transcribes(self, text: str, *, after: float = 0.0) -> Self:
        """Transcribe the next recording.

        Args:
            text: what is heard; "" for nothing.
            after: seconds of listening first.

        Raises:
            TypeError: the text is no text, or the seconds are no number.
            ValueError: the seconds cannot pass.
        """
        if not isinstance(text, str):
            raise TypeError(f'a transcription is a text such as "שלום", not {text!r}')
        self.add(Transcription(text, as_seconds("after", after)))
        return self


class Gate:
    """A gate that calls to the model wait at: open at first, closed by ``hold``, opened by ``release``."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether calls wait."""
        return not self._open.is_set()

    def hold(self) -> None:
        """Let every later call wait."""
        self._open.clear()

    def release(self) -> None:
        """Let everybody through who waits, and whoever comes later."""
        with self._lock:
            self._open.set()
            waiting, self._callbacks = self._callbacks, []
        for callback in waiting:
            callback()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the gate is open; False if ``timeout`` seconds passed first."""
        return self._open.wait(timeout)

    def when_open(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once the gate is open (at once if it is), from whichever thread opens it."""
        with self._lock:
            if self.held:
                self._callbacks.append(callback)
                return
        callback()


@dataclass(slots=True)
class Script:
    """A queue of steps in one process, safe for threads.

    Attributes:
        gate: where calls wait between ``holds`` and ``releases``; the step is taken before the wait,
            so that calls get the steps in the order in which they asked.
    """

    gate: Gate = field(default_factory=Gate)
    _steps: list[Step] = field(default_factory=list)
    _prompts: list[str] = field(default_factory=list)
    _unscripted: list[str] = field(default_factory=list)
    _condition: threading.Condition = field(default_factory=threading.Condition)

    def add(self, step: Step) -> None:
        """Append a step."""
        with self._condition:
            self._steps.append(step)

    def take(self, prompt: str) -> Step | None:
        """Consume the step for one call.

        Args:
            prompt: what is asked, for the report.

        Returns:
            The step, or None when nothing was scripted for this call: let it fail.
        """
        with self._condition:
            self._prompts.append(prompt)
            self._condition.notify_all()
            if self._steps:
                return self._steps.pop(0)
            self._unscripted.append(prompt)
            return None

    def take_if(self, *kinds: type) -> Step | None:
        """Consume the next step if it is of one of these kinds; nothing is counted as asked."""
        with self._condition:
            return self._steps.pop(0) if self._steps and isinstance(self._steps[0], kinds) else None

    def record_unscripted(self, prompt: str) -> None:
        """Note that a call could not be given the step that it took."""
        with self._condition:
            self._unscripted.append(prompt)

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` calls have been made in all.

        Raises:
            TimeoutError: they were not, within ``timeout`` seconds.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: len(self._prompts) >= count, timeout):
                raise TimeoutError(f"{len(self._prompts)} of {count} calls within {timeout:g} s")

    def assert_complete(self) -> None:
        """Check that every step was used and every call was scripted.

        Raises:
            ScriptMismatchError: one was not; the message lists both.
        """
        with self._condition:
            if self._steps or self._unscripted:
                raise ScriptMismatchError(
                    unscripted=self._unscripted, unused=self._steps, prompts=self._prompts
                )


def _mismatch_lines(unscripted: Sequence[str], unused: Sequence[object], prompts: Sequence[str]) -> list[str]:
    lines = ["the model was not asked what was scripted"]
    lines += [f"  asked without a step: {prompt!r}" for prompt in unscripted]
    lines += [f"  scripted, never asked for: {step!r}" for step in unused]
    lines += [f"  asked in all ({len(prompts)}): " + ("; ".join(map(repr, prompts)) or "nothing")]
    return lines
