"""The rules of the command line of ``codex exec resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import expect_refused
from yemot_ai_testing.codex.rules.process import Stdin
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal, expect_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import ExecBench

__all__ = ["RESUME_RULES", "UNKNOWN_THREAD_ID"]

RESUME_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("resume", source=MEASURED, interface="exec")

UNKNOWN_THREAD_ID: Final = "01a2021e-e1f2-71a2-898b-4fcd956cbb54"
"""A valid id that no home has."""


@RESUME_RULES.rule("options-before", "Options before `resume` apply to it")
def _options_before(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.resume(thread, "again ✓", "--sandbox", "read-only", "-C", ".", answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@RESUME_RULES.rule("options-after", "Options of `resume` can come after it, also after the id")
def _options_after(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    arguments = ("exec", "resume", "--json", thread, "--skip-git-repo-check", "--model", "gpt-5-codex", "-")
    run = bench.run(*arguments, stdin="again ✓", answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@RESUME_RULES.rule("options-on-both-sides", "The same flag before and after `resume` is not refused")
def _options_on_both_sides(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.run(*EXEC, "resume", "--json", thread, "-", stdin="again ✓", answer="second ✓")


def _rejects_option(*option: str) -> Callable[[ExecBench], None]:
    def check(bench: ExecBench) -> None:
        run = bench.run(*EXEC, "resume", *option, UNKNOWN_THREAD_ID, "-", stdin="hello ✓")
        expect_refused(bench, run, 2, f"unexpected argument '{option[0]}'")

    return check


for _name, _option in {
    "sandbox": ("--sandbox", "read-only"),
    "cd": ("-C", "."),
    "add-dir": ("--add-dir", "."),
    "profile": ("-p", "x"),
    "oss": ("--oss",),
    "color": ("--color", "never"),
}.items():
    RESUME_RULES.rule(f"lacks-{_name}", f"`resume` has no {_option[0]}: after it the option exits 2")(
        _rejects_option(*_option)
    )


@RESUME_RULES.rule("image", "After `resume`, --image takes one file: the id is still the id")
def _image(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(*EXEC, "resume", "-i", "a.png", thread, "-", stdin="again ✓", answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@RESUME_RULES.rule("double-dash", "`--` can come before the id")
def _double_dash(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(*EXEC, "resume", "--", thread, "-", stdin="again ✓", answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@RESUME_RULES.rule("third-word", "A third word exits 2")
def _third_word(bench: ExecBench) -> None:
    expect_refused(
        bench, bench.run(*EXEC, "resume", UNKNOWN_THREAD_ID, "one", "two"), 2, "unexpected argument 'two'"
    )


@RESUME_RULES.rule("prompt", "The second word is the prompt")
def _prompt(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.run(*EXEC, "resume", thread, "what else? ✓", stdin=Stdin.NULL, answer="second ✓")
    expect_equal("prompts", bench.prompts()[-1:], ["what else? ✓"])


@RESUME_RULES.rule("no-prompt", "`resume` without a prompt reads standard input, and standard error says so")
def _no_prompt(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(*EXEC, "resume", thread, stdin="again ✓", answer="second ✓")
    expect_contains("standard error", run.stderr, "Reading prompt from stdin...")


@RESUME_RULES.rule("last", "`--last` resumes the thread used last, not the one started last")
def _last(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.answered_thread()
    bench.resume(thread, answer="second ✓")
    run = bench.run(*EXEC, "resume", "--last", "-", stdin="again ✓", answer="third ✓")
    expect_equal("thread", run.thread_id, thread)


@RESUME_RULES.rule("last-elsewhere", "`--last` considers only threads of the same working folder")
def _last_elsewhere(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(*EXEC, "resume", "--last", "-", stdin="again ✓", cwd=bench.user, answer="second ✓")
    expect_true(run.thread_id != thread, "a new thread", run.thread_id)


@RESUME_RULES.rule("last-all", "`--last --all` considers the threads of every working folder")
def _last_all(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(
        *EXEC, "resume", "--last", "--all", "-", stdin="again ✓", cwd=bench.user, answer="second ✓"
    )
    expect_equal("thread", run.thread_id, thread)


@RESUME_RULES.rule("last-with-prompt", "With `--last` the first word is the prompt")
def _last_with_prompt(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(*EXEC, "resume", "--last", "what else? ✓", stdin=Stdin.NULL, answer="second ✓")
    expect_equal("thread", run.thread_id, thread)
    expect_equal("prompts", bench.prompts()[-1:], ["what else? ✓"])


@RESUME_RULES.rule("last-with-two-words", "With `--last` and two words, the first is ignored")
def _last_with_two_words(bench: ExecBench) -> None:
    first = bench.answered_thread()
    last = bench.answered_thread()
    run = bench.run(*EXEC, "resume", "--last", first, "-", stdin="again ✓", answer="second ✓")
    expect_equal("thread", run.thread_id, last)
    expect_equal("prompts", bench.prompts()[-1:], ["again ✓"])


@RESUME_RULES.rule("last-of-none", "`--last` in a home without threads silently starts a new one")
def _last_of_none(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "resume", "--last", "-", stdin="hello ✓", answer="answer ✓")
    expect_true(run.thread_id, "a thread", run.summary)
