"""The rules of other output: standard output without ``--json``, and the last-message file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.exec.argv import expect_refused
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import ExecBench

__all__ = ["OUTPUT_RULES"]

OUTPUT_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("output", source=MEASURED, interface="exec")

_PLAIN: Final = ("exec", "--skip-git-repo-check")


@OUTPUT_RULES.rule("plain", "Without --json standard output is the answer and a newline, nothing else")
def _plain(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    run = bench.run(*_PLAIN, "-", stdin="hello ✓")
    expect_equal("exit code", run.exit_code, 0)
    bench.prompts()
    expect_equal("standard output", run.stdout.decode(), "answer ✓\n")


@OUTPUT_RULES.rule("plain-failure", "Without --json a failed turn leaves standard output empty, with exit 1")
def _plain_failure(bench: ExecBench) -> None:
    bench.model.fails("unauthorized")
    run = bench.run(*_PLAIN, "-", stdin="hello ✓")
    expect_equal("exit code", run.exit_code, 1)
    expect_equal("standard output", run.stdout.decode(), "")


@OUTPUT_RULES.rule("file", "--output-last-message writes the last message to a file, without a newline")
def _file(bench: ExecBench) -> None:
    bench.run_turn("hello ✓", "--output-last-message", "message.txt", answer="answer ✓")
    bench.prompts()
    expect_equal("file", _read(bench), "answer ✓")


@OUTPUT_RULES.rule("file-of-two", "With several messages, the file has the last one")
def _file_of_two(bench: ExecBench) -> None:
    messages = bench.emits_recorded("two_messages")
    expect_equal("exit code", bench.run_turn("hello ✓", "-o", "message.txt").exit_code, 0)
    expect_equal("file", _read(bench), messages[-1])


@OUTPUT_RULES.rule("file-of-none", "Without a message the file is emptied, and standard error says so")
def _file_of_none(bench: ExecBench) -> None:
    (bench.work / "message.txt").write_text("old ✓", encoding="utf-8")
    bench.emits_recorded("no_message")
    run = bench.run_turn("hello ✓", "-o", "message.txt")
    expect_equal("exit code", run.exit_code, 0)
    expect_equal("file", _read(bench), "")
    expect_contains("standard error", run.stderr, "no last agent message")


@OUTPUT_RULES.rule("file-of-failure", "A failed turn does not change the file")
def _file_of_failure(bench: ExecBench) -> None:
    (bench.work / "message.txt").write_text("old ✓", encoding="utf-8")
    bench.model.fails("unauthorized")
    expect_equal("exit code", bench.run_turn("hello ✓", "-o", "message.txt").exit_code, 1)
    expect_equal("file", _read(bench), "old ✓")


@OUTPUT_RULES.rule(
    "file-nowhere",
    "A file in a missing folder is refused before the model is called: exit 1",
    since="0.169.0",
)
def _file_nowhere(bench: ExecBench) -> None:
    run = bench.run_turn("hello ✓", "-o", "nowhere/message.txt")
    expect_refused(bench, run, 1, "Failed to open last message file", "No such file or directory")


@OUTPUT_RULES.rule(
    "file-nowhere-late",
    "A file in a missing folder is reported on standard error after the answer, with exit 0",
    source="measured, 0.142.0 and 0.163.0",
    until="0.169.0",
)
def _file_nowhere_late(bench: ExecBench) -> None:
    run = bench.run_turn("hello ✓", "-o", "nowhere/message.txt", answer="answer ✓")
    expect_contains("standard error", run.stderr, "Failed to write last message file")


def _read(bench: ExecBench) -> str:
    path = bench.work / "message.txt"
    return path.read_text(encoding="utf-8") if path.exists() else "(no file)"
