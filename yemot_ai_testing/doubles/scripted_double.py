"""What the doubles in this process share: the gate, the pause, the script, and the check at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from yemot_ai_testing.doubles.pauses import Pause
from yemot_ai_testing.doubles.script import Script
from yemot_ai_testing.doubles.scriptable import ScriptableModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.doubles.pauses import PausePoint
    from yemot_ai_testing.doubles.script import Gate
    from yemot_ai_testing.doubles.steps import Step

__all__ = ["CheckedContext", "PausableModel", "ScriptedDouble", "unchecked"]


class CheckedContext(ABC):
    """A context manager that checks its script if its block ends without an exception, then closes itself."""

    @abstractmethod
    def assert_complete(self) -> None:
        """Check that every step was used and every call was scripted."""

    @abstractmethod
    def close(self) -> None:
        """Stop the double; does not check the script."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.assert_complete()
        finally:
            self.close()


D = TypeVar("D", bound=CheckedContext)


@contextmanager
def unchecked(double: D) -> Iterator[D]:
    """Enter a double that does not check its script at the end; the caller does that itself."""
    try:
        yield double.__enter__()  # its __exit__ would check the script
    finally:
        double.close()


class PausableModel(ScriptableModel):
    """A model whose calls a test can stop.

    Attributes:
        gate: the gate of ``hold`` and ``release``.
        pause: the point at which model calls wait (see ``pause_at``).
    """

    gate: Gate
    pause: Pause

    def hold(self) -> None:
        """Let every later model call wait, after it is recorded, until ``release()``."""
        self.gate.hold()

    def release(self) -> None:
        """Let the waiting calls through."""
        self.gate.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later model call wait at a point of its answer until ``resume()``.

        Args:
            point: ``asked``: before any text; ``first_text``: after the first piece; ``last_text``: after
                the whole text, before the end of the answer. An answer that a service sends without
                streaming waits at each of them before it is sent.

        Raises:
            ValueError: there is no such point, or the double cannot pause there.
        """
        self.pause.set_point(point)

    def resume(self) -> None:
        """Resume the calls that wait at the point."""
        self.pause.release()


class ScriptedDouble(PausableModel):
    """A model with a script in this process.

    Attributes:
        script: the queue of steps.
    """

    def __init__(self) -> None:
        self.script: Script = Script()
        self.gate = self.script.gate
        self.pause = Pause()

    def add(self, step: Step) -> None:
        """Append a step to the script."""
        self.script.add(step)

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` model calls have been made in all.

        Raises:
            TimeoutError: fewer were made after ``timeout`` seconds.
        """
        self.script.wait_for_requests(count, timeout)

    def assert_complete(self) -> None:
        """Check that every step was used and every model call was scripted.

        Raises:
            ScriptMismatchError: the message lists the calls and the unused steps.
        """
        self.script.assert_complete()
