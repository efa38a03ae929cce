"""The rules of the standard input of ``codex exec``: open, closed, missing, unusual text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import expect_refused
from yemot_ai_testing.codex.rules.process import Stdin, keeps_running, wait_completed
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal, expect_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import ExecBench

__all__ = ["STDIN_RULES"]

STDIN_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("stdin", source=MEASURED, interface="exec")

_NO_PROMPT: Final = "No prompt provided via stdin"


@STDIN_RULES.rule("null-dash", "With `-` and /dev/null there is no prompt: exit 1")
def _null_dash(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "-", stdin=Stdin.NULL), 1, _NO_PROMPT)


@STDIN_RULES.rule("closed-dash", "With `-` and a closed standard input there is no prompt: exit 1")
def _closed_dash(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "-", stdin=Stdin.CLOSED), 1, _NO_PROMPT)


@STDIN_RULES.rule("empty", "An empty standard input is no prompt: exit 1")
def _empty(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "-", stdin=""), 1, _NO_PROMPT)


@STDIN_RULES.rule("blank", "White space alone is no prompt: exit 1")
def _blank(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "-", stdin=" \n\t"), 1, _NO_PROMPT)


@STDIN_RULES.rule("closed-prompt", "A prompt argument works with a closed standard input")
def _closed_prompt(bench: ExecBench) -> None:
    bench.run(*EXEC, "hello ✓", stdin=Stdin.CLOSED, answer="answer ✓")
    expect_equal("prompts", bench.prompts(), ["hello ✓"])


@STDIN_RULES.rule("open-prompt", "With a prompt argument it still waits until standard input is closed")
def _open_prompt(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    process = bench.start(*EXEC, "hello ✓")
    expect_true(keeps_running(process), "a process that waits", "it has ended")
    bench.expect_no_requests()
    bench.expect_answered(wait_completed(process.close_stdin()), "answer ✓")


@STDIN_RULES.rule("open-dash", "With `-` it does not call the model before standard input is closed")
def _open_dash(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    process = bench.start(*EXEC, "-").write_stdin("hello ✓\n")
    expect_true(keeps_running(process), "a process that waits", "it has ended")
    bench.expect_no_requests()
    bench.expect_answered(wait_completed(process.write_stdin("goodbye ✓").close_stdin()), "answer ✓")
    expect_equal("prompts", bench.prompts(), ["hello ✓\ngoodbye ✓"])


@STDIN_RULES.rule("open-prompt-resume", "`resume` with a prompt argument does not wait for standard input")
def _open_prompt_resume(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.answers("second ✓")
    process = bench.start(*EXEC, "resume", thread, "again ✓")
    bench.expect_answered(wait_completed(process), "second ✓")


@STDIN_RULES.rule("with-prompt", "With a prompt, standard input is appended to it as a <stdin> block")
def _piped_and_prompt(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "summarize ✓", stdin="a long text ✓", answer="answer ✓")
    expect_contains("standard error", run.stderr, "Reading additional input from stdin...")
    expect_equal("prompts", bench.prompts(), ["summarize ✓\n\n<stdin>\na long text ✓\n</stdin>"])


@STDIN_RULES.rule("with-prompt-resume", "`resume` with a prompt does not read standard input")
def _piped_and_prompt_resume(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.run(*EXEC, "resume", thread, "again ✓", stdin="more ✓", answer="second ✓")
    expect_equal("prompts", bench.prompts()[-1:], ["again ✓"])


def _reads_unchanged(text: str, *, written: bytes | None = None) -> Callable[[ExecBench], None]:
    def check(bench: ExecBench) -> None:
        bench.run(*EXEC, "-", stdin=text if written is None else written, answer="answer ✓")
        expect_equal("prompts", bench.prompts(), [text])

    return check


STDIN_RULES.rule("white-space", "White space and newlines of a prompt are kept")(
    _reads_unchanged("  é\r\nñ \n\n")
)
STDIN_RULES.rule("unicode", "U+2028, direction marks, combining marks and emoji of a prompt are kept")(
    _reads_unchanged("a\u2028é\u2029ñ\u200fe\u0301 \U0001f600\x85\x7f")
)
STDIN_RULES.rule("nul", "A NUL in a prompt is kept")(_reads_unchanged("é\0ñ"))
STDIN_RULES.rule("byte-order-mark", "A UTF-8 byte order mark before a prompt is removed")(
    _reads_unchanged("hello ✓", written=b"\xef\xbb\xbf" + "hello ✓".encode())
)
STDIN_RULES.rule("long", "A prompt of 200 kB is complete")(_reads_unchanged("é" * 100_000))


@STDIN_RULES.rule("not-utf8", "A prompt that is not UTF-8 is refused: exit 1, and the offset is named")
def _not_utf8(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "-", stdin=b"ab\xff\xfecd")
    expect_refused(bench, run, 1, "not valid UTF-8", "offset 2")


@STDIN_RULES.rule(
    "too-long", "A prompt of more than 1,048,576 characters is refused after thread.started: exit 1"
)
def _too_long(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "-", stdin="a" * 1_048_577)
    expect_equal("exit code", run.exit_code, 1)
    expect_equal("events", run.event_types, ["thread.started"])
    expect_contains("standard error", run.stderr, "exceeds the maximum length of 1048576 characters")
    bench.expect_no_requests()
