"""Where else an answer goes: standard output without ``--json``, and a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.exec.argv import refused
from yemot_ai_testing.conformance.rule import Chapter, contains, same

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import Bench

__all__ = ["OUTPUT"]

OUTPUT: Final[Chapter[Bench]] = Chapter("output")

_PLAIN: Final = ("exec", "--skip-git-repo-check")


@OUTPUT.rule("plain", "Without --json standard output is the answer and a line end, nothing else")
def _plain(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*_PLAIN, "-", stdin="שלום")
    same("exit code", run.code, 0)
    bench.prompts()
    same("standard output", run.stdout.decode(), "תשובה\n")


@OUTPUT.rule("plain-failure", "Without --json a failed turn leaves standard output empty, with exit 1")
def _plain_failure(bench: Bench) -> None:
    bench.fails("unauthorized")
    run = bench.run(*_PLAIN, "-", stdin="שלום")
    same("exit code", run.code, 1)
    same("standard output", run.stdout.decode(), "")


@OUTPUT.rule("file", "--output-last-message writes the last message to a file, without a line end")
def _file(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.turn("שלום", "--output-last-message", "said.txt"), "תשובה")
    bench.prompts()
    same("file", _read(bench), "תשובה")


@OUTPUT.rule("file-of-two", "Of several messages the file has the last one")
def _file_of_two(bench: Bench) -> None:
    bench.plays("two_messages")
    same("exit code", bench.turn("שלום", "-o", "said.txt").code, 0)
    same("file", _read(bench), "עכשיו שלוש וחצי.")


@OUTPUT.rule("file-of-none", "Without a message the file is made empty, and standard error says so")
def _file_of_none(bench: Bench) -> None:
    (bench.work / "said.txt").write_text("ישן", encoding="utf-8")
    bench.plays("no_message")
    run = bench.turn("שלום", "-o", "said.txt")
    same("exit code", run.code, 0)
    same("file", _read(bench), "")
    contains("standard error", run.stderr, "no last agent message")


@OUTPUT.rule("file-of-failure", "A failed turn leaves the file as it was")
def _file_of_failure(bench: Bench) -> None:
    (bench.work / "said.txt").write_text("ישן", encoding="utf-8")
    bench.fails("unauthorized")
    same("exit code", bench.turn("שלום", "-o", "said.txt").code, 1)
    same("file", _read(bench), "ישן")


@OUTPUT.rule(
    "file-nowhere",
    "A file in a folder that is not there is refused before the model is asked: exit 1",
    since="0.169.0",
)
def _file_nowhere(bench: Bench) -> None:
    run = bench.turn("שלום", "-o", "nowhere/said.txt")
    refused(bench, run, 1, "Failed to open last message file", "No such file or directory")


@OUTPUT.rule(
    "file-nowhere-late",
    "A file in a folder that is not there is only a matter for standard error, after the answer",
    source="measured, 0.142.0 and 0.163.0",
    until="0.169.0",
)
def _file_nowhere_late(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.turn("שלום", "-o", "nowhere/said.txt")
    bench.answered(run, "תשובה")
    contains("standard error", run.stderr, "Failed to write last message file")


def _read(bench: Bench) -> str:
    path = bench.work / "said.txt"
    return path.read_text(encoding="utf-8") if path.exists() else "(no file)"
