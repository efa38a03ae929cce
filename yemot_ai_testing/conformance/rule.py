"""Rules, the verdict of checking one, and the suite that checks them on a subject.

A contract is a list of rules, each a function of a bench: a fresh environment with the subject. A suite opens
the bench of a rule, runs the rule, and returns a ``Verdict``.
"""

from __future__ import annotations

import difflib
import re
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar

Bench = TypeVar("Bench")
Result = TypeVar("Result")

__all__ = [
    "MEASURED",
    "AnyRule",
    "Breach",
    "ContractBreachError",
    "Interface",
    "NotApplicable",
    "NotRun",
    "Rule",
    "RuleGroup",
    "RuleOutcome",
    "RuleSuite",
    "RulesNotRunWarning",
    "Verdict",
    "expect_contains",
    "expect_equal",
    "expect_true",
]

MEASURED: Final = "measured, 0.169.0"
"""The source of a rule that was measured with the real binary of this version."""

RuleOutcome = Literal["held", "breached", "expected", "not applicable", "not run"]

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


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """A rule does not apply to this subject or this machine; the message has the reason."""


class NotRun(Exception):  # noqa: N818 - an outcome, not an error
    """A rule applies, but what it needs was not given; the message says what to give."""


class RulesNotRunWarning(UserWarning):
    """``check`` could not run some rules: nothing is known about them."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Bench]):
    """A rule.

    Attributes:
        id: a stable name; its first word is the group.
        title: the rule, as a sentence.
        check: checks the rule on a fresh bench; raises ``Breach``, ``NotApplicable`` or ``NotRun``. The
            checks of session stores and providers are coroutine functions.
        source: the source of the rule; empty for a rule of this project.
        since: the first version with this behaviour; empty: all.
        until: the first version without it; empty: none.
        interface: of a rule of Codex: ``exec`` (``codex exec --json``) or ``app-server``; else empty.
        fix: what to change in a subject that breaks the rule; empty if there is no general advice.
    """

    id: str
    title: str
    check: Callable[[Bench], Any]
    source: str = ""
    since: str = ""
    until: str = ""
    interface: Interface | Literal[""] = ""
    fix: str = ""

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
"""A rule of any contract."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking one rule.

    Attributes:
        rule: the rule.
        outcome: ``held``, ``breached``, ``expected`` (breached, as a file of expectations says), ``not
            applicable`` or ``not run``.
        expected: what the rule requires, if it was breached.
        actual: what happened, if it was breached.
        reason: why the breach is expected, the rule does not apply, or was not run.
        seconds: the duration of the check.
        fix: what to change in the subject, if the rule was breached; empty if there is no advice.
    """

    rule: AnyRule
    outcome: RuleOutcome
    expected: str = ""
    actual: str = ""
    reason: str = ""
    seconds: float = 0.0
    fix: str = ""


class ContractBreachError(AssertionError):
    """A subject breaks rules of its contract.

    Attributes:
        subject: its name in reports.
        breaches: the verdicts of the broken rules, with what was expected and what happened.
    """

    def __init__(self, subject: str, breaches: Iterable[Verdict]) -> None:
        self.subject = subject
        self.breaches = tuple(breaches)
        interfaces = " and ".join(dict.fromkeys(one.rule.interface for one in self.breaches))
        lines = [f"{subject} breaks {len(self.breaches)} rules{f' of codex {interfaces}' * bool(interfaces)}"]
        for one in self.breaches:
            lines += [
                f"  {one.rule.id}: {one.rule.title}",
                f"    expected {one.expected}",
                f"    actual   {one.actual}",
                *([f"    fix      {one.fix}"] if one.fix else []),
            ]
        super().__init__("\n".join(lines))


class RuleGroup(Generic[Bench]):
    """The rules of one subject, in order.

    Args:
        name: the first word of their ids.
        source: the source of the rules that have no source of their own.
        interface: the interface of Codex; empty for rules of something else.
    """

    def __init__(self, name: str, *, source: str = "", interface: Interface | Literal[""] = "") -> None:
        self.name = name
        self.rules: list[Rule[Bench]] = []
        self._source = source
        self._interface = interface

    def rule(  # noqa: PLR0913 - the fields of a rule
        self,
        name: str,
        title: str = "",
        *,
        source: str = "",
        since: str = "",
        until: str = "",
        fix: str = "",
    ) -> Callable[[Callable[[Bench], Result]], Callable[[Bench], Result]]:
        """Add the decorated function as a rule; its docstring is the title of a rule without ``title``."""

        def add(check: Callable[[Bench], Result]) -> Callable[[Bench], Result]:
            sentence = title or (check.__doc__ or "").strip().removesuffix(".")
            rule_id, origin = f"{self.name}-{name}", source or self._source
            rule = Rule(rule_id, sentence, check, origin, since, until, self._interface, fix)
            self.rules.append(rule)
            return check

        return add


class RuleSuite(ABC):
    """The rules of a contract, and the subject to check.

    Attributes:
        catalogue: the rules that ``run`` and ``check`` find by their ids.
        listing: the command or the call that lists them.
        max_workers: how many rules run at the same time by default.
        name: the name of the subject in reports.
        version: the version of the subject; empty if it is unknown.
    """

    catalogue: ClassVar[tuple[AnyRule, ...]]
    listing: ClassVar[str]
    max_workers: ClassVar[int] = 4
    name: str
    version: str

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        """The rules that are checked by default, including those that do not apply to this version."""
        return self.catalogue

    @classmethod
    def find_rule(cls, rule_id: str) -> AnyRule:
        """Return the rule with this id.

        Raises:
            LookupError: if there is none; it names at most five, similar ones first.
        """
        by_id = {rule.id: rule for rule in cls.catalogue}
        if rule_id not in by_id:
            similar = difflib.get_close_matches(rule_id, by_id, n=_MAX_NAMED) or list(by_id)[:_MAX_NAMED]
            raise LookupError(f"no rule {rule_id!r}, but {', '.join(similar)}; all: {cls.listing}")
        return by_id[rule_id]

    def fix_for(self, rule: AnyRule, breach: Breach) -> str:
        """Return what to change in a subject that breaks a rule in this way; that of the rule by default."""
        del breach
        return rule.fix

    def run(self, rule: AnyRule | str) -> Verdict:
        """Check one rule.

        Args:
            rule: the rule, or its id.

        Raises:
            LookupError: if there is no such rule.
        """
        rule = self.find_rule(rule) if isinstance(rule, str) else rule
        if not rule.applies_to(self.version):
            reason = f"the rule holds {rule.versions}; this is {self.version}"
            return Verdict(rule, "not applicable", reason=reason)
        started = time.monotonic()
        try:
            self._check_rule(rule)
        except Breach as breach:
            seconds, fix = time.monotonic() - started, self.fix_for(rule, breach)
            return Verdict(rule, "breached", breach.expected, breach.actual, seconds=seconds, fix=fix)
        except (NotApplicable, NotRun) as reason:
            outcome: RuleOutcome = "not run" if isinstance(reason, NotRun) else "not applicable"
            return Verdict(rule, outcome, reason=str(reason), seconds=time.monotonic() - started)
        return Verdict(rule, "held", seconds=time.monotonic() - started)

    def run_all(self, rules: Iterable[AnyRule] | None = None, *, workers: int = 0) -> list[Verdict]:
        """Check rules in parallel, each on a fresh bench.

        Args:
            rules: the rules; all by default.
            workers: how many run at the same time; ``max_workers`` by default.
        """
        with ThreadPoolExecutor(workers or self.max_workers) as pool:
            return list(pool.map(self.run, self.rules if rules is None else tuple(rules)))

    def check(self, *rules: AnyRule | str) -> None:
        """Check rules, and raise an error that lists all breaches.

        Rules that could not be run are named in a ``RulesNotRunWarning``.

        Args:
            rules: the rules or their ids; all by default.

        Raises:
            ContractBreachError: if the subject breaks a rule.
            LookupError: if there is no such rule.
        """
        selected = [self.find_rule(rule) if isinstance(rule, str) else rule for rule in rules]
        verdicts = self.run_all(selected or None)
        self._warn_of_rules_not_run([verdict for verdict in verdicts if verdict.outcome == "not run"])
        breaches = [verdict for verdict in verdicts if verdict.outcome == "breached"]
        if breaches:
            raise ContractBreachError(self.name, breaches)

    def _warn_of_rules_not_run(self, verdicts: Iterable[Verdict]) -> None:
        by_reason: dict[str, list[str]] = {}
        for verdict in verdicts:
            by_reason.setdefault(verdict.reason, []).append(verdict.rule.id)
        for reason, ids in by_reason.items():
            text = f"{len(ids)} rules were not run on {self.name}: {reason} ({', '.join(ids)})"
            warnings.warn(text, RulesNotRunWarning, stacklevel=3)

    @abstractmethod
    def _check_rule(self, rule: AnyRule) -> None:
        """Check a rule on a fresh bench; raise ``Breach``, ``NotApplicable`` or ``NotRun``."""


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
_MAX_NAMED: Final = 5


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}… ({len(text)} characters)"


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
