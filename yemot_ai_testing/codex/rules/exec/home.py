"""Where ``codex exec`` runs: its home, and the folder that it works in."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import refused
from yemot_ai_testing.conformance.rule import Chapter, contains, same, that

if TYPE_CHECKING:
    from pathlib import Path

    from yemot_ai_testing.codex.rules.bench import Bench

__all__ = ["HOME"]

HOME: Final[Chapter[Bench]] = Chapter("home")

_UNTRUSTED: Final = "--skip-git-repo-check was not specified"


@HOME.rule("missing", "A CODEX_HOME that is not there is refused, and not made: exit 1")
def _missing(bench: Bench) -> None:
    nowhere = bench.folder / "nowhere"
    run = bench.run(*EXEC, "-", stdin="שלום", env={"CODEX_HOME": str(nowhere)})
    refused(bench, run, 1, f'"{nowhere}", but that path does not exist')
    that(not nowhere.exists(), "no folder made", str(nowhere))


@HOME.rule("file", "A CODEX_HOME that is a file is refused: exit 1")
def _file(bench: Bench) -> None:
    path = bench.folder / "file"
    path.touch()
    run = bench.run(*EXEC, "-", stdin="שלום", env={"CODEX_HOME": str(path)})
    refused(bench, run, 1, f'"{path}", but that path is not a directory')


@HOME.rule("read-only", "A CODEX_HOME that cannot be written is refused: exit 1")
def _read_only(bench: Bench) -> None:
    before = bench.unprivileged()
    bench.home.chmod(0o555)
    run = bench.run(*EXEC, "-", stdin="שלום", before=before)
    refused(bench, run, 1, "Error: failed to initialize", "Permission denied (os error 13)")


@HOME.rule("unset", "Without CODEX_HOME, or with an empty one, the home is ~/.codex, and is made")
def _unset(bench: Bench) -> None:
    for value in (None, ""):
        bench.answers("תשובה")
        bench.answered(bench.run(*EXEC, "-", stdin="שלום", env={"CODEX_HOME": value}), "תשובה")
    same("rollouts in ~/.codex", len(list(bench.user.glob(".codex/sessions/*/*/*/*.jsonl"))), 2)


@HOME.rule("untrusted", "Outside of a git repository it refuses without --skip-git-repo-check: exit 1")
def _untrusted(bench: Bench) -> None:
    refused(bench, bench.run("exec", "--json", "-", stdin="שלום"), 1, _UNTRUSTED)


@HOME.rule("untrusted-resume", "`resume` refuses likewise")
def _untrusted_resume(bench: Bench) -> None:
    thread = bench.first_thread()
    run = bench.run("exec", "--json", "resume", thread, "-", stdin="שלום")
    same("exit code", run.code, 1)
    contains("standard error", run.stderr, _UNTRUSTED)


@HOME.rule("skip-after-resume", "--skip-git-repo-check may stand after `resume`")
def _skip_after_resume(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run("exec", "--json", "resume", "--skip-git-repo-check", thread, "-", stdin="שלום")
    bench.answered(run, "שנייה")


@HOME.rule("repository", "In a git repository, and in any folder of it, it needs no --skip-git-repo-check")
def _repository(bench: Bench) -> None:
    folder = _in_repository(bench)
    bench.answers("תשובה")
    bench.answered(bench.run("exec", "--json", "-", stdin="שלום", cwd=folder), "תשובה")


@HOME.rule("cd-repository", "It is the folder of --cd that has to be in a repository")
def _cd_repository(bench: Bench) -> None:
    folder = _in_repository(bench)
    bench.answers("תשובה")
    bench.answered(bench.run("exec", "--json", "-C", str(folder), "-", stdin="שלום", cwd=bench.user), "תשובה")


@HOME.rule("cd-nowhere", "A --cd that is not there is refused: exit 1")
def _cd_nowhere(bench: Bench) -> None:
    run = bench.run(*EXEC, "-C", str(bench.folder / "nowhere"), "-", stdin="שלום")
    refused(bench, run, 1, "No such file or directory")


def _in_repository(bench: Bench) -> Path:
    subprocess.run(["git", "init", "-q", str(bench.work)], check=True, stdin=subprocess.DEVNULL)  # noqa: S603, S607 - git is what it is about
    folder = bench.work / "inside"
    folder.mkdir()
    return folder
