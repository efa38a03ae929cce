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


def failing(write: Write, run: Run, before: str, after: str) -> str:
    """Keep one answer, then assert another one; return what the terminal shows."""
    write("test_it.py", TEST.format(answer=before))
    run("-p", "syrupy", "--snapshot-update", "test_it.py").assert_outcomes(passed=1)
    write("test_it.py", TEST.format(answer=after))
    result = run("-p", "syrupy", "test_it.py")
    result.assert_outcomes(failed=1)
    return result.stdout.str()


def test_a_failing_snapshot_tells_the_difference_by_meaning(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    shown = failing(write, run, "read=t-מה=x,no,2,1,7", "read=t-מה=x,no,1,1,7")
    assert "E         read.max_digits: 2 → 1" in shown


def test_a_failing_snapshot_tells_that_only_the_spelling_differs(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    shown = failing(write, run, "go_to_folder=/1", "go_to_folder=/1&")
    assert "same meaning, written differently: go_to_folder=/1 → go_to_folder=/1&" in shown


def test_a_failing_snapshot_tells_that_an_answer_is_none(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    shown = failing(write, run, "go_to_folder=/1", "hangup=yes")
    assert "what is is no answer: there is no such action" in shown
    assert "go_to_folder=/1 → hangup=yes" in shown


def test_a_snapshot_that_is_not_there_shows_the_answer(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("test_it.py", TEST.format(answer="go_to_folder=/1"))
    result = run("-p", "syrupy", "test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*does not exist!", "E*go_to_folder=/1"])


def test_two_answers_in_an_assertion_are_compared_by_meaning(
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
        ["E*the answers differ (expected → received)", "E*go_to_folder.target: /1 → /2"]
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
    result.stdout.no_fnmatch_line("*answers differ*")
