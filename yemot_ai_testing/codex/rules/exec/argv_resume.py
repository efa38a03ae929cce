"""How ``codex exec resume`` reads its command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import refused
from yemot_ai_testing.codex.rules.process import Stdin
from yemot_ai_testing.conformance.rule import Chapter, contains, same, that

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import Bench

__all__ = ["ARGV_RESUME", "UNKNOWN"]

ARGV_RESUME: Final[Chapter[Bench]] = Chapter("resume")

UNKNOWN: Final = "01a2021e-e1f2-71a2-898b-4fcd956cbb54"
"""A well-formed id that no home knows."""


@ARGV_RESUME.rule("options-before", "Options before `resume` hold for it")
def _options_before(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.resume(thread, "שוב", "--sandbox", "read-only", "-C", ".")
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@ARGV_RESUME.rule("options-after", "Options that `resume` has may stand after it, also after the id")
def _options_after(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    given = ("exec", "resume", "--json", thread, "--skip-git-repo-check", "--model", "gpt-5-codex", "-")
    run = bench.run(*given, stdin="שוב")
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@ARGV_RESUME.rule("options-on-both-sides", "The same flag before and after `resume` is no repetition")
def _options_on_both_sides(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    bench.answered(bench.run(*EXEC, "resume", "--json", thread, "-", stdin="שוב"), "שנייה")


def _lacks(*option: str) -> Callable[[Bench], None]:
    def check(bench: Bench) -> None:
        run = bench.run(*EXEC, "resume", *option, UNKNOWN, "-", stdin="שלום")
        refused(bench, run, 2, f"unexpected argument '{option[0]}'")

    return check


for _name, _option in {
    "sandbox": ("--sandbox", "read-only"),
    "cd": ("-C", "."),
    "add-dir": ("--add-dir", "."),
    "profile": ("-p", "x"),
    "oss": ("--oss",),
    "color": ("--color", "never"),
}.items():
    ARGV_RESUME.rule(f"lacks-{_name}", f"`resume` has no {_option[0]}: after it the option exits 2")(
        _lacks(*_option)
    )


@ARGV_RESUME.rule("image", "After `resume`, --image takes one file: the id is still the id")
def _image(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", "-i", "a.png", thread, "-", stdin="שוב")
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@ARGV_RESUME.rule("double-dash", "`--` may stand before the id")
def _double_dash(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", "--", thread, "-", stdin="שוב")
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@ARGV_RESUME.rule("third-word", "A third word exits 2")
def _third_word(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "resume", UNKNOWN, "one", "two"), 2, "unexpected argument 'two'")


@ARGV_RESUME.rule("prompt", "The second word is the prompt")
def _prompt(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", thread, "ומה עוד?", stdin=Stdin.NULL)
    bench.answered(run, "שנייה")
    same("what the model was asked", bench.prompts()[-1:], ["ומה עוד?"])


@ARGV_RESUME.rule("no-prompt", "`resume` without a prompt reads standard input, and standard error says so")
def _no_prompt(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", thread, stdin="שוב")
    bench.answered(run, "שנייה")
    contains("standard error", run.stderr, "Reading prompt from stdin...")


@ARGV_RESUME.rule("last", "`--last` resumes the thread that was used last, not the one that began last")
def _last(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.first_thread()
    bench.answers("שנייה", "שלישית")
    bench.answered(bench.resume(thread), "שנייה")
    run = bench.run(*EXEC, "resume", "--last", "-", stdin="שוב")
    bench.answered(run, "שלישית")
    same("thread", run.thread, thread)


@ARGV_RESUME.rule("last-elsewhere", "`--last` looks only among the threads of the same working folder")
def _last_elsewhere(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", "--last", "-", stdin="שוב", cwd=bench.user)
    bench.answered(run, "שנייה")
    that(run.thread != thread, "a new thread", run.thread)


@ARGV_RESUME.rule("last-all", "`--last --all` looks among the threads of every working folder")
def _last_all(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", "--last", "--all", "-", stdin="שוב", cwd=bench.user)
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@ARGV_RESUME.rule("last-with-prompt", "With `--last` the first word is the prompt")
def _last_with_prompt(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", "--last", "ומה עוד?", stdin=Stdin.NULL)
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)
    same("what the model was asked", bench.prompts()[-1:], ["ומה עוד?"])


@ARGV_RESUME.rule("last-with-two-words", "With `--last` and two words, the first is passed over")
def _last_with_two_words(bench: Bench) -> None:
    first = bench.first_thread()
    last = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "resume", "--last", first, "-", stdin="שוב")
    bench.answered(run, "שנייה")
    same("thread", run.thread, last)
    same("what the model was asked", bench.prompts()[-1:], ["שוב"])


@ARGV_RESUME.rule("last-of-none", "`--last` in a home without threads begins a new one, silently")
def _last_of_none(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, "resume", "--last", "-", stdin="שלום")
    bench.answered(run, "תשובה")
    that(run.thread, "a thread", run.summary)
