"""The drift report: differences, their cause and their severity."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.drift.differences import compare_recordings
from yemot_ai_testing.codex.drift.drift import (
    CODEX_CHANGED,
    FAKE_WRONG,
    READER_WRONG,
    Corpus,
    Difference,
    DriftReport,
    compare_corpora,
)
from yemot_ai_testing.codex.drift.fake_check import record_fake_cases
from yemot_ai_testing.codex.drift.reader_check import is_turn, outcome_by_reader, outcome_by_recording
from yemot_ai_testing.codex.drift.report import as_json, as_markdown, as_table
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.home import version_of
from yemot_ai_testing.codex.recorder.cases import CASES
from yemot_ai_testing.codex.recordings import OutputLine, Recording

if TYPE_CHECKING:
    from collections.abc import Callable

NEWEST = recordings.versions()[-1]


@pytest.fixture(scope="module")
def early() -> DriftReport:
    return compare_corpora(Corpus.load("0.142.0"), Corpus.load("0.163.0"))


@pytest.fixture(scope="module")
def late() -> DriftReport:
    return compare_corpora(Corpus.load("0.163.0"), Corpus.load("0.169.0"))


def changed(recording: Recording, before: str, after: str) -> Recording:
    """Return the recording with a changed word in its output."""
    lines = tuple(OutputLine(line.at, line.text.replace(before, after)) for line in recording.stdout)
    errors = tuple(line.replace(before, after) for line in recording.stderr)
    assert (lines, errors) != (recording.stdout, recording.stderr)
    return replace(recording, stdout=lines, stderr=errors)


def compared(folder: Path, *cases: Recording) -> tuple[Difference, ...]:
    """Return the differences between the newest version and these recordings."""
    for case in cases:
        case.write(folder / f"{case.case}.json")
    old = Corpus.load(NEWEST)
    same_cases = {case.case: old.recorded[case.case] for case in cases}
    new = replace(Corpus.load(folder), name="new")
    return compare_corpora(replace(old, recorded=same_cases), new).differences


def recorded(case: str) -> Recording:
    return recordings.load_newest()[case]


def summary(differences: tuple[Difference, ...]) -> list[tuple[str, str, str]]:
    return [(one.cause, one.severity, one.what) for one in differences]


@pytest.mark.parametrize("version", recordings.versions())
def test_our_reader_is_right_about_every_recorded_turn(version: str) -> None:
    by_case = recordings.load_version(version)
    turns = {case: recording for case, recording in by_case.items() if is_turn(recording)}
    assert len(turns) > 30
    for case, recording in turns.items():
        expected, actual = outcome_by_recording(recording), outcome_by_reader(recording)
        assert expected.kind in {"", actual.kind}, case
        assert expected.text == actual.text, case


@pytest.mark.slow
@pytest.mark.parametrize("version", recordings.versions())
def test_the_fake_of_a_version_does_in_every_case_what_was_recorded(version: str) -> None:
    real = recordings.load_version(version)
    fake = record_fake_cases(real, lambda: FakeCodex(version))
    assert set(fake) == set(CASES)
    changes = {case: list(compare_recordings(real[case], recording)) for case, recording in fake.items()}
    assert {case: found for case, found in changes.items() if found} == {}


@pytest.mark.slow
def test_two_versions_with_minor_differences_do_not_break_us(late: DriftReport) -> None:
    report = late
    assert not report.breaks
    assert {one.cause for one in report.differences} == {CODEX_CHANGED}
    reworded = [one for one in report.differences if "unknown_model" in one.cases]
    assert {one.severity for one in reworded} == {"wording"}


@pytest.mark.slow
def test_a_turn_with_another_outcome_breaks_us(early: DriftReport) -> None:
    report = early
    worst = [one for one in report.differences if one.severity == "breaks us"]
    assert [(one.what, one.before, one.after, one.cases) for one in worst] == [
        ("outcome of the turn", "answer", "session_busy", ("busy_session",))
    ]
    assert report.breaks


@pytest.mark.slow
def test_a_new_counter_is_one_new_field_for_all_cases(early: DriftReport) -> None:
    report = early
    (counter,) = [one for one in report.differences if "cache_write_input_tokens" in one.what]
    assert (counter.cause, counter.severity) == (CODEX_CHANGED, "new field")
    assert {"answer", "resumed", "tool_call"} <= set(counter.cases)


def test_the_end_of_a_slow_command_is_new_since_the_early_version(early: DriftReport) -> None:
    report = early
    (difference,) = [one for one in report.differences if "command_execution" in one.what]
    assert (difference.severity, difference.cases) == ("new field", ("tool_slow",))


def test_a_failure_with_an_unknown_message_is_the_fault_of_our_reader(tmp_path: Path) -> None:
    found = compared(tmp_path, changed(recorded("rate_limited"), "429 Too Many Requests", "too hasty"))
    assert (READER_WRONG, "breaks us", "outcome by our reader") in summary(found)
    (difference,) = [one for one in found if one.cause == READER_WRONG]
    assert (difference.before, difference.after, difference.where) == ("rate_limited", "crashed", "new")


def test_a_counter_that_we_do_not_know_is_a_new_field(tmp_path: Path) -> None:
    found = compared(tmp_path, changed(recorded("answer"), '"usage":{', '"usage":{"more":1,'))
    assert summary(found) == [(CODEX_CHANGED, "new field", "turn.completed: usage.more")]


def test_counters_under_other_names_break_us(tmp_path: Path) -> None:
    found = compared(tmp_path, changed(recorded("answer"), '"input_tokens"', '"tokens_in"'))
    assert summary(found)[0] == (CODEX_CHANGED, "breaks us", "counters input_tokens")


def test_usage_of_one_turn_instead_of_the_thread_is_a_difference_of_the_fake(tmp_path: Path) -> None:
    found = compared(tmp_path, changed(recorded("resumed"), '"input_tokens":200', '"input_tokens":100'))
    fakes = [one for one in found if one.cause == FAKE_WRONG]
    assert [(one.what, one.before, one.after, one.cases) for one in fakes] == [
        ("turn.completed: usage.input_tokens", "100", "200", ("resumed",))
    ]


def test_a_fake_with_another_outcome_breaks_us() -> None:
    whole = Corpus.load(NEWEST)
    old = replace(whole, recorded={"busy_session": whole.recorded["busy_session"]})
    # A fake that accepts a second writer, compared with a Codex that refuses it.
    early = replace(old, make_fake=lambda: FakeCodex("0.142.0"))
    report = compare_corpora(old, early)
    worst = [one for one in report.differences if one.severity == "breaks us"]
    assert [(one.cause, one.cases, one.before, one.after) for one in worst] == [
        (FAKE_WRONG, ("busy_session",), "session_busy", "answer")
    ]


def test_another_exit_code_breaks_us(tmp_path: Path) -> None:
    found = compared(tmp_path, replace(recorded("interrupted"), exit_code=130))
    assert (CODEX_CHANGED, "breaks us", "exit code") in summary(found)


def test_a_missing_event_is_a_lost_field(tmp_path: Path) -> None:
    whole = recorded("tool_call")
    found = compared(tmp_path, replace(whole, stdout=whole.stdout[:3] + whole.stdout[4:]))
    assert summary(found) == [(CODEX_CHANGED, "lost field", "event item.started (command_execution)")]


def test_another_warning_is_a_difference_of_wording(tmp_path: Path) -> None:
    whole = recorded("answer")
    found = compared(tmp_path, replace(whole, stderr=(*whole.stderr, "WARNING: it rains")))
    assert (CODEX_CHANGED, "wording", "stderr") in summary(found)
    assert {one.severity for one in found} == {"wording"}


def test_a_removed_feature_is_named(tmp_path: Path) -> None:
    whole = recorded("features")
    lines = tuple(line for line in whole.stdout if not line.text.startswith("shell_tool "))
    found = compared(tmp_path, replace(whole, stdout=lines))
    assert [(one.severity, one.before) for one in found] == [("lost field", "shell_tool")]


def test_times_do_not_count(tmp_path: Path) -> None:
    whole = recorded("answer")
    slow = replace(whole, stdout=tuple(OutputLine(line.at + 9, line.text) for line in whole.stdout))
    assert compared(tmp_path, slow) == ()


@pytest.mark.parametrize("shell", ["sh", "zsh", "/usr/bin/dash"])
def test_the_login_shell_of_the_user_does_not_count(tmp_path: Path, shell: str) -> None:
    assert compared(tmp_path, changed(recorded("tool_call"), "bash -lc", f"{shell} -lc")) == ()


def test_another_command_does_count(tmp_path: Path) -> None:
    (found, *_) = compared(tmp_path, changed(recorded("tool_call"), "bash -lc 'echo", "bash -lc 'print"))
    assert found.what.endswith("item.command")


def test_cases_of_only_one_corpus_are_listed(tmp_path: Path) -> None:
    for folder, case in (("one", "resumed"), ("two", "of-my-own")):
        (tmp_path / folder).mkdir()
        recorded("answer").write(tmp_path / folder / "answer.json")
        replace(recorded("answer"), case=case).write(tmp_path / folder / f"{case}.json")
    report = compare_corpora(Corpus.load(tmp_path / "one"), Corpus.load(tmp_path / "two"))
    assert (report.compared, report.missing) == (1, ("of-my-own", "resumed"))


def test_the_fake_runs_only_cases_with_a_recording() -> None:
    assert set(record_fake_cases({"answer": recorded("answer")}, FakeCodex)) == {"answer"}


@pytest.mark.parametrize("format_report", [as_table, as_markdown, as_json])
def test_each_format_has_cause_severity_and_cases(
    early: DriftReport, format_report: Callable[..., str]
) -> None:
    text = format_report(early)
    assert "breaks us" in text
    assert "codex changed" in text.lower()
    assert "busy_session" in text


def test_json_has_the_fields_of_the_report(early: DriftReport) -> None:
    data = json.loads(as_json(early))
    assert data["breaks"] is True
    assert data["compared"] == len(CASES)
    assert set(data["differences"][0]) == {
        *("cause", "severity", "what", "before", "after", "where", "cases")
    }


def test_a_pipe_character_does_not_break_the_markdown_table(tmp_path: Path) -> None:
    for folder, word in (("one", "high & demand"), ("two", "high | demand")):
        (tmp_path / folder).mkdir()
        changed(recorded("overloaded"), "high demand", word).write(tmp_path / folder / "overloaded.json")
    page = as_markdown(compare_corpora(Corpus.load(tmp_path / "one"), Corpus.load(tmp_path / "two")))
    rows = [line for line in page.split("\n") if "high" in line]
    assert rows
    assert all(row.replace("\\|", "").count("|") == 7 for row in rows)


@pytest.mark.slow
def test_the_command_exits_with_1_when_something_breaks_us(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings.load_version("0.142.0")["busy_session"].write(tmp_path / "busy_session.json")
    assert main(["drift", str(tmp_path), NEWEST, "--markdown"]) == 1
    page = capsys.readouterr().out
    assert page.startswith("# Codex 0.142.0 (")
    assert page.endswith("1 of them breaks us.\n")


def test_the_command_compares_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        recorded("answer").write(tmp_path / name / "answer.json")
    assert main(["drift", str(tmp_path / "one"), str(tmp_path / "two"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == []


@pytest.mark.slow
def test_the_command_records_a_binary_and_compares_it_with_the_newest(
    real_binary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", "--codex", str(real_binary), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["old"], data["compared"]) == (NEWEST, len(CASES))
    severities = {found["severity"] for found in data["differences"]}
    # A version that is not recorded may differ in what does not break us.
    allowed = set() if version_of(real_binary) == NEWEST else {"new field", "lost field", "wording"}
    assert severities <= allowed


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "drift compares two"),
        (["0.169.0"], "drift compares two"),
        (["0.169.0", "0.1.2"], "0.1.2 is not a folder; recorded are 0.142.0"),
        (["a", "b", "--codex", "real"], "at most one other"),
        (["--codex", "real@0.1.2"], "yemot-ai-testing codex install 0.1.2"),
        (["0.169.0", "."], "no recordings of Codex in ."),
    ],
)
def test_the_error_says_what_cannot_be_compared(
    arguments: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["drift", *arguments]) == 2
    assert problem in capsys.readouterr().err
