"""What ``codex exec`` does with its standard input: open, closed, absent, odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import refused
from yemot_ai_testing.codex.rules.process import Stdin
from yemot_ai_testing.conformance.rule import Chapter, contains, same, that

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import Bench

__all__ = ["STDIN"]

STDIN: Final[Chapter[Bench]] = Chapter("stdin")

_NO_PROMPT: Final = "No prompt provided via stdin"


@STDIN.rule("null-dash", "With `-` and /dev/null there is no prompt: exit 1")
def _null_dash(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "-", stdin=Stdin.NULL), 1, _NO_PROMPT)


@STDIN.rule("closed-dash", "With `-` and a closed standard input there is no prompt: exit 1")
def _closed_dash(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "-", stdin=Stdin.CLOSED), 1, _NO_PROMPT)


@STDIN.rule("empty", "An empty standard input is no prompt: exit 1")
def _empty(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "-", stdin=""), 1, _NO_PROMPT)


@STDIN.rule("blank", "White space alone is no prompt: exit 1")
def _blank(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "-", stdin=" \n\t"), 1, _NO_PROMPT)


@STDIN.rule("closed-prompt", "A prompt among the arguments is asked with a closed standard input")
def _closed_prompt(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.run(*EXEC, "שלום", stdin=Stdin.CLOSED), "תשובה")
    same("what the model was asked", bench.prompts(), ["שלום"])


@STDIN.rule("open-prompt", "With a prompt among the arguments it still waits until standard input is closed")
def _open_prompt(bench: Bench) -> None:
    bench.answers("תשובה")
    process = bench.start(*EXEC, "שלום")
    that(process.waits(), "a process that waits", "it has ended")
    bench.never_asked()
    bench.answered(process.hangs_up().ends(), "תשובה")


@STDIN.rule("open-dash", "With `-` it asks nothing before standard input is closed, whatever it has read")
def _open_dash(bench: Bench) -> None:
    bench.answers("תשובה")
    process = bench.start(*EXEC, "-").tells("שלום\n")
    that(process.waits(), "a process that waits", "it has ended")
    bench.never_asked()
    bench.answered(process.tells("ולהתראות").hangs_up().ends(), "תשובה")
    same("what the model was asked", bench.prompts(), ["שלום\nולהתראות"])


@STDIN.rule(
    "open-prompt-resume", "`resume` with a prompt among the arguments does not wait for standard input"
)
def _open_prompt_resume(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    process = bench.start(*EXEC, "resume", thread, "שוב")
    process.exits()
    bench.answered(process.hangs_up().ends(), "שנייה")


@STDIN.rule("besides-prompt", "What is piped besides a prompt is added to it as a <stdin> block")
def _besides_prompt(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, "סכם", stdin="טקסט ארוך")
    bench.answered(run, "תשובה")
    contains("standard error", run.stderr, "Reading additional input from stdin...")
    same("what the model was asked", bench.prompts(), ["סכם\n\n<stdin>\nטקסט ארוך\n</stdin>"])


@STDIN.rule("besides-prompt-resume", "`resume` does not read what is piped besides a prompt")
def _besides_prompt_resume(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    bench.answered(bench.run(*EXEC, "resume", thread, "שוב", stdin="עוד"), "שנייה")
    same("what the model was asked", bench.prompts()[-1:], ["שוב"])


def _as_it_is(text: str, *, written: bytes | None = None) -> Callable[[Bench], None]:
    def check(bench: Bench) -> None:
        bench.answers("תשובה")
        bench.answered(bench.run(*EXEC, "-", stdin=text if written is None else written), "תשובה")
        same("what the model was asked", bench.prompts(), [text])

    return check


STDIN.rule("white-space", "White space and line ends of a prompt are kept")(_as_it_is("  א\r\nב \n\n"))
STDIN.rule("unicode", "U+2028, directions, niqqud and emoji of a prompt are kept")(
    _as_it_is("א\u2028ב\u2029ג\u200fד\u05b0 \U0001f600\x85\x7f")
)
STDIN.rule("nul", "A NUL in a prompt is kept")(_as_it_is("א\0ב"))
STDIN.rule("byte-order-mark", "A UTF-8 byte order mark before a prompt is dropped")(
    _as_it_is("שלום", written=b"\xef\xbb\xbf" + "שלום".encode())
)
STDIN.rule("long", "A prompt of 200 kB arrives whole")(_as_it_is("ש" * 100_000))


@STDIN.rule("not-utf8", "A prompt that is not UTF-8 is refused: exit 1, and the offset is named")
def _not_utf8(bench: Bench) -> None:
    run = bench.run(*EXEC, "-", stdin=b"ab\xff\xfecd")
    refused(bench, run, 1, "not valid UTF-8", "offset 2")


@STDIN.rule("too-long", "A prompt of more than 1,048,576 characters is refused after thread.started: exit 1")
def _too_long(bench: Bench) -> None:
    run = bench.run(*EXEC, "-", stdin="a" * 1_048_577)
    same("exit code", run.code, 1)
    same("events", run.kinds, ["thread.started"])
    contains("standard error", run.stderr, "exceeds the maximum length of 1048576 characters")
    bench.never_asked()
