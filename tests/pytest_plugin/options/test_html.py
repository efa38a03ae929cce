from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenario.html_report import sample_run

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]
APP = "--yemot-app=shop:app"
TWICE = """
scenarios:
  - {name: שיחה אחרת, turns: [{hears: ברוכים}]}
  - {name: לא כך, turns: [{hears: ביי}]}
"""


def states(page: Path) -> list[str]:
    """Return the states of the calls of a page, in its order."""
    return re.findall(r'<article class="call" id="[^"]*" data-state="([^"]*)"', page.read_text("utf-8"))


def test_a_run_writes_one_page_and_prints_its_url(project: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario", "--yemot-html=calls.html")
    page = project.path / "calls.html"
    assert states(page) == ["passed"]
    assert "הזמנת פיצה" in page.read_text(encoding="utf-8")
    result.stdout.fnmatch_lines([f"the calls as a page: {page.as_uri()}"])


def test_a_quiet_run_writes_the_page_and_does_not_print_its_url(project: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "--yemot-html=calls.html", "-q").stdout.no_fnmatch_line("*as a page*")
    assert project.path.joinpath("calls.html").exists()


def test_the_ini_key_is_relative_to_the_ini_file(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nyemot_html = 'calls.html'\n")
    write("below/other.call.yaml", TWICE)
    run(APP, "--yemot-scenario=below")
    assert states(project.path / "calls.html") == ["failed", "passed"]


def test_with_the_ini_key_alone_ordinary_runs_write_nothing(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("pytest.toml", "[pytest]\nyemot_html = 'calls.html'\n")
    run().assert_outcomes(passed=1)
    assert not project.path.joinpath("calls.html").exists()


def test_a_missing_folder_is_made(project: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "--yemot-html=no/where/calls.html").assert_outcomes(passed=1)
    assert project.path.joinpath("no/where/calls.html").is_file()


def test_a_folder_that_cannot_be_made_is_a_usage_error(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("file", "")
    result = run(APP, "--yemot-scenario", "--yemot-html=file/calls.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--yemot-html: the folder *file cannot be made: *"])
    result.stdout.no_fnmatch_line("*collected*")


def test_a_folder_is_not_a_file(project: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario", "--yemot-html=.")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*is a folder; name a file in it*"])


def test_the_page_shows_the_calls_of_python_tests(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_calls.py",
        """
        import pytest

        pytestmark = pytest.mark.yemot(app="shop:app")

        def test_order(yemot_caller):
            yemot_caller.dial()
            assert yemot_caller.says("עוגה") == "תודה"

        def test_refusal(yemot_caller):
            yemot_caller.dial()
            assert yemot_caller.says("כלום") == "לא"

        def test_no_call(yemot_caller):
            pass

        def test_skipped(yemot_caller):
            yemot_caller.dial()
            pytest.skip("not today")
        """,
    )
    run("--yemot-html=calls.html").assert_outcomes(passed=3, failed=1, skipped=1)
    page = project.path.joinpath("calls.html").read_text(encoding="utf-8")
    for text in ("test_order", "עוגה", "test_refusal", "test_calls.py:12", "הבדיקה נכשלה", "AssertionError"):
        assert text in page
    assert "test_no_call" not in page
    assert "test_skipped" not in page
    assert '<span class="verdict failed">1</span> מתוך 2 שיחות' in page


def test_listing_scenarios_keeps_an_older_page(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("calls.html", "older")
    run(APP, "--yemot-scenario", "--yemot-html=calls.html", "--co")
    assert project.path.joinpath("calls.html").read_text(encoding="utf-8") == "older"


def test_a_run_without_calls_has_a_page_too(project: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "--yemot-html=calls.html", "-k", "nothing")
    assert states(project.path / "calls.html") == []


def test_files_that_cannot_be_loaded_are_on_the_page(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{say: ב}]}]")
    run(APP, "--yemot-scenario", "--yemot-html=calls.html", "--continue-on-collection-errors")
    page = project.path / "calls.html"
    assert states(page) == ["error", "passed"]
    assert "did you mean &#39;says&#39;" in page.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-p", "xdist.plugin", "-n", "2"]], ids=["alone", "two workers"])
def test_every_outcome_is_on_the_page(tmp_path: Path, workers: list[str]) -> None:
    assert states(sample_run.run(tmp_path, *workers)) == ["error", "failed", "failed", "error", "passed"]


@pytest.mark.parametrize(
    "option",
    ["--yemot-html", "--yemot-baseline"],
)
def test_a_file_that_becomes_a_folder_fails_the_run_and_hides_no_result(
    project: pytest.Pytester, run: Run, write: Write, option: str
) -> None:
    write(
        "conftest.py",
        "import pathlib\n\n\ndef pytest_collection_finish(session):\n"
        "    path = pathlib.Path('out/report')\n"
        "    path.unlink(missing_ok=True)\n    path.mkdir(parents=True)\n",
    )
    result = run(APP, "--yemot-scenario", f"{option}=out/report")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"{option}: *out/report was not written: Is a directory"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
