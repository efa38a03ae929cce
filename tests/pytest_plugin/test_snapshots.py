from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

TEST = """
def test_it(yemot_snapshot):
    assert {answer!r} == yemot_snapshot
"""


def failed_run(write: Write, run: Run, before: str, after: str) -> str:
    """Store one response, then assert another one; return the output of the failed run."""
    write("test_it.py", TEST.format(answer=before))
    run("-p", "syrupy", "--snapshot-update", "test_it.py").assert_outcomes(passed=1)
    write("test_it.py", TEST.format(answer=after))
    result = run("-p", "syrupy", "test_it.py")
    result.assert_outcomes(failed=1)
    return result.stdout.str()


def test_a_failure_shows_the_difference_by_field(project: pytest.Pytester, run: Run, write: Write) -> None:
    output = failed_run(write, run, "read=t-מה=x,no,2,1,7", "read=t-מה=x,no,1,1,7")
    assert "E         read.max_digits: 2 → 1" in output


def test_a_failure_says_if_only_the_spelling_differs(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    output = failed_run(write, run, "go_to_folder=/1", "go_to_folder=/1&")
    assert "same meaning, written differently: go_to_folder=/1 → go_to_folder=/1&" in output


@pytest.mark.slow
def test_a_failure_says_if_a_text_is_not_a_response(project: pytest.Pytester, run: Run, write: Write) -> None:
    output = failed_run(write, run, "go_to_folder=/1", "hangup=yes")
    assert "the second is not a response: there is no such action" in output
    assert "go_to_folder=/1 → hangup=yes" in output


def test_a_missing_snapshot_shows_the_response(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("test_it.py", TEST.format(answer="go_to_folder=/1"))
    result = run("-p", "syrupy", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*does not exist!", "E*go_to_folder=/1"])


def test_two_responses_in_an_assertion_are_compared_by_field(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        from yemot_ai.protocol import Response

        def test_it():
            assert Response.parse("go_to_folder=/2") == Response.parse("go_to_folder=/1")
        """,
    )
    result = run("test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*the responses differ (expected → received)", "E*go_to_folder.target: /1 → /2"]
    )


def test_other_assertions_are_left_to_pytest(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        from yemot_ai.protocol import Response

        def test_it():
            assert Response.parse("OK") != Response.parse("OK")

        def test_that():
            assert str(Response.parse("OK")) == "ok"
        """,
    )
    result = run("test_it.py")
    result.assert_outcomes(failed=2)
    result.stdout.no_fnmatch_line("*responses differ*")
