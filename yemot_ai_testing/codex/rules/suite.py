"""The rule suite: every rule of ``codex exec --json`` or ``codex app-server``, for one executable.

    with contract.codex("real") as suite:    # or "fake", "real@0.169.0", a path
        suite.check()                        # in a test: ContractBreachError lists every breach

Rules run in parallel, each with a new bench.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from yemot_ai_testing.codex.binary import locate, parse_codex_spec
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.home import reported_version
from yemot_ai_testing.codex.rules.app_server import SERVER_RULE_GROUPS
from yemot_ai_testing.codex.rules.app_server.bench import open_bench
from yemot_ai_testing.codex.rules.backends import Backend, is_double
from yemot_ai_testing.codex.rules.bench import ExecBench
from yemot_ai_testing.codex.rules.exec import RULE_GROUPS
from yemot_ai_testing.codex.rules.fixes import wrapper_fix
from yemot_ai_testing.conformance.rule import AnyRule, Breach, Interface, RuleSuite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["RULES", "CodexSuite", "ExecutableUnusableError", "open_suite"]

RULES: Final[Mapping[Interface, tuple[AnyRule, ...]]] = {
    "exec": tuple(rule for group in RULE_GROUPS for rule in group.rules),
    "app-server": tuple(rule for group in SERVER_RULE_GROUPS for rule in group.rules),
}
"""All rules by interface, in the order of their numbers (from 1)."""


class ExecutableUnusableError(OSError):
    """An executable cannot be run, so no rule can be checked."""


@dataclass(frozen=True)
class CodexSuite(RuleSuite):
    """The rules, and the executable to check.

    Attributes:
        name: the name of the executable in reports.
        executable: its path.
        version: the version that it reports; empty if it reports none.
        without_model: it answers without calling a model, so rules about answers do not apply.
        interface: the interface whose rules are checked by default; others are found by their ids.
    """

    catalogue: ClassVar[tuple[AnyRule, ...]] = tuple(rule for rules in RULES.values() for rule in rules)
    listing: ClassVar[str] = "yemot-ai-testing contract --interface all --list"

    name: str
    executable: Path
    version: str
    without_model: bool
    interface: Interface = "exec"

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        """All rules of the interface, including those that do not apply to this version."""
        return RULES[self.interface]

    def fix_for(self, rule: AnyRule, breach: Breach) -> str:
        """Return what to change in a wrapper that breaks a rule in this way."""
        return wrapper_fix(rule, breach)

    def _check_rule(self, rule: AnyRule) -> None:
        try:
            with self._open_bench(rule) as bench:
                rule.check(bench)
        except TimeoutError as error:
            raise Breach("a reaction in time", str(error)) from error

    def _open_bench(self, rule: AnyRule) -> AbstractContextManager[object]:
        if rule.interface == "app-server":
            return open_bench(self.executable, self.version)
        backend = Backend.open(self.executable, self.version)
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
    try:
        version = reported_version(executable)
    except OSError as error:
        raise ExecutableUnusableError(f"{executable} cannot be run: {error}") from error
    return CodexSuite(
        name or str(spec), executable, version, _answers_without_model(executable, version), interface
    )


def _answers_without_model(executable: Path, version: str) -> bool:
    """Return whether the executable completes a turn without calling the model."""
    with ExecBench(Backend.open(executable, version), version=version, without_model=False) as bench:
        bench.answers("hello ✓")
        try:
            run = bench.run_turn()
        except (Breach, TimeoutError):
            return False
        return run.exit_code == 0 and not bench.backend.prompts
