"""What a run in GitHub Actions reports: a summary of the step, and annotations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from yemot_ai_testing.pytest_plugin.reports.github import Annotation

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

CALLS = """
scenarios:
  - name: עובר
    turns: [{hears: ברוכים}]
  - name: נכשל, 100%
    turns:
      - hears: ביי
"""


@pytest.fixture
def summary(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, write: Write) -> Path:
    """The file of the summary, in an environment like that of GitHub Actions."""
    path = project.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    write("shop.call.yaml", CALLS)
    return path


def errors(result: pytest.RunResult) -> list[str]:
    """Return the annotations of a run."""
    return [line for line in result.outlines if line.startswith("::")]


def test_a_failure_is_annotated_at_its_line_in_the_repository(
    project: pytest.Pytester, run: Run, summary: Path
) -> None:
    (error,) = errors(run("--yemot-app=shop:app", "--yemot-scenario"))
    folder = project.path.name
    assert error == (
        f"::error file={folder}/shop.call.yaml,line=7,title=נכשל%2C 100%25::heard%0Adid not hear 'ביי'"
    )


def test_each_mistake_of_a_file_is_annotated(run: Run, write: Write, summary: Path) -> None:
    write("shop.call.yaml", "scenarios:\n  - name: א\n    turns:\n      - {sais: ב}\n      - {presses: 9}\n")
    annotated = errors(run("--yemot-app=shop:app", "--yemot-scenario"))
    assert [line.partition("line=")[2].partition(",")[0] for line in annotated] == ["4", "5"]
    assert "did you mean 'says'?" in annotated[0]


def test_the_summary_is_appended_with_failures_folded(run: Run, summary: Path) -> None:
    summary.write_text("before\n", encoding="utf-8")
    run("--yemot-app=shop:app", "--yemot-scenario")
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n## Calls: 1 of 2 failed\n")
    assert "| ❌ | נכשל, 100% | shop.call.yaml:7 | heard | 0.0 s |" in text
    assert "<details><summary>נכשל, 100%</summary>" in text
    assert "did not hear 'ביי'" in text
    assert "| ✅ | עובר | shop.call.yaml:3 |  | 0.0 s |" in text
    assert "dead air: p50" in text
    assert "reached in shop:app: 1 extension" in text


def test_numbers_and_secrets_are_masked(run: Run, summary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "ברוכים הבאים")
    result = run("--yemot-app=shop:app", "--yemot-scenario")
    text = summary.read_text(encoding="utf-8")
    assert "the call of …4567 so far:" in text
    assert "ברוכים הבאים" not in text
    assert "***" in text
    assert "0501234567" not in "".join(errors(result))


REPORTS = {"off": (False, 0), "summary": (True, 0), "annotations": (False, 1), "all": (True, 1)}


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("place", ["option", "ini"])
def test_each_part_can_be_turned_off(run: Run, write: Write, summary: Path, place: str, report: str) -> None:
    options = (f"--yemot-github={report}",) if place == "option" else ()
    if place == "ini":
        write("pytest.toml", f"[pytest]\nyemot_github = '{report}'\n")
    result = run("--yemot-app=shop:app", "--yemot-scenario", *options)
    assert (summary.exists(), len(errors(result))) == REPORTS[report]


def test_elsewhere_nothing_is_written(
    project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert not errors(run("--yemot-app=shop:app", "--yemot-scenario", "--yemot-github=all"))


def test_python_tests_are_reported_on_demand(run: Run, write: Write, summary: Path) -> None:
    write(
        "test_calls.py",
        """
        import pytest

        @pytest.mark.yemot(app="shop:app")
        def test_order(yemot_caller):
            yemot_caller.dial()
            assert yemot_caller.says("עוגה") == "לא"
        """,
    )
    assert not errors(run())
    (error,) = errors(run("--yemot-github=all"))
    assert "/test_calls.py,line=7,title=test_order::" in error


def test_an_unknown_report_is_a_usage_error(run: Run, write: Write, summary: Path) -> None:
    write("pytest.toml", "[pytest]\nyemot_github = 'some'\n")
    result = run("--yemot-scenario")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*yemot_github is one of all, summary, annotations, off, not 'some'"])


def test_a_summary_that_cannot_be_written_does_not_fail_the_run(
    project: pytest.Pytester, run: Run, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path))
    result = run("--yemot-app=shop:app", "--yemot-scenario", "-k", "עובר")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["the summary was not written to GITHUB_STEP_SUMMARY: *"])


def test_the_data_of_an_annotation_is_escaped() -> None:
    annotation = Annotation("a,b:c.py", 3, "50%: x", "line 1\r\nline 2, 100%: ::error")
    assert str(annotation) == (
        "::error file=a%2Cb%3Ac.py,line=3,title=50%25%3A x::line 1%0D%0Aline 2, 100%25: ::error"
    )


@pytest.mark.slow
def test_one_process_reports_for_all_workers(run: Run, summary: Path) -> None:
    result = run("-p", "xdist", "-n", "2", "--yemot-app=shop:app", "--yemot-scenario")
    assert len(errors(result)) == 1
    assert summary.read_text(encoding="utf-8").count("## Calls: 1 of 2 failed") == 1
