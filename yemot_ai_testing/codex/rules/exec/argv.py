"""The rules of the command line of ``codex exec``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.process import Stdin
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal, expect_true

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import ExecBench
    from yemot_ai_testing.codex.rules.process import CompletedRun

__all__ = ["ARGV_RULES", "expect_refused"]

ARGV_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("argv", source=MEASURED, interface="exec")

_READS_PROMPT: Final = "Reading prompt from stdin..."


def expect_refused(bench: ExecBench, run: CompletedRun, exit_code: int, *substrings: str) -> None:
    """Expect this exit code and these texts on standard error, no event, and no call to the model."""
    expect_equal("exit code", run.exit_code, exit_code)
    expect_equal("standard output", run.stdout, b"")
    expect_contains("standard error", run.stderr, *substrings)
    bench.expect_no_requests()


@ARGV_RULES.rule("dash", "With `-`, standard input is the prompt, and standard error has no message about it")
def _dash(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "-", stdin="hello ✓", answer="answer ✓")
    expect_true(_READS_PROMPT not in run.stderr, "no message about standard input", run.summary)
    expect_equal("prompts", bench.prompts(), ["hello ✓"])


@ARGV_RULES.rule("no-prompt", "Without a prompt, standard input is the prompt, and standard error says so")
def _no_prompt(bench: ExecBench) -> None:
    run = bench.run(*EXEC, stdin="hello ✓", answer="answer ✓")
    expect_contains("standard error", run.stderr, _READS_PROMPT)
    expect_equal("prompts", bench.prompts(), ["hello ✓"])


@ARGV_RULES.rule("prompt", "An argument is the prompt")
def _prompt(bench: ExecBench) -> None:
    bench.run(*EXEC, "hello ✓", stdin=Stdin.NULL, answer="answer ✓")
    expect_equal("prompts", bench.prompts(), ["hello ✓"])


@ARGV_RULES.rule("double-dash-word", "After `--` the name of a subcommand is a prompt")
def _double_dash_word(bench: ExecBench) -> None:
    bench.run(*EXEC, "--", "review", stdin=Stdin.NULL, answer="answer ✓")
    expect_equal("prompts", bench.prompts(), ["review"])


@ARGV_RULES.rule("double-dash-option", "After `--` an option is a prompt")
def _double_dash_option(bench: ExecBench) -> None:
    bench.run(*EXEC, "--", "--json", stdin=Stdin.NULL, answer="answer ✓")
    expect_equal("prompts", bench.prompts(), ["--json"])


@ARGV_RULES.rule("double-dash-dash", "After `--` a `-` still means standard input")
def _double_dash_dash(bench: ExecBench) -> None:
    bench.run(*EXEC, "--", "-", stdin="hello ✓", answer="answer ✓")
    expect_equal("prompts", bench.prompts(), ["hello ✓"])


@ARGV_RULES.rule("word-review", "The prompt `review` is the subcommand: it exits 1 and calls no model")
def _word_review(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "review", stdin=Stdin.NULL), 1, "--uncommitted")


@ARGV_RULES.rule("word-help", "The prompt `help` is the subcommand: it prints the usage and exits 0")
def _word_help(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "help", stdin=Stdin.NULL)
    expect_equal("exit code", run.exit_code, 0)
    expect_contains("standard output", run.stdout.decode(), "Usage: codex exec", "resume")
    bench.expect_no_requests()


@ARGV_RULES.rule("word-resume", "The prompt `resume` is the subcommand: without a prompt it exits 1")
def _word_resume(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "resume", stdin=Stdin.NULL), 1, "No prompt provided via stdin")


@ARGV_RULES.rule("two-prompts", "A second prompt exits 2")
def _two_prompts(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "one", "two"), 2, "unexpected argument 'two'")


@ARGV_RULES.rule("unknown-option", "An unknown option exits 2 and is named")
def _unknown_option(bench: ExecBench) -> None:
    expect_refused(
        bench, bench.run(*EXEC, "--frobnicate", "-", stdin="hello ✓"), 2, "unexpected argument '--frobnicate'"
    )


@ARGV_RULES.rule("unknown-letter", "An unknown short option exits 2 and is named")
def _unknown_letter(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "-Z", "-", stdin="hello ✓"), 2, "unexpected argument '-Z'")


@ARGV_RULES.rule("last-alone", "`--last` without `resume` exits 2")
def _last_alone(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "--last", "-", stdin="hello ✓"), 2, "unexpected argument '--last'")


@ARGV_RULES.rule("flag-twice", "A flag given twice exits 2")
def _flag_twice(bench: ExecBench) -> None:
    expect_refused(
        bench, bench.run(*EXEC, "--json", "-", stdin="hello ✓"), 2, "'--json' cannot be used multiple times"
    )


@ARGV_RULES.rule("flag-with-value", "A flag with a value exits 2")
def _flag_with_value(bench: ExecBench) -> None:
    run = bench.run("exec", "--skip-git-repo-check", "--json=3", "-", stdin="hello ✓")
    expect_refused(bench, run, 2, "unexpected value '3' for '--json'")


@ARGV_RULES.rule("value-missing", "An option without its value exits 2")
def _value_missing(bench: ExecBench) -> None:
    expect_refused(bench, bench.run(*EXEC, "--sandbox"), 2, "a value is required for '--sandbox")


@ARGV_RULES.rule("value-unknown", "An invalid value of an option exits 2, and the valid ones are listed")
def _value_unknown(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "--sandbox", "bogus", "-", stdin="hello ✓")
    expect_refused(bench, run, 2, "invalid value 'bogus' for '--sandbox", "read-only")


@ARGV_RULES.rule("unknown-feature", "Disabling an unknown feature exits 1")
def _unknown_feature(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "--disable", "frobnication", "-", stdin="hello ✓")
    expect_refused(bench, run, 1, "Unknown feature flag: frobnication")


@ARGV_RULES.rule("unknown-setting", "An unknown setting is at most a warning")
def _unknown_setting(bench: ExecBench) -> None:
    bench.run_turn("hello ✓", "-c", "frob.nicate=1", answer="answer ✓")


@ARGV_RULES.rule("setting-without-value", "A setting without `=` exits 1")
def _setting_without_value(bench: ExecBench) -> None:
    expect_refused(bench, bench.run_turn("hello ✓", "-c", "nonsense"), 1, "missing '='", "nonsense")


@ARGV_RULES.rule("experimental-json", "`--experimental-json` is `--json`")
def _experimental_json(bench: ExecBench) -> None:
    bench.run("exec", "--experimental-json", "--skip-git-repo-check", "-", stdin="hello ✓", answer="answer ✓")


@ARGV_RULES.rule("alias", "`e` is `exec`")
def _alias(bench: ExecBench) -> None:
    bench.run("e", *EXEC[1:], "-", stdin="hello ✓", answer="answer ✓")


@ARGV_RULES.rule("version", "`--version` prints the name and the version")
def _version(bench: ExecBench) -> None:
    run = bench.run("--version", stdin=Stdin.NULL)
    expect_equal("exit code", run.exit_code, 0)
    words = run.stdout.decode().split()
    expect_true(words[:1] == ["codex-cli"] and words[1][0].isdigit(), "codex-cli VERSION", run.summary)


@ARGV_RULES.rule("features", "`features list` prints a feature, its stage and its state on each line")
def _features(bench: ExecBench) -> None:
    run = bench.run("features", "list", stdin=Stdin.NULL)
    expect_equal("exit code", run.exit_code, 0)
    lines = [line.split() for line in run.stdout.decode().splitlines()]
    expect_true(
        all(words[-1] in {"true", "false"} for words in lines), "lines that end in true or false", run.summary
    )
    expect_true("shell_tool" in {words[0] for words in lines}, "the feature shell_tool", run.summary)


@ARGV_RULES.rule(
    "greedy-image", "Before `resume`, --image takes every word: `--image A resume ID` is a new thread"
)
def _greedy_image(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.run(*EXEC, "--image", "a.png", "resume", thread, stdin="again ✓", answer="second ✓")
    expect_true(run.thread_id != thread, "a new thread", f"the thread of the id, {thread}")


@ARGV_RULES.rule(
    "greedy-image-dash", "--image takes a `-` too: then there is no prompt, so standard input is read"
)
def _greedy_image_dash(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "-i", "a.png", "-", stdin="hello ✓", answer="answer ✓")
    expect_contains("standard error", run.stderr, _READS_PROMPT)


@ARGV_RULES.rule("image-then-option", "An option ends the values of --image")
def _image_then_option(bench: ExecBench) -> None:
    run = bench.run(
        "exec",
        "--skip-git-repo-check",
        "-i",
        "a.png",
        "b.png",
        "--json",
        "-",
        stdin="hello ✓",
        answer="answer ✓",
    )
    expect_true(_READS_PROMPT not in run.stderr, "no message about standard input", run.summary)


@ARGV_RULES.rule("image-then-double-dash", "`--` ends the values of --image")
def _image_then_double_dash(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "-i", "a.png", "--", "-", stdin="hello ✓", answer="answer ✓")
    expect_true(_READS_PROMPT not in run.stderr, "no message about standard input", run.summary)


@ARGV_RULES.rule("image-with-equals", "`--image=A` takes one file: the next word is the prompt")
def _image_with_equals(bench: ExecBench) -> None:
    run = bench.run(*EXEC, "--image=a.png", "-", stdin="hello ✓", answer="answer ✓")
    expect_true(_READS_PROMPT not in run.stderr, "no message about standard input", run.summary)
