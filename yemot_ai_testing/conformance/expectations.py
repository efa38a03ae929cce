"""Expected breaches: the rules that a subject is known to break, each with a reason, in a file.

One rule a line, its id first; a line that begins with ``#`` is a comment::

    # what our wrapper does differently
    argv-greedy-image   it takes no images
    signal-int-asking   it ends by SIGINT itself
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from yemot_ai_testing.conformance.rule import AnyRule, Verdict

__all__ = ["Expectations", "ExpectationsError"]

_RAN: Final = frozenset({"held", "breached", "expected"})


class ExpectationsError(ValueError):
    """A file of expected breaches is invalid; the message has all its mistakes."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """The rules whose breach is expected.

    Attributes:
        reasons: the reason of each, by the id of the rule.
    """

    reasons: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            ExpectationsError: it cannot be read, or a line is not valid.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"it is not UTF-8: {error.reason}"
            raise ExpectationsError(f"{path} cannot be read: {reason}") from error
        reasons: dict[str, str] = {}
        problems: list[str] = []
        for number, line in enumerate(text.splitlines(), start=1):
            rule_id, reason = _split(line)
            if problem := _problem(rule_id, reason, reasons):
                problems.append(f"{path}:{number}: {problem}")
            elif rule_id:
                reasons[rule_id] = reason
        if problems:
            raise ExpectationsError("\n".join(problems))
        return cls(reasons)

    def applied_to(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """Return the verdicts; an expected breach has the outcome ``expected``, and its reason."""
        return [
            replace(verdict, outcome="expected", reason=self.reasons[verdict.rule.id], fix="")
            if verdict.outcome == "breached" and verdict.rule.id in self.reasons
            else verdict
            for verdict in verdicts
        ]

    def outdated(self, known: Iterable[AnyRule], columns: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
        """Yield a sentence for each expectation that is not true any more.

        Args:
            known: all rules that exist.
            columns: the verdicts of each subject.
        """
        ids = {rule.id for rule in known}
        for rule_id, reason in self.reasons.items():
            outcomes = {
                verdict.outcome
                for verdicts in columns.values()
                for verdict in verdicts
                if verdict.rule.id == rule_id and verdict.outcome in _RAN
            }
            if rule_id not in ids:
                yield f"{rule_id}: there is no such rule"
            elif outcomes == {"held"}:
                yield f"{rule_id}: it is held, although a breach is expected ({reason})"


def _split(line: str) -> tuple[str, str]:
    """Return the id and the reason in a line; both are empty for a comment."""
    words = [] if line.lstrip().startswith("#") else line.split(maxsplit=1)
    rule_id, reason = (*words, "", "")[:2]
    return rule_id, reason.strip()


def _problem(rule_id: str, reason: str, reasons: Mapping[str, str]) -> str:
    if rule_id and not reason:
        return f"{rule_id} has no reason: write `{rule_id}  why`"
    return f"{rule_id} is there twice" if rule_id in reasons else ""
