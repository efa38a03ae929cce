"""The rule suite: every rule of ``codex exec --json`` or ``codex app-server``, for one executable.

    with contract.codex("real") as suite:    # or "fake", "real@0.169.0", a path
        suite.check()                        # in a test: ContractBreachError lists every breach

Rules run in parallel, each with a new bench.
"""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.binary import locate, parse_codex_spec
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.rules.app_server.bench import open_bench
from yemot_ai_testing.codex.rules.app_server.threads import SERVER_RULES
from yemot_ai_testing.codex.rules.backends import FakeBackend, ServiceBackend, is_double
from yemot_ai_testing.codex.rules.bench import ExecBench
from yemot_ai_testing.codex.rules.exec import RULE_GROUPS
from yemot_ai_testing.conformance.rule import (
    AnyRule,
    Breach,
    Interface,
    NotApplicable,
    Verdict,
    format_breaches,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from yemot_ai_testing.codex.rules.backends import ModelBackend

__all__ = [
    "RULES",
    "CodexSuite",
    "ContractBreachError",
    "ExecutableUnusableError",
    "open_suite",
    "rule_by_id",
]

RULES: Final[Mapping[Interface, tuple[AnyRule, ...]]] = {
    "exec": tuple(rule for group in RULE_GROUPS for rule in group.rules),
    "app-server": SERVER_RULES,
}
"""All rules by interface, in the order of their numbers (from 1)."""

_MAX_WORKERS: Final = 4
_TIMEOUT: Final = 30.0


class ExecutableUnusableError(OSError):
    """An executable cannot be run, so no rule can be checked."""


class ContractBreachError(AssertionError):
    """An executable breaks rules of the contract.

    Attributes:
        executable: its name in reports.
        breaches: the verdicts of the broken rules, with what was expected and what happened.
    """

    def __init__(self, executable: str, breaches: Iterable[Verdict]) -> None:
        self.executable = executable
        self.breaches = tuple(breaches)
        interfaces = " and ".join(dict.fromkeys(verdict.rule.interface for verdict in self.breaches))
        broken = ((one.rule.id, one.rule.title, one.expected, one.actual) for one in self.breaches)
        super().__init__(
            format_breaches(f"{executable} breaks {len(self.breaches)} rules of codex {interfaces}", broken)
        )


def rule_by_id(rule_id: str) -> AnyRule:
    """Return the rule with this id, of either interface.

    Raises:
        LookupError: if there is none.
    """
    by_id = {rule.id: rule for rules in RULES.values() for rule in rules}
    if rule_id not in by_id:
        raise LookupError(f"no rule {rule_id!r}; there are: {', '.join(by_id)}")
    return by_id[rule_id]


@dataclass(frozen=True, slots=True)
class CodexSuite:
    """The rules, and the executable to check.

    Attributes:
        name: the name of the executable in reports.
        executable: its path.
        version: the version that it reports; empty if it reports none.
        without_model: it answers without calling a model, so rules about answers do not apply.
        interface: the interface whose rules are checked by default.
    """

    name: str
    executable: Path
    version: str
    without_model: bool
    interface: Interface = "exec"

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        """All rules of the interface, including those that do not apply to this version."""
        return RULES[self.interface]

    def run(self, rule: AnyRule | str) -> Verdict:
        """Check one rule.

        Args:
            rule: the rule, or its id.

        Raises:
            LookupError: if there is no such rule.
        """
        rule = rule_by_id(rule) if isinstance(rule, str) else rule
        if not rule.applies_to(self.version):
            reason = f"the rule holds {rule.versions}; this is {self.version}"
            return Verdict(rule, "not applicable", reason=reason)
        started = time.monotonic()
        verdict = self._run_rule(rule)
        return Verdict(
            rule,
            verdict.outcome,
            verdict.expected,
            verdict.actual,
            verdict.reason,
            time.monotonic() - started,
        )

    def run_all(self, rules: Iterable[AnyRule] = (), *, workers: int = _MAX_WORKERS) -> list[Verdict]:
        """Check rules in parallel.

        Args:
            rules: the rules; all by default.
            workers: how many run at the same time.
        """
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self.run, tuple(rules) or self.rules))

    def check(self, *rules: AnyRule | str) -> None:
        """Check rules, and raise an error that lists all breaches.

        Args:
            rules: the rules or their ids; all by default.

        Raises:
            ContractBreachError: if the executable breaks a rule.
        """
        selected = [rule_by_id(rule) if isinstance(rule, str) else rule for rule in rules]
        breaches = [verdict for verdict in self.run_all(selected) if verdict.outcome == "breached"]
        if breaches:
            raise ContractBreachError(self.name, breaches)

    def _run_rule(self, rule: AnyRule) -> Verdict:
        try:
            with self._open_bench(rule.interface) as bench:
                rule.check(bench)
        except Breach as breach:
            return Verdict(rule, "breached", breach.expected, breach.actual)
        except NotApplicable as reason:
            return Verdict(rule, "not applicable", reason=str(reason))
        return Verdict(rule, "held")

    def _open_bench(self, interface: Interface) -> AbstractContextManager[object]:
        if interface == "app-server":
            return open_bench(self.executable, self.version)
        backend = _backend_for(self.executable, self.version)
        return ExecBench(backend, version=self.version, without_model=self.without_model)


@contextmanager
def open_suite(spec: str | Path, interface: Interface = "exec") -> Iterator[CodexSuite]:
    """Open the suite of the Codex that ``spec`` names (see ``contract.codex``).

    Raises:
        CodexSpecError: if ``spec`` does not name a Codex.
        BinaryNotFoundError: if there is no such executable.
        ExecutableUnusableError: if it cannot be run, or the fake has no such version.
    """
    parsed = parse_codex_spec(str(spec))
    if parsed.kind != "fake":
        yield suite_for(spec, interface=interface)
        return
    try:
        fake = FakeCodex(parsed.version)
    except LookupError as error:
        raise ExecutableUnusableError(str(error)) from error
    try:
        yield suite_for(fake.executable, name=str(spec), interface=interface)
    finally:
        fake.close()


def suite_for(spec: str | Path, *, name: str = "", interface: Interface = "exec") -> CodexSuite:
    """Return the suite for an existing executable."""
    executable = locate(str(spec))
    if is_double(executable) and not (executable.parents[1] / "state" / "replies").is_dir():
        raise ExecutableUnusableError(f"{executable} is the launcher of a real Codex: name that one")
    version = _version_of(executable)
    return CodexSuite(
        name or str(spec), executable, version, _answers_without_model(executable, version), interface
    )


def _backend_for(executable: Path, version: str) -> ModelBackend:
    return FakeBackend(executable, version) if is_double(executable) else ServiceBackend(executable)


def _version_of(executable: Path) -> str:
    """Return the version that ``--version`` prints; empty if it prints none."""
    try:
        run = subprocess.run(  # noqa: S603 - the executable under test
            [executable, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExecutableUnusableError(f"{executable} cannot be run: {error}") from error
    words = run.stdout.decode("utf-8", "replace").split()
    return words[-1] if run.returncode == 0 and words and words[-1][:1].isdigit() else ""


def _answers_without_model(executable: Path, version: str) -> bool:
    """Return whether the executable completes a turn without calling the model."""
    with ExecBench(_backend_for(executable, version), version=version, without_model=False) as bench:
        bench.answers("שלום")
        try:
            run = bench.run_turn()
        except Breach:
            return False
        return run.exit_code == 0 and not bench.backend.prompts
