"""What a guarded run let out: the end of the line that ends it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["IsolationCounts"]


@dataclass(frozen=True, slots=True)
class IsolationCounts:
    """Counts of a run, or of a part of it.

    Attributes:
        outbound: connections and datagrams that left this machine because they were allowed by name.
        real_codex: runs of a real Codex.
        refused: attempts that were refused.
    """

    outbound: int = 0
    real_codex: int = 0
    refused: int = 0

    def plus(self, other: IsolationCounts) -> IsolationCounts:
        """Return the sum."""
        return IsolationCounts(
            self.outbound + other.outbound, self.real_codex + other.real_codex, self.refused + other.refused
        )

    def __str__(self) -> str:
        plural = "" if self.outbound == 1 else "s"
        words = [f"{self.outbound} outbound connection{plural}", f"{self.real_codex} real codex"]
        return " · ".join([*words, f"{self.refused} refused"] if self.refused else words)
