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

from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.rules import exec as rules
from yemot_ai_testing.codex.rules.app_server.bench import on_executable
from yemot_ai_testing.codex.rules.app_server.threads import CASES as SERVER_CASES
from yemot_ai_testing.codex.rules.backends import FakeStage, ServedStage, is_double
from yemot_ai_testing.codex.rules.bench import Bench
from yemot_ai_testing.conformance.rule import AnyCase, Breach, Face, NotApplicable, Verdict, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from yemot_ai_testing.codex.rules.backends import Stage

__all__ = ["CASES", "ContractBreachError", "ExecutableUnusableError", "Suite", "case", "open_suite"]

CASES: Final[Mapping[Face, tuple[AnyCase, ...]]] = {
    "exec": tuple(case for chapter in rules.CHAPTERS for case in chapter.cases),
    "app-server": SERVER_CASES,
}
"""All rules, by what they are rules of, in the order of their numbers (from 1)."""

_AT_ONCE: Final = 4
_PATIENCE: Final = 30.0


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
        faces = " and ".join(dict.fromkeys(verdict.case.face for verdict in self.breaches))
        broken = ((one.case.id, one.case.title, one.expected, one.seen) for one in self.breaches)
        super().__init__(told(f"{executable} breaks {len(self.breaches)} rules of codex {faces}", broken))


def case(case_id: str) -> AnyCase:
    """The case of this id, of either face.

    Raises:
        LookupError: there is none.
    """
    known = {one.id: one for cases in CASES.values() for one in cases}
    if case_id not in known:
        raise LookupError(f"no case {case_id!r}; there are: {', '.join(known)}")
    return known[case_id]


@dataclass(frozen=True, slots=True)
class Suite:
    """The rules, and the executable that is held to them.

    Attributes:
        name: how the executable is called in a report.
        executable: its path.
        version: what it says its version is; empty if it says none.
        canned: it answers out of itself and asks no model, so that no rule about answers can be tried.
        face: which rules are meant where none is named.
    """

    name: str
    executable: Path
    version: str
    canned: bool
    face: Face = "exec"

    @property
    def cases(self) -> tuple[AnyCase, ...]:
        """All cases of its face; those that do not apply end so."""
        return CASES[self.face]

    def run(self, tried: AnyCase | str) -> Verdict:
        """Try one case.

        Args:
            tried: the case, or its id.

        Raises:
            LookupError: there is no such case.
        """
        tried = case(tried) if isinstance(tried, str) else tried
        if not tried.holds_for(self.version):
            why = f"the rule holds {tried.versions}; this is {self.version}"
            return Verdict(tried, "not applicable", why=why)
        started = time.monotonic()
        verdict = self._tried(tried)
        return Verdict(
            tried, verdict.outcome, verdict.expected, verdict.seen, verdict.why, time.monotonic() - started
        )

    def results(self, cases: Iterable[AnyCase] = (), *, at_once: int = _AT_ONCE) -> list[Verdict]:
        """Try cases, some side by side.

        Args:
            cases: which; all without.
            at_once: how many run at the same time.
        """
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(self.run, tuple(cases) or self.cases))

    def check(self, *cases: AnyCase | str) -> None:
        """Hold the executable to rules.

        Args:
            cases: which, or their ids; all without.

        Raises:
            ContractBreachError: it breaks one of them; all breaches are listed.
        """
        chosen = [case(one) if isinstance(one, str) else one for one in cases]
        breaches = [verdict for verdict in self.results(chosen) if verdict.outcome == "breached"]
        if breaches:
            raise ContractBreachError(self.name, breaches)

    def _tried(self, tried: AnyCase) -> Verdict:
        try:
            with self._place(tried.face) as place:
                tried.check(place)
        except Breach as breach:
            return Verdict(tried, "breached", breach.expected, breach.seen)
        except NotApplicable as reason:
            return Verdict(tried, "not applicable", why=str(reason))
        return Verdict(tried, "held")

    def _place(self, face: Face) -> AbstractContextManager[object]:
        if face == "app-server":
            return on_executable(self.executable, self.version)
        stage = _stage(self.executable, self.version)
        return Bench(stage, version=self.version, canned=self.canned)


@contextmanager
def open_suite(spec: str | Path, face: Face = "exec") -> Iterator[Suite]:
    """The suite for what ``spec`` names, as long as the context is open (see ``contract.codex``)."""
    kind, _, version = str(spec).partition("@")
    if kind != "fake":
        yield suite_of(spec, face=face)
        return
    try:
        fake = FakeCodex(version or None)
    except LookupError as error:
        raise ExecutableUnusableError(str(error)) from error
    try:
        yield suite_of(fake.executable, name=str(spec), face=face)
    finally:
        fake.close()


def suite_of(spec: str | Path, *, name: str = "", face: Face = "exec") -> Suite:
    """The suite for an executable that is there."""
    executable = locate(str(spec))
    if is_double(executable) and not (executable.parents[1] / "state" / "replies").is_dir():
        raise ExecutableUnusableError(f"{executable} only leads to a real Codex: try that one")
    version = _version(executable)
    return Suite(name or str(spec), executable, version, _canned(executable, version), face)


def _stage(executable: Path, version: str) -> Stage:
    return FakeStage(executable, version) if is_double(executable) else ServedStage(executable)


def _version(executable: Path) -> str:
    """What it says behind its name; empty if it says nothing that looks like a version."""
    try:
        asked = subprocess.run(  # noqa: S603 - the executable on trial
            [executable, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExecutableUnusableError(f"{executable} cannot be run: {error}") from error
    words = asked.stdout.decode("utf-8", "replace").split()
    return words[-1] if asked.returncode == 0 and words and words[-1][:1].isdigit() else ""


def _canned(executable: Path, version: str) -> bool:
    """Whether it ends a turn well without having asked the model."""
    with Bench(_stage(executable, version), version=version, canned=False) as bench:
        bench.answers("שלום")
        try:
            run = bench.turn()
        except Breach:
            return False
        return run.code == 0 and not bench.stage.prompts
