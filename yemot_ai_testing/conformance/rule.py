"""One rule that an executable is held to, and what comes of holding it to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

Place = TypeVar("Place")

__all__ = [
    "MEASURED",
    "AnyCase",
    "Breach",
    "Case",
    "Chapter",
    "Face",
    "NotApplicable",
    "Outcome",
    "Verdict",
    "contains",
    "same",
    "that",
    "told",
]

MEASURED: Final = "measured, 0.169.0"
"""The source of a rule that was read off the real binary of this version."""

Outcome = Literal["held", "breached", "not applicable"]

Face = Literal["exec", "app-server"]
"""Which way of talking with Codex a rule is about."""


class Breach(AssertionError):  # noqa: N818 - the word of the trade, and of the table
    """An executable did not do what a rule says.

    Attributes:
        expected: what the rule says.
        seen: what the executable did.
    """

    def __init__(self, expected: str, seen: str) -> None:
        self.expected = expected
        self.seen = seen
        super().__init__(f"expected {expected}; seen {seen}")


def told(head: str, breaches: Iterable[tuple[str, str, str, str]]) -> str:
    """Tell of broken rules.

    Args:
        head: the first line.
        breaches: of each rule its id, its title, what was expected and what was seen.
    """
    lines = [head]
    for rule_id, title, expected, seen in breaches:
        lines += [f"  {rule_id}: {title}", f"    expected {expected}", f"    seen     {seen}"]
    return "\n".join(lines)


class NotApplicable(Exception):  # noqa: N818 - not an error: the rule has nothing to say here
    """A rule cannot be tried on this executable, or here; the message says why."""


@dataclass(frozen=True, slots=True)
class Case(Generic[Place]):
    """A rule of Codex.

    Attributes:
        id: stable; its first word is the chapter.
        title: the rule, as a sentence.
        check: tries it in a place that is made for it: on a bench, or a stage for servers.
        source: how the rule is known.
        since: the first version that it holds for; empty: any.
        until: the first version that it does not hold for any more; empty: none.
        face: what it is a rule of: ``codex exec --json`` or ``codex app-server``.
    """

    id: str
    title: str
    check: Callable[[Place], None]
    source: str = MEASURED
    since: str = ""
    until: str = ""
    face: Face = "exec"

    def holds_for(self, version: str) -> bool:
        """Whether the rule is one of this version; of one that does not tell itself, all rules are."""
        number = _number(version)
        if not number:
            return True
        return _number(self.since) <= number and (not self.until or number < _number(self.until))

    @property
    def versions(self) -> str:
        """Which versions the rule holds for, in words."""
        since = f"from {self.since}" if self.since else ""
        until = f"before {self.until}" if self.until else ""
        return " ".join(filter(None, (since, until))) or "for every version"


AnyCase: TypeAlias = "Case[Any]"
"""A rule of either face."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case.

    Attributes:
        case: the rule.
        outcome: ``held``, ``breached`` or ``not applicable``.
        expected: what the rule says, if it was breached.
        seen: what the executable did, if it was breached.
        why: why the rule does not apply, if it does not.
        seconds: how long it took.
    """

    case: AnyCase
    outcome: Outcome
    expected: str = ""
    seen: str = ""
    why: str = ""
    seconds: float = 0.0


class Chapter(Generic[Place]):
    """The rules of one subject, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case[Place]] = []

    def rule(
        self, name: str, title: str, *, source: str = MEASURED, since: str = "", until: str = ""
    ) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
        """Make a case of a function that tries a rule."""

        def entered(check: Callable[[Place], None]) -> Callable[[Place], None]:
            self.cases.append(Case(f"{self.name}-{name}", title, check, source, since, until))
            return check

        return entered


def same(what: str, seen: object, expected: object) -> None:
    """Expect two values to be equal; ``Breach`` if they are not."""
    if seen != expected:
        raise Breach(f"{what}: {_shown(expected)}", _shown(seen))


def contains(what: str, seen: str, *words: str) -> None:
    """Expect words in a text, upper and lower case alike; ``Breach`` if one is missing."""
    missing = [word for word in words if word.lower() not in seen.lower()]
    if missing:
        raise Breach(f"{what}: … {' … '.join(words)} …", _shown(seen))


def that(holds: Any, expected: str, seen: object) -> None:  # noqa: ANN401 - anything that is true or not
    """Expect something that is said in words; ``Breach`` if it does not hold."""
    if not holds:
        raise Breach(expected, _shown(seen))


_LONGEST: Final = 600


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
