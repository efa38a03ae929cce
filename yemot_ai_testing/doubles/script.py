"""The script of a double: the queue of steps, and the check at its end.

Each model call consumes the next step::

    >>> from yemot_ai_testing.doubles.steps import Answer
    >>> script = Script()
    >>> script.add(Answer(("hello",)))
    >>> script.take("what time is it?")
    Answer(pieces=('hello',), after=0.0)

A call without a step fails, and ``Script.assert_complete`` raises an error that lists the calls and the
unused steps. This module imports nothing heavy, because every double imports it.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from yemot_ai_testing.doubles.steps import Step

__all__ = ["NO_TOOLS", "FakeOnlyError", "Gate", "RecordedRequest", "Script", "ScriptMismatchError"]


NO_TOOLS: Final = " (a request without tools: the step calls one)"
"""What a mismatch says after the prompt of a request that cannot take a step ``Calls``."""


class ScriptMismatchError(AssertionError):
    """The model calls and the script differ.

    Attributes:
        unscripted: the prompts without a step, in order.
        unused: the steps that no call consumed, in order.
        refused: the malformed requests, with the reason, in order.
    """

    def __init__(
        self,
        *,
        unscripted: Sequence[str],
        unused: Sequence[object],
        prompts: Sequence[str],
        refused: Sequence[str] = (),
    ) -> None:
        self.unscripted = tuple(unscripted)
        self.unused = tuple(unused)
        self.refused = tuple(refused)
        super().__init__("\n".join(_mismatch_lines(self, prompts)))


class FakeOnlyError(NotImplementedError):
    """Only a fake can run this step; the double is a real program or a service."""


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
    _refused: list[str] = field(default_factory=list)
    _condition: threading.Condition = field(default_factory=threading.Condition)

    @property
    def steps_left(self) -> int:
        """The number of steps that no call has taken."""
        with self._condition:
            return len(self._steps)

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

    def count_next(self, *kinds: type) -> int:
        """Return how many of the next steps are of one of these kinds."""
        with self._condition:
            return sum(1 for _ in itertools.takewhile(lambda step: isinstance(step, kinds), self._steps))

    def record_unscripted(self, prompt: str) -> None:
        """Record a call as unscripted because its step did not fit it."""
        with self._condition:
            self._unscripted.append(prompt)

    def record_refused(self, request: str) -> None:
        """Record a malformed request and the reason; it takes no step."""
        with self._condition:
            self._refused.append(request)

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
            if self._steps or self._unscripted or self._refused:
                raise ScriptMismatchError(
                    unscripted=self._unscripted,
                    unused=self._steps,
                    prompts=self._prompts,
                    refused=self._refused,
                )


def _mismatch_lines(error: ScriptMismatchError, prompts: Sequence[str]) -> list[str]:
    lines = ["the model calls do not match the script"]
    lines += [f"  malformed request: {request}" for request in error.refused]
    lines += [f"  call without a step: {prompt!r}" for prompt in error.unscripted]
    lines += [f"  unused step: {step!r}" for step in error.unused]
    lines += [f"  calls in all ({len(prompts)}): " + ("; ".join(map(repr, prompts)) or "none")]
    return lines
