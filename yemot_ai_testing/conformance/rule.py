"""A rule that an executable must keep, and the verdict of checking it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

Bench = TypeVar("Bench")

__all__ = [
    "MEASURED",
    "AnyRule",
    "Breach",
    "Interface",
    "NotApplicable",
    "Rule",
    "RuleGroup",
    "RuleOutcome",
    "Verdict",
    "expect_contains",
    "expect_equal",
    "expect_true",
    "format_breaches",
]

MEASURED: Final = "measured, 0.169.0"
"""The source of a rule that was measured with the real binary of this version."""

RuleOutcome = Literal["held", "breached", "not applicable"]

Interface = Literal["exec", "app-server"]
"""The interface of Codex that a rule is about."""


class Breach(AssertionError):  # noqa: N818 - the term of contracts, and of the table
    """A broken rule.

    Attributes:
        expected: what the rule requires.
        actual: what happened.
    """

    def __init__(self, expected: str, actual: str) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(f"expected {expected}; actual {actual}")


def format_breaches(heading: str, breaches: Iterable[tuple[str, str, str, str]]) -> str:
    """Return a text about broken rules.

    Args:
        heading: the first line.
        breaches: for each rule its id, its title, the expected and the actual behaviour.
    """
    lines = [heading]
    for rule_id, title, expected, actual in breaches:
        lines += [f"  {rule_id}: {title}", f"    expected {expected}", f"    actual   {actual}"]
    return "\n".join(lines)


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """A rule does not apply to this executable or this machine; the message has the reason."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Bench]):
    """A rule of Codex.

    Attributes:
        id: a stable name; its first word is the group.
        title: the rule, as a sentence.
        check: checks the rule on a fresh bench; raises ``Breach`` or ``NotApplicable``.
        source: the source of the rule.
        since: the first version with this behaviour; empty: all.
        until: the first version without it; empty: none.
        interface: ``exec`` (``codex exec --json``) or ``app-server``.
    """

    id: str
    title: str
    check: Callable[[Bench], None]
    source: str = MEASURED
    since: str = ""
    until: str = ""
    interface: Interface = "exec"

    def applies_to(self, version: str) -> bool:
        """Return whether the rule applies to a version; all rules apply to an unknown one."""
        number = _version_key(version)
        if not number:
            return True
        return _version_key(self.since) <= number and (not self.until or number < _version_key(self.until))

    @property
    def versions(self) -> str:
        """The versions that the rule applies to, as a text."""
        since = f"from {self.since}" if self.since else ""
        until = f"before {self.until}" if self.until else ""
        return " ".join(filter(None, (since, until))) or "for every version"


AnyRule: TypeAlias = "Rule[Any]"
"""A rule of either interface."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking one rule.

    Attributes:
        rule: the rule.
        outcome: ``held``, ``breached`` or ``not applicable``.
        expected: what the rule requires, if it was breached.
        actual: what happened, if it was breached.
        reason: why the rule does not apply, if it does not.
        seconds: the duration of the check.
    """

    rule: AnyRule
    outcome: RuleOutcome
    expected: str = ""
    actual: str = ""
    reason: str = ""
    seconds: float = 0.0


class RuleGroup(Generic[Bench]):
    """The rules of one subject, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rules: list[Rule[Bench]] = []

    def rule(
        self, name: str, title: str, *, source: str = MEASURED, since: str = "", until: str = ""
    ) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
        """Add the decorated function as a rule."""

        def add(check: Callable[[Bench], None]) -> Callable[[Bench], None]:
            self.rules.append(Rule(f"{self.name}-{name}", title, check, source, since, until))
            return check

        return add


def expect_equal(what: str, actual: object, expected: object) -> None:
    """Raise ``Breach`` if two values are not equal."""
    if actual != expected:
        raise Breach(f"{what}: {_shorten(expected)}", _shorten(actual))


def expect_contains(what: str, actual: str, *substrings: str) -> None:
    """Raise ``Breach`` if a text lacks one of the substrings, ignoring case."""
    missing = [substring for substring in substrings if substring.lower() not in actual.lower()]
    if missing:
        raise Breach(f"{what}: … {' … '.join(substrings)} …", _shorten(actual))


def expect_true(condition: Any, expected: str, actual: object) -> None:  # noqa: ANN401 - any truth value
    """Raise ``Breach`` with a description of what was expected if the condition is false."""
    if not condition:
        raise Breach(expected, _shorten(actual))


_MAX_LENGTH: Final = 600


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}… ({len(text)} characters)"


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
