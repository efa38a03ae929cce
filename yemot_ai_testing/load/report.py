"""What a load test has measured and found: as text, and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from yemot_ai.protocol.explain import printable
from yemot_ai_testing.history import Violation
from yemot_ai_testing.load.plan import LoadPlan
from yemot_ai_testing.load.result import LoadResult, most_at_once

__all__ = ["LoadReport"]

MAX_LINE: Final = 200
"""Characters of a line that are printed."""


@dataclass(slots=True)
class LoadReport:
    """A load test.

    Attributes:
        plan: the calls.
        result: what was done.
        seconds: how long it took.
        interrupted: whether Ctrl-C has ended it.
        html: Locust's report, if there is one.
        utterances: the utterances with a number.
        asked: how often the model was asked.
        violations: of exactly once.
        not_judged: why exactly once was not judged; "" if it was.
        unseen_model: the server was said to ask the model of this test, and has not.
    """

    plan: LoadPlan
    result: LoadResult
    seconds: float
    interrupted: bool = False
    html: Path | None = None
    utterances: int = 0
    asked: int = 0
    violations: list[Violation] = field(default_factory=list)
    not_judged: str = ""
    unseen_model: bool = False

    @property
    def errors(self) -> int:
        """How many errors the callers met."""
        return sum(self.result.errors.values()) + len(self.result.exceptions)

    @property
    def finished(self) -> int:
        """How many calls were done to their end."""
        return sum(done for _, _, done in self.result.calls)

    def is_clean(self, max_errors: int) -> bool:
        """Whether exactly once holds where it was judged, and there are at most that many errors."""
        return not self.violations and not self.unseen_model and self.errors <= max_errors

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield self._calls()
        yield self._dead_air()
        yield from self._errors()
        yield from self._exactly_once()
        if self.interrupted:
            yield "note: interrupted: the rest was not called, and calls that were open are not judged"
        if self.result.busy:
            yield "note: Locust used its whole processor, so silences are measured too long: --processes 2"
        yield from (f"note: Locust: {printable(text, MAX_LINE)}" for text in self.result.warnings)
        if self.plan.left_out:
            yield f"note: {self.plan.left_out}"
        if self.html is not None:
            yield f"html: {self.html}"

    def data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        kinds = Counter(one.kind for one in self.violations)
        return {
            "calls": self.plan.calls,
            "finished": self.finished,
            "seconds": round(self.seconds, 1),
            "most_at_once": most_at_once(self.result.calls),
            "dead_air": dict(self.result.dead_air),
            "errors": {kind: [count, self.result.examples[kind]] for kind, count in self._kinds()},
            "exceptions": list(self.result.exceptions),
            "exactly_once": {
                "judged": not self.not_judged,
                "reason": self.not_judged,
                "utterances": self.utterances,
                "asked": self.asked,
                "violations": dict(kinds),
                "messages": [one.message for one in self.violations],
            },
            "warnings": list(self.result.warnings),
            "interrupted": self.interrupted,
        }

    def _calls(self) -> str:
        at_once = most_at_once(self.result.calls)
        return (
            f"{self.finished} of {self.plan.calls} calls in {self.seconds:.1f} s, at most {at_once} at once"
        )

    def _dead_air(self) -> str:
        figures: Mapping[str, float] = self.result.dead_air
        if not figures:
            return "dead air: no turn"
        parts = [f"{name} {figures[name]:.2g} s" for name in ("p50", "p95", "p99")]
        return (
            f"dead air: {' · '.join(parts)} · longest {figures['longest']:.1f} s ({figures['turns']} turns)"
        )

    def _kinds(self) -> list[tuple[str, int]]:
        kinds: Counter[str] = Counter()
        for (_, kind), count in self.result.errors.items():
            kinds[kind] += count
        return kinds.most_common()

    def _errors(self) -> Iterator[str]:
        yield f"errors: {self.errors or 'none'}"
        for kind, count in self._kinds():
            turns = ", ".join(sorted({turn for turn, one in self.result.errors if one == kind}))
            example = printable(self.result.examples[kind], MAX_LINE)
            yield f"  {count} × {kind} (caller {turns}): {example}"
        for message in dict.fromkeys(self.result.exceptions):
            yield f"  a caller raised: {printable(message, MAX_LINE)}"

    def _exactly_once(self) -> Iterator[str]:
        if self.not_judged:
            yield f"exactly once: not judged: {self.not_judged}"
            return
        found = f"{len(self.violations)} violations" if self.violations else "no violation"
        yield f"exactly once: {self.utterances} utterances, the model was asked {self.asked} times: {found}"
        first = {one.kind: one for one in reversed(self.violations)}
        for kind, count in Counter(one.kind for one in self.violations).most_common():
            yield f"  {count} × {kind}: {printable(first[kind].message, MAX_LINE)}"
            yield from (f"    {printable(line, MAX_LINE)}" for line in first[kind].trace)
