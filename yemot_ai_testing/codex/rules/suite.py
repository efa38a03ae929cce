"""The suite: every rule of ``codex exec --json`` or ``codex app-server``, tried on one executable.

    with contract.codex("real") as suite:    # or a path, a version, "fake"
        suite.check()                        # in a test: ContractBreachError lists every breach

Independent cases run side by side; each has a bench of its own.
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
from yemot_ai_testing.codex.rules import exec as rules
from yemot_ai_testing.codex.rules.app_server.bench import open_bench
from yemot_ai_testing.codex.rules.app_server.threads import SERVER_RULES as SERVER_CASES
from yemot_ai_testing.codex.rules.backends import FakeBackend, ServiceBackend, is_double
from yemot_ai_testing.codex.rules.bench import ExecBench
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
    "exec": tuple(case for chapter in rules.RULE_GROUPS for case in chapter.rules),
    "app-server": SERVER_CASES,
}
"""All rules, by what they are rules of, in the order of their numbers (from 1)."""

_MAX_WORKERS: Final = 4
_TIMEOUT: Final = 30.0


class ExecutableUnusableError(OSError):
    """An executable cannot be tried, because it cannot be run at all."""


class ContractBreachError(AssertionError):
    """An executable does not keep the contract.

    Attributes:
        executable: which.
        breaches: the rules it breaks, with what was expected and seen.
    """

    def __init__(self, executable: str, breaches: Iterable[Verdict]) -> None:
        self.executable = executable
        self.breaches = tuple(breaches)
        faces = " and ".join(dict.fromkeys(verdict.rule.interface for verdict in self.breaches))
        broken = ((one.rule.id, one.rule.title, one.expected, one.actual) for one in self.breaches)
        super().__init__(
            format_breaches(f"{executable} breaks {len(self.breaches)} rules of codex {faces}", broken)
        )


def rule_by_id(rule_id: str) -> AnyRule:
    """The case of this id, of either face.

    Raises:
        LookupError: there is none.
    """
    known = {one.id: one for cases in RULES.values() for one in cases}
    if rule_id not in known:
        raise LookupError(f"no case {rule_id!r}; there are: {', '.join(known)}")
    return known[rule_id]


@dataclass(frozen=True, slots=True)
class CodexSuite:
    """The rules, and the executable that is held to them.

    Attributes:
        name: how the executable is called in a report.
        executable: its path.
        version: what it says its version is; empty if it says none.
        without_model: it answers out of itself and asks no model, so that no rule about answers can be tried.
        interface: which rules are meant where none is named.
    """

    name: str
    executable: Path
    version: str
    without_model: bool
    interface: Interface = "exec"

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        """All cases of its face; those that do not apply end so."""
        return RULES[self.interface]

    def run(self, rule: AnyRule | str) -> Verdict:
        """Try one case.

        Args:
            rule: the case, or its id.

        Raises:
            LookupError: there is no such case.
        """
        rule = rule_by_id(rule) if isinstance(rule, str) else rule
        if not rule.applies_to(self.version):
            why = f"the rule holds {rule.versions}; this is {self.version}"
            return Verdict(rule, "not applicable", reason=why)
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
        """Try cases, some side by side.

        Args:
            rules: which; all without.
            workers: how many run at the same time.
        """
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self.run, tuple(rules) or self.rules))

    def check(self, *rules: AnyRule | str) -> None:
        """Hold the executable to rules.

        Args:
            rules: which, or their ids; all without.

        Raises:
            ContractBreachError: it breaks one of them; all breaches are listed.
        """
        chosen = [rule_by_id(one) if isinstance(one, str) else one for one in rules]
        breaches = [verdict for verdict in self.run_all(chosen) if verdict.outcome == "breached"]
        if breaches:
            raise ContractBreachError(self.name, breaches)

    def _run_rule(self, rule: AnyRule) -> Verdict:
        try:
            with self._open_bench(rule.interface) as place:
                rule.check(place)
        except Breach as breach:
            return Verdict(rule, "breached", breach.expected, breach.actual)
        except NotApplicable as reason:
            return Verdict(rule, "not applicable", reason=str(reason))
        return Verdict(rule, "held")

    def _open_bench(self, interface: Interface) -> AbstractContextManager[object]:
        if interface == "app-server":
            return open_bench(self.executable, self.version)
        stage = _backend_for(self.executable, self.version)
        return ExecBench(stage, version=self.version, without_model=self.without_model)


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
    """The suite for an executable that is there."""
    executable = locate(str(spec))
    if is_double(executable) and not (executable.parents[1] / "state" / "replies").is_dir():
        raise ExecutableUnusableError(f"{executable} only leads to a real Codex: try that one")
    version = _version_of(executable)
    return CodexSuite(
        name or str(spec), executable, version, _answers_without_model(executable, version), interface
    )


def _backend_for(executable: Path, version: str) -> ModelBackend:
    return FakeBackend(executable, version) if is_double(executable) else ServiceBackend(executable)


def _version_of(executable: Path) -> str:
    """What it says behind its name; empty if it says nothing that looks like a version."""
    try:
        asked = subprocess.run(  # noqa: S603 - the executable on trial
            [executable, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExecutableUnusableError(f"{executable} cannot be run: {error}") from error
    words = asked.stdout.decode("utf-8", "replace").split()
    return words[-1] if asked.returncode == 0 and words and words[-1][:1].isdigit() else ""


def _answers_without_model(executable: Path, version: str) -> bool:
    """Whether it ends a turn well without having asked the model."""
    with ExecBench(_backend_for(executable, version), version=version, without_model=False) as bench:
        bench.answers("שלום")
        try:
            run = bench.run_turn()
        except Breach:
            return False
        return run.exit_code == 0 and not bench.backend.prompts
