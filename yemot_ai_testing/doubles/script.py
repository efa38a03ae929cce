"""The script of a double: the methods that all doubles of a model share, and the queue of steps.

Each model call consumes the next step::

    >>> class Recorder(ScriptableModel):
    ...     def __init__(self):
    ...         self.script = Script()
    ...     def add(self, step):
    ...         self.script.add(step)
    >>> double = Recorder()
    >>> _ = double.answers("שלום").fails("rate_limited")
    >>> double.script.take("מה השעה?")
    Answer(pieces=('שלום',), after=0.0)

A call without a step fails, and ``Script.assert_complete`` raises an error that lists the calls and the
unused steps. This module imports nothing heavy, because every double imports it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

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
    from collections.abc import Callable, Iterator, Sequence
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
    "unchecked",
]

D = TypeVar("D")


class ScriptMismatchError(AssertionError):
    """The model calls and the script differ.

    Attributes:
        unscripted: the prompts without a step, in order.
        unused: the steps that no call consumed, in order.
    """

    def __init__(
        self, *, unscripted: Sequence[str], unused: Sequence[object], prompts: Sequence[str]
    ) -> None:
        self.unscripted = tuple(unscripted)
        self.unused = tuple(unused)
        super().__init__("\n".join(_mismatch_lines(self.unscripted, self.unused, prompts)))


class FakeOnlyError(NotImplementedError):
    """Only a fake can run this step; the double is a real program or a service."""


class _UncheckedExit(Exception):  # noqa: N818 - never leaves ``unchecked``
    """Ends the block of a double with an exception, so that it does not check its script."""


@contextmanager
def unchecked(double: AbstractContextManager[D]) -> Iterator[D]:
    """Enter a double that does not check its script at the end; the caller does that itself."""
    with suppress(_UncheckedExit), double as entered:
        yield entered
        raise _UncheckedExit


class RecordedRequest(Protocol):
    """What every double records of a model call."""

    @property
    def prompt(self) -> str:
        """The newest message of the user."""
        ...

    @property
    def instructions(self) -> str | None:
        """The model's instructions."""
        ...

    @property
    def session(self) -> str | None:
        """The id of the conversation that the call continues; None for a new one."""
        ...


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
        """
        self.add(Hang(saying))
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
        """Exit the next process with this exit code before it has answered."""
        self.add(Crash(exit, stderr))
        return self

    def malformed(self, text: str = Malformed().text) -> Self:
        """Let the next process write ``text`` instead of a message of its protocol, and exit 0."""
        self.add(Malformed(text))
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
        if not isinstance(text, str):
            raise TypeError(f'a transcription is a text such as "שלום", not {text!r}')
        self.add(Transcription(text, as_seconds("after", after)))
        return self


class Gate:
    """A gate at which model calls wait: open at first, closed by ``hold``, opened by ``release``."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether the gate is closed."""
        return not self._open.is_set()

    def hold(self) -> None:
        """Let every later call wait."""
        self._open.clear()

    def release(self) -> None:
        """Open the gate for waiting and later calls."""
        with self._lock:
            self._open.set()
            waiting, self._callbacks = self._callbacks, []
        for callback in waiting:
            callback()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the gate is open; False if ``timeout`` seconds passed first."""
        return self._open.wait(timeout)

    def when_open(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once the gate is open (now if it is), in the thread that opens it."""
        with self._lock:
            if self.held:
                self._callbacks.append(callback)
                return
        callback()


@dataclass(slots=True)
class Script:
    """A thread-safe queue of steps in one process.

    Attributes:
        gate: where calls wait between ``hold`` and ``release``; a call takes its step before it waits, so
            that calls get the steps in the order in which they arrive.
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
            prompt: the prompt of the call, for the error message.

        Returns:
            The step, or None if nothing is scripted for this call; the call must then fail.
        """
        with self._condition:
            self._prompts.append(prompt)
            self._condition.notify_all()
            if self._steps:
                return self._steps.pop(0)
            self._unscripted.append(prompt)
            return None

    def take_if(self, *kinds: type) -> Step | None:
        """Consume the next step if it is of one of these kinds; no call is recorded."""
        with self._condition:
            return self._steps.pop(0) if self._steps and isinstance(self._steps[0], kinds) else None

    def record_unscripted(self, prompt: str) -> None:
        """Record a call as unscripted because its step did not fit it."""
        with self._condition:
            self._unscripted.append(prompt)

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` calls have been made in all.

        Raises:
            TimeoutError: fewer were made after ``timeout`` seconds.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: len(self._prompts) >= count, timeout):
                raise TimeoutError(f"{len(self._prompts)} of {count} calls within {timeout:g} s")

    def assert_complete(self) -> None:
        """Check that every step was used and every call was scripted.

        Raises:
            ScriptMismatchError: the message lists the calls and the unused steps.
        """
        with self._condition:
            if self._steps or self._unscripted:
                raise ScriptMismatchError(
                    unscripted=self._unscripted, unused=self._steps, prompts=self._prompts
                )


def _mismatch_lines(unscripted: Sequence[str], unused: Sequence[object], prompts: Sequence[str]) -> list[str]:
    lines = ["the model calls do not match the script"]
    lines += [f"  call without a step: {prompt!r}" for prompt in unscripted]
    lines += [f"  unused step: {step!r}" for step in unused]
    lines += [f"  calls in all ({len(prompts)}): " + ("; ".join(map(repr, prompts)) or "none")]
    return lines
