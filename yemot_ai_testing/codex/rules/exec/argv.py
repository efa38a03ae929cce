"""How ``codex exec`` reads its command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.process import Stdin
from yemot_ai_testing.conformance.rule import Chapter, contains, same, that

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import Bench
    from yemot_ai_testing.codex.rules.process import Run

__all__ = ["ARGV", "refused"]

ARGV: Final[Chapter[Bench]] = Chapter("argv")

_READS_PROMPT: Final = "Reading prompt from stdin..."


def refused(bench: Bench, run: Run, code: int, *words: str) -> None:
    """Expect a run that ended with this code and these words, without an event and without the model."""
    same("exit code", run.code, code)
    same("standard output", run.stdout, b"")
    contains("standard error", run.stderr, *words)
    bench.never_asked()


@ARGV.rule("dash", "`-` means: the prompt is what standard input holds, and nothing is said about it")
def _dash(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, "-", stdin="שלום")
    bench.answered(run, "תשובה")
    that(_READS_PROMPT not in run.stderr, "no word about standard input", run.summary)
    same("what the model was asked", bench.prompts(), ["שלום"])


@ARGV.rule("no-prompt", "Without a prompt, standard input is the prompt, and standard error says so")
def _no_prompt(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, stdin="שלום")
    bench.answered(run, "תשובה")
    contains("standard error", run.stderr, _READS_PROMPT)
    same("what the model was asked", bench.prompts(), ["שלום"])


@ARGV.rule("prompt", "A word is the prompt")
def _prompt(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.run(*EXEC, "שלום", stdin=Stdin.NULL), "תשובה")
    same("what the model was asked", bench.prompts(), ["שלום"])


@ARGV.rule("double-dash-word", "After `--` the name of a subcommand is a prompt")
def _double_dash_word(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.run(*EXEC, "--", "review", stdin=Stdin.NULL), "תשובה")
    same("what the model was asked", bench.prompts(), ["review"])


@ARGV.rule("double-dash-option", "After `--` an option is a prompt")
def _double_dash_option(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.run(*EXEC, "--", "--json", stdin=Stdin.NULL), "תשובה")
    same("what the model was asked", bench.prompts(), ["--json"])


@ARGV.rule("double-dash-dash", "After `--` a `-` still means standard input")
def _double_dash_dash(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.run(*EXEC, "--", "-", stdin="שלום"), "תשובה")
    same("what the model was asked", bench.prompts(), ["שלום"])


@ARGV.rule("word-review", "The prompt `review` is the subcommand: it exits 1 and asks nothing")
def _word_review(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "review", stdin=Stdin.NULL), 1, "--uncommitted")


@ARGV.rule("word-help", "The prompt `help` is the subcommand: it prints the usage and exits 0")
def _word_help(bench: Bench) -> None:
    run = bench.run(*EXEC, "help", stdin=Stdin.NULL)
    same("exit code", run.code, 0)
    contains("standard output", run.stdout.decode(), "Usage: codex exec", "resume")
    bench.never_asked()


@ARGV.rule("word-resume", "The prompt `resume` is the subcommand: without a prompt it exits 1")
def _word_resume(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "resume", stdin=Stdin.NULL), 1, "No prompt provided via stdin")


@ARGV.rule("two-prompts", "A second prompt exits 2")
def _two_prompts(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "one", "two"), 2, "unexpected argument 'two'")


@ARGV.rule("unknown-option", "An unknown option exits 2 and is named")
def _unknown_option(bench: Bench) -> None:
    refused(
        bench, bench.run(*EXEC, "--frobnicate", "-", stdin="שלום"), 2, "unexpected argument '--frobnicate'"
    )


@ARGV.rule("unknown-letter", "An unknown short option exits 2 and is named")
def _unknown_letter(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "-Z", "-", stdin="שלום"), 2, "unexpected argument '-Z'")


@ARGV.rule("last-alone", "`--last` without `resume` exits 2")
def _last_alone(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "--last", "-", stdin="שלום"), 2, "unexpected argument '--last'")


@ARGV.rule("flag-twice", "A flag given twice exits 2")
def _flag_twice(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "--json", "-", stdin="שלום"), 2, "'--json' cannot be used multiple times")


@ARGV.rule("flag-with-value", "A flag with a value exits 2")
def _flag_with_value(bench: Bench) -> None:
    run = bench.run("exec", "--skip-git-repo-check", "--json=3", "-", stdin="שלום")
    refused(bench, run, 2, "unexpected value '3' for '--json'")


@ARGV.rule("value-missing", "An option without its value exits 2")
def _value_missing(bench: Bench) -> None:
    refused(bench, bench.run(*EXEC, "--sandbox"), 2, "a value is required for '--sandbox")


@ARGV.rule("value-unknown", "A value that an option does not know exits 2, and those it knows are listed")
def _value_unknown(bench: Bench) -> None:
    run = bench.run(*EXEC, "--sandbox", "bogus", "-", stdin="שלום")
    refused(bench, run, 2, "invalid value 'bogus' for '--sandbox", "read-only")


@ARGV.rule("unknown-feature", "Switching off a feature that it does not know exits 1")
def _unknown_feature(bench: Bench) -> None:
    run = bench.run(*EXEC, "--disable", "frobnication", "-", stdin="שלום")
    refused(bench, run, 1, "Unknown feature flag: frobnication")


@ARGV.rule("unknown-setting", "A setting that it does not know is only a matter for a warning")
def _unknown_setting(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.turn("שלום", "-c", "frob.nicate=1"), "תשובה")


@ARGV.rule("setting-without-value", "A setting without `=` exits 1")
def _setting_without_value(bench: Bench) -> None:
    refused(bench, bench.turn("שלום", "-c", "nonsense"), 1, "missing '='", "nonsense")


@ARGV.rule("experimental-json", "`--experimental-json` is `--json`")
def _experimental_json(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run("exec", "--experimental-json", "--skip-git-repo-check", "-", stdin="שלום")
    bench.answered(run, "תשובה")


@ARGV.rule("alias", "`e` is `exec`")
def _alias(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.run("e", *EXEC[1:], "-", stdin="שלום"), "תשובה")


@ARGV.rule("version", "`--version` prints the name and the version")
def _version(bench: Bench) -> None:
    run = bench.run("--version", stdin=Stdin.NULL)
    same("exit code", run.code, 0)
    words = run.stdout.decode().split()
    that(words[:1] == ["codex-cli"] and words[1][0].isdigit(), "codex-cli VERSION", run.summary)


@ARGV.rule("features", "`features list` prints a feature, its stage and its state on each line")
def _features(bench: Bench) -> None:
    run = bench.run("features", "list", stdin=Stdin.NULL)
    same("exit code", run.code, 0)
    lines = [line.split() for line in run.stdout.decode().splitlines()]
    that(
        all(words[-1] in {"true", "false"} for words in lines), "lines that end in true or false", run.summary
    )
    that("shell_tool" in {words[0] for words in lines}, "the feature shell_tool", run.summary)


@ARGV.rule(
    "greedy-image", "Before `resume`, --image swallows every word: `--image A resume ID` is a new thread"
)
def _greedy_image(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.run(*EXEC, "--image", "a.png", "resume", thread, stdin="שוב")
    bench.answered(run, "שנייה")
    that(run.thread != thread, "a new thread", f"the thread of the id, {thread}")


@ARGV.rule(
    "greedy-image-dash", "--image swallows a `-` too: the prompt is then missing, and so standard input"
)
def _greedy_image_dash(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, "-i", "a.png", "-", stdin="שלום")
    bench.answered(run, "תשובה")
    contains("standard error", run.stderr, _READS_PROMPT)


@ARGV.rule("image-then-option", "An option ends what --image swallows")
def _image_then_option(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run("exec", "--skip-git-repo-check", "-i", "a.png", "b.png", "--json", "-", stdin="שלום")
    bench.answered(run, "תשובה")
    that(_READS_PROMPT not in run.stderr, "no word about standard input", run.summary)


@ARGV.rule("image-then-double-dash", "`--` ends what --image swallows")
def _image_then_double_dash(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, "-i", "a.png", "--", "-", stdin="שלום")
    bench.answered(run, "תשובה")
    that(_READS_PROMPT not in run.stderr, "no word about standard input", run.summary)


@ARGV.rule("image-with-equals", "`--image=A` takes one file: what follows is the prompt")
def _image_with_equals(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, "--image=a.png", "-", stdin="שלום")
    bench.answered(run, "תשובה")
    that(_READS_PROMPT not in run.stderr, "no word about standard input", run.summary)
