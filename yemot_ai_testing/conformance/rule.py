"""One rule that an executable is held to, and what comes of holding it to it."""

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
"""The source of a rule that was read off the real binary of this version."""

RuleOutcome = Literal["held", "breached", "not applicable"]

Interface = Literal["exec", "app-server"]
"""Which way of talking with Codex a rule is about."""


class Breach(AssertionError):  # noqa: N818 - the word of the trade, and of the table
    """An executable did not do what a rule says.

    Attributes:
        expected: what the rule says.
        actual: what the executable did.
    """

    def __init__(self, expected: str, actual: str) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(f"expected {expected}; seen {actual}")


def format_breaches(heading: str, breaches: Iterable[tuple[str, str, str, str]]) -> str:
    """Tell of broken rules.

    Args:
        heading: the first line.
        breaches: of each rule its id, its title, what was expected and what was seen.
    """
    lines = [heading]
    for rule_id, title, expected, seen in breaches:
        lines += [f"  {rule_id}: {title}", f"    expected {expected}", f"    seen     {seen}"]
    return "\n".join(lines)


class NotApplicable(Exception):  # noqa: N818 - not an error: the rule has nothing to say here
    """A rule cannot be tried on this executable, or here; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Bench]):
    """A rule of Codex.

    Attributes:
        id: stable; its first word is the chapter.
        title: the rule, as a sentence.
        check: tries it in a place that is made for it: on a bench, or a stage for servers.
        source: how the rule is known.
        since: the first version that it holds for; empty: any.
        until: the first version that it does not hold for any more; empty: none.
        interface: what it is a rule of: ``codex exec --json`` or ``codex app-server``.
    """

    id: str
    title: str
    check: Callable[[Bench], None]
    source: str = MEASURED
    since: str = ""
    until: str = ""
    interface: Interface = "exec"

    def applies_to(self, version: str) -> bool:
        """Whether the rule is one of this version; of one that does not tell itself, all rules are."""
        number = _version_key(version)
        if not number:
            return True
        return _version_key(self.since) <= number and (not self.until or number < _version_key(self.until))

    @property
    def versions(self) -> str:
        """Which versions the rule holds for, in words."""
        since = f"from {self.since}" if self.since else ""
        until = f"before {self.until}" if self.until else ""
        return " ".join(filter(None, (since, until))) or "for every version"


AnyRule: TypeAlias = "Rule[Any]"
"""A rule of either face."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case.

    Attributes:
        rule: the rule.
        outcome: ``held``, ``breached`` or ``not applicable``.
        expected: what the rule says, if it was breached.
        actual: what the executable did, if it was breached.
        reason: why the rule does not apply, if it does not.
        seconds: how long it took.
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
        """Make a case of a function that tries a rule."""

        def entered(check: Callable[[Bench], None]) -> Callable[[Bench], None]:
            self.rules.append(Rule(f"{self.name}-{name}", title, check, source, since, until))
            return check

        return entered


def expect_equal(what: str, actual: object, expected: object) -> None:
    """Expect two values to be equal; ``Breach`` if they are not."""
    if actual != expected:
        raise Breach(f"{what}: {_shorten(expected)}", _shorten(actual))


def expect_contains(what: str, actual: str, *substrings: str) -> None:
    """Expect words in a text, upper and lower case alike; ``Breach`` if one is missing."""
    missing = [word for word in substrings if word.lower() not in actual.lower()]
    if missing:
        raise Breach(f"{what}: … {' … '.join(substrings)} …", _shorten(actual))


def expect_true(condition: Any, expected: str, actual: object) -> None:  # noqa: ANN401 - anything that is true or not
    """Expect something that is said in words; ``Breach`` if it does not hold."""
    if not condition:
        raise Breach(expected, _shorten(actual))


_MAX_LENGTH: Final = 600


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}… ({len(text)} characters)"


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
