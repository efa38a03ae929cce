"""The report of a failed scenario as pytest prints it: the whole call, once, with colors on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from yemot_ai_testing.scenario.report.failure import FailureLine, failure_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _pytest._io import TerminalWriter

    from yemot_ai_testing.scenario.play.timeline import TimelineEvent
    from yemot_ai_testing.scenario.report.call_record import CallRecord

__all__ = ["CrashPlace", "FailedCallRepr", "markup"]


@dataclass(frozen=True, slots=True)
class CrashPlace:
    """Where a scenario failed; pytest's summary and JUnit report take their message from it.

    Attributes:
        path: the file of the scenario.
        lineno: the line of the failed turn.
        message: place, kind, and what differs.
    """

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class FailedCallRepr:
    """A failed call, with the interface of pytest's ``TerminalRepr``, which has no public name.

    Attributes:
        lines: what is printed.
        reprcrash: its place and its message.
    """

    lines: tuple[FailureLine, ...]
    reprcrash: CrashPlace

    @classmethod
    def from_call(cls, call: CallRecord, cause: BaseException | None) -> Self:
        """Return the report of ``call``.

        Args:
            call: the failed call.
            cause: the exception that caused the failure, if there is one.
        """
        return cls._create(call, failure_lines(call, cause))

    @classmethod
    def from_text(cls, call: CallRecord, text: str) -> Self:
        """Return the report that xdist has made a text of: pytest would print it again in its summary.

        Args:
            call: the failed call.
            text: the printed report.
        """
        return cls._create(call, [(None, line) for line in text.splitlines()])

    @classmethod
    def _create(cls, call: CallRecord, lines: Sequence[FailureLine]) -> Self:
        message = "\n".join([lines[0][1], *call.messages])
        return cls(tuple(lines), CrashPlace(call.path, call.failure_line, message))

    def __str__(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def toterminal(self, tw: TerminalWriter) -> None:
        """Print it."""
        for number, (event, line) in enumerate(self.lines):
            tw.line(line, **({"red": True, "bold": True} if number == 0 else markup(event)))


def markup(event: TimelineEvent | None) -> dict[str, bool]:
    """Return how a line of a conversation is printed."""
    if event is None:
        return {}
    if event.grade:
        return {"red": True, "bold": True} if event.grade == "too_long" else {"yellow": True}
    if event.origin in {"line", "platform"}:
        return {"cyan": True}
    return {} if event.origin == "caller" else {"light": True}
