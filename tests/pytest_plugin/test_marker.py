from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("ap='shop:app'", "yemot() has no argument 'ap'; did you mean 'app'?"),
        ("servertimeout=3.0", "yemot() has no argument 'servertimeout'; did you mean 'server_timeout'?"),
        ("zzz=1", "yemot() has no argument 'zzz'; it has *app*, codex, *phone*"),
        ("'shop:app'", "yemot() takes arguments by name only, not 'shop:app'"),
        ("app='shop:app', url='http://127.0.0.1:1'", "yemot() takes app= or url=, not both"),
    ],
)
def test_a_wrong_argument_is_an_error_with_a_hint(
    project: pytest.Pytester, run: Run, write: Write, arguments: str, message: str
) -> None:
    write(
        "test_it.py",
        f"""
        import pytest

        @pytest.mark.yemot({arguments})
        def test_it(): pass
        """,
    )
    result = run("test_it.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_the_marker_takes_every_argument_of_a_caller(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.yemot(app="shop:app", phone="", extension="1", method="POST", strict=False,
                           retain_values=True, server_timeout=3.0)
        def test_it(yemot_caller):
            assert yemot_caller.dial() == "ברוכים הבאים"
        """,
    )
    run("test_it.py").assert_outcomes(passed=1)


def test_a_wrong_argument_in_the_marker_of_a_module_is_an_error(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        import pytest

        pytestmark = pytest.mark.yemot(kodex="fake")

        @pytest.mark.yemot(app="shop:app")
        def test_it(): pass
        """,
    )
    result = run("test_it.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["yemot() has no argument 'kodex'; did you mean 'codex'?"])
