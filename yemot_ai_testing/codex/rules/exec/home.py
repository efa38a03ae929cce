"""The rules of the home and the working folder of ``codex exec``."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import expect_refused
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal, expect_true

if TYPE_CHECKING:
    from pathlib import Path

    from yemot_ai_testing.codex.rules.bench import ExecBench

__all__ = ["HOME_RULES"]

HOME_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("home", source=MEASURED, interface="exec")

_UNTRUSTED: Final = "--skip-git-repo-check was not specified"


@HOME_RULES.rule("missing", "A CODEX_HOME that does not exist is refused, and not created: exit 1")
def _missing(bench: ExecBench) -> None:
    nowhere = bench.folder / "nowhere"
    run = bench.run(*EXEC, "-", stdin="hello ✓", env={"CODEX_HOME": str(nowhere)})
    expect_refused(bench, run, 1, f'"{nowhere}", but that path does not exist')
    expect_true(not nowhere.exists(), "no folder created", str(nowhere))


@HOME_RULES.rule("file", "A CODEX_HOME that is a file is refused: exit 1")
def _file(bench: ExecBench) -> None:
    path = bench.folder / "file"
    path.touch()
    run = bench.run(*EXEC, "-", stdin="hello ✓", env={"CODEX_HOME": str(path)})
    expect_refused(bench, run, 1, f'"{path}", but that path is not a directory')


@HOME_RULES.rule("read-only", "A CODEX_HOME that cannot be written is refused: exit 1")
def _read_only(bench: ExecBench) -> None:
    before = bench.unprivileged_wrapper()
    bench.home.chmod(0o555)
    run = bench.run(*EXEC, "-", stdin="hello ✓", wrapper=before)
    expect_refused(bench, run, 1, "Error: failed to initialize", "Permission denied (os error 13)")


@HOME_RULES.rule("unset", "Without CODEX_HOME, or with an empty one, the home is ~/.codex, and is created")
def _unset(bench: ExecBench) -> None:
    for value in (None, ""):
        bench.run(*EXEC, "-", stdin="hello ✓", env={"CODEX_HOME": value}, answer="answer ✓")
    expect_equal("rollouts in ~/.codex", len(list(bench.user.glob(".codex/sessions/*/*/*/*.jsonl"))), 2)


@HOME_RULES.rule("untrusted", "Outside of a git repository --skip-git-repo-check is required: exit 1")
def _untrusted(bench: ExecBench) -> None:
    expect_refused(bench, bench.run("exec", "--json", "-", stdin="hello ✓"), 1, _UNTRUSTED)


@HOME_RULES.rule("untrusted-resume", "The same for `resume`")
def _untrusted_resume(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run("exec", "--json", "resume", thread, "-", stdin="hello ✓")
    expect_equal("exit code", run.exit_code, 1)
    expect_contains("standard error", run.stderr, _UNTRUSTED)


@HOME_RULES.rule("skip-after-resume", "--skip-git-repo-check can come after `resume`")
def _skip_after_resume(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.run(
        "exec", "--json", "resume", "--skip-git-repo-check", thread, "-", stdin="hello ✓", answer="second ✓"
    )


@HOME_RULES.rule(
    "repository", "In a git repository, and in any folder of it, --skip-git-repo-check is not needed"
)
def _repository(bench: ExecBench) -> None:
    folder = _in_repository(bench)
    bench.run("exec", "--json", "-", stdin="hello ✓", cwd=folder, answer="answer ✓")


@HOME_RULES.rule("cd-repository", "The folder of --cd must be in a repository")
def _cd_repository(bench: ExecBench) -> None:
    folder = _in_repository(bench)
    bench.run("exec", "--json", "-C", str(folder), "-", stdin="hello ✓", cwd=bench.user, answer="answer ✓")


@HOME_RULES.rule("cd-nowhere", "A folder of --cd that does not exist is refused: exit 1")
def _cd_nowhere(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "-C", str(bench.folder / "nowhere"), "-", stdin="hello ✓")
    expect_refused(bench, run, 1, "No such file or directory")


def _in_repository(bench: ExecBench) -> Path:
    subprocess.run(["git", "init", "-q", str(bench.work)], check=True, stdin=subprocess.DEVNULL)  # noqa: S603, S607 - the rule is about git
    folder = bench.work / "inside"
    folder.mkdir()
    return folder
