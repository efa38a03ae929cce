"""The files of ``yemot-ai-testing contract``: expected breaches, JSON and Markdown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex.rules.fixes import wrapper_fix
from yemot_ai_testing.codex.rules.suite import RULES, CodexSuite
from yemot_ai_testing.conformance.rule import Breach
from yemot_ai_testing.executable import write_executable

RULE = "argv-unknown-option"
HELD = "argv-version"


@pytest.fixture
def wrapper(tmp_path: Path) -> str:
    """A wrapper that hides the exit code."""
    path = tmp_path / "codex"
    write_executable(path, '#!/bin/sh\n[ "$1" = --version ] && echo "codex-cli 0.171.0"\nexit 0\n')
    return str(path)


def expecting(folder: Path, *lines: str) -> list[str]:
    path = folder / "expected.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return ["--expect", str(path)]


def run(wrapper: str, *arguments: str) -> int:
    return main(["contract", "--codex", wrapper, "--rule", RULE, HELD, *arguments])


def test_a_breach_names_what_to_change_in_a_wrapper(wrapper: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wrapper) == 1
    assert "      fix       return the exit code of Codex: `exec codex …` or" in capsys.readouterr().out


def test_what_mends_several_rules_is_said_first(wrapper: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["contract", "--codex", wrapper, "--rule", RULE, "argv-two-prompts", "argv-last-alone"])
    lines = capsys.readouterr().out.splitlines()

    place = next(number for number, line in enumerate(lines) if ": 0 held, 3 breached" in line)
    assert lines[place + 1].startswith("  3 rules: return the exit code of Codex")


@pytest.mark.parametrize(
    ("rule", "expected", "actual", "fix"),
    [
        ("argv-two-prompts", "exit code: 2", "0", "return the exit code"),
        ("failure-overloaded", "exit code of the resumed turn: 1", "0", "return the exit code"),
        ("signal-term-asking", "an end within 5 s", "it still runs", "replace the wrapper by Codex"),
        ("signal-term-asking", "exit code: -15", "0", "replace the wrapper by Codex"),
        (
            "argv-dash",
            "lines of standard output that are JSON objects",
            "b'x'",
            "write what the wrapper says",
        ),
        ("home-file", "standard output: b''", "b'hello'", "write what the wrapper says"),
        ("argv-no-prompt", "standard error: … Reading prompt …", "", "leave standard error"),
        ("argv-prompt", "prompts: ['a b']", "[]", "pass all arguments on, each as it is"),
        ("stdin-nul", "prompts: ['é']", "[]", "leave standard input to Codex"),
        ("stdin-white-space", "prompts: [' é ']", "['é']", "pass standard input on byte by byte"),
        ("server-turn-order", "the notifications", "[]", "copy each line at once"),
    ],
)
def test_the_fix_follows_from_what_happened_then_from_the_rule(
    rule: str, expected: str, actual: str, fix: str
) -> None:
    assert wrapper_fix(CodexSuite.find_rule(rule), Breach(expected, actual)).startswith(fix)


def test_there_is_a_fix_for_each_rule_of_codex() -> None:
    rules = [rule for rules in RULES.values() for rule in rules]

    assert [rule.id for rule in rules if not wrapper_fix(rule, Breach("this", "that"))] == []


def test_an_expected_breach_does_not_count(
    wrapper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wrapper, *expecting(tmp_path, "# ours", "", f"{RULE}  it hides codes (#12)")) == 0
    output = capsys.readouterr().out
    assert "1 held, 0 breached, 0 not applicable, 1 expected" in output
    assert f"  x {RULE}: it hides codes (#12)" in output


def test_an_unexpected_breach_still_counts(wrapper: str, tmp_path: Path) -> None:
    assert run(wrapper, *expecting(tmp_path, "argv-dash  why")) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{HELD}  once", f"{HELD}: it is held, although a breach is expected (once): remove it"),
        ("argv-gone  once", "argv-gone: there is no such rule: remove it"),
    ],
    ids=["held", "unknown"],
)
def test_an_outdated_expectation_is_named_and_fails(
    line: str, message: str, wrapper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = expecting(tmp_path, f"{RULE}  it hides codes", line)

    assert run(wrapper, *lines) == 1
    assert f"{lines[1]}: {message}" in capsys.readouterr().err
    assert run(wrapper, *lines, "--allow-outdated") == 0


def test_an_expectation_of_a_rule_that_was_not_checked_is_not_outdated(wrapper: str, tmp_path: Path) -> None:
    assert run(wrapper, *expecting(tmp_path, f"{RULE}  it hides codes", "thread-name  later")) == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([RULE], f"expected.txt:1: {RULE} has no reason: write `{RULE}  why`"),
        ([f"{RULE} a", "", f"{RULE} b"], f"expected.txt:3: {RULE} is there twice"),
    ],
    ids=["no reason", "twice"],
)
def test_a_line_that_is_not_valid_is_named(
    lines: list[str], message: str, wrapper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wrapper, *expecting(tmp_path, *lines)) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not UTF-8"])
def test_a_file_of_expectations_that_cannot_be_read_is_named(
    content: bytes | None, wrapper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "expected.txt"
    if content is not None:
        path.write_bytes(content)

    assert run(wrapper, "--expect", str(path)) == 2
    assert f"{path} cannot be read: " in capsys.readouterr().err


def test_json_and_markdown_are_written_into_files(
    wrapper: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, page = tmp_path / "contract.json", tmp_path / "contract.md"

    assert run(wrapper, "--json", str(data), "--markdown", str(page)) == 1
    assert "┌─ " in capsys.readouterr().out
    (subject,) = json.loads(data.read_text(encoding="utf-8"))
    breached, held = subject["rules"]
    assert (breached["id"], breached["outcome"], held["outcome"]) == (RULE, "breached", "held")
    assert breached["fix"].startswith("return the exit code of Codex")
    assert "fix" not in held
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[:4] == [
        f"| rule | {wrapper} |  |",
        "| --- | :-: | --- |",
        f"| `{RULE}` | ✗ | An unknown option exits 2 and is named |",
        f"| `{HELD}` | ✓ | `--version` prints the name and the version |",
    ]
    assert f"* ✗ `{RULE}`: expected exit code: 2; actual 0" in lines


def test_markdown_can_be_printed(wrapper: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wrapper, "--markdown", "-") == 1
    assert capsys.readouterr().out.startswith(f"| rule | {wrapper} |")


@pytest.mark.parametrize("option", ["--json", "--markdown"])
@pytest.mark.parametrize("target", ["missing/report", "", "."], ids=["missing folder", "empty", "folder"])
def test_a_target_that_cannot_be_written_is_named_before_any_rule_runs(
    option: str, target: str, wrapper: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wrapper, option, target) == 2
    captured = capsys.readouterr()
    assert " cannot be written: " in captured.err
    assert captured.out == ""


def test_similar_rules_are_named_for_an_unknown_one(wrapper: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "--codex", wrapper, "--rule", "argv-dahs"]) == 2
    assert capsys.readouterr().err.startswith("no rule 'argv-dahs', but argv-dash")


def test_the_rules_are_listed_without_running_any(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "--interface", "all", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    ids = [rule.id for rules in RULES.values() for rule in rules]
    assert [line.partition("  ")[0] for line in lines] == ids
    assert all(line.partition("  ")[2] for line in lines)


@pytest.mark.parametrize("jobs", ["0", "-1", "x"])
def test_a_number_of_jobs_below_one_is_refused(
    jobs: str, wrapper: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(wrapper, f"--jobs={jobs}")
    assert f"{jobs!r} is not a whole number from 1" in capsys.readouterr().err
