from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("sdks")
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]


@pytest.mark.slow
def test_yemot_caller_calls_the_application_of_the_run(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        def test_it(yemot_caller):
            assert yemot_caller.dial() == "ברוכים הבאים"
            yemot_caller.says("פיצה")
            assert yemot_caller.ended
        """,
    )
    run("--yemot-app=shop:app", "test_it.py").assert_outcomes(passed=1)


def test_a_failed_test_shows_its_call_and_a_passed_one_does_not(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_call.py",
        """
        def test_goes_wrong(yemot_caller):
            yemot_caller.dial()
            assert yemot_caller.says("פיצה") == "רשמתי"


        def test_goes_well(yemot_caller):
            assert yemot_caller.dial() == "ברוכים הבאים"
        """,
    )
    result = run("--yemot-app=shop:app", "test_call.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*phone call teardown*", "*line  ברוכים הבאים", "*caller  “פיצה”", "*line  תודה"]
    )
    assert result.stdout.str().count("phone call teardown") == 1


def test_yemot_caller_calls_the_application_of_the_marker(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        import pytest
        import shop

        @pytest.mark.yemot(app="shop:app", phone="052")
        def test_by_name(yemot_caller):
            assert yemot_caller.phone == "052"
            assert yemot_caller.dial() == "ברוכים הבאים"

        @pytest.mark.yemot(app=shop.app)
        def test_itself(yemot_caller):
            assert yemot_caller.dial() == "ברוכים הבאים"
        """,
    )
    run("test_it.py").assert_outcomes(passed=2)


def test_yemot_caller_has_a_codex_double(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        import shutil

        def test_it(yemot_caller, fake_codex, yemot_codex):
            assert yemot_codex is fake_codex
            assert shutil.which("codex") == str(fake_codex.executable)
        """,
    )
    run("--yemot-app=shop:app", "test_it.py").assert_outcomes(passed=1)


OPENAI_LINE = """
from yemot_ai import AIFlow, YemotAI

flow = AIFlow(YemotAI("openai"))
flow.ai_agent("", greeting="שלום")(lambda call, text: None)
"""


def test_the_steps_of_yemot_codex_reach_openai_without_a_key(
    project: pytest.Pytester, run: Run, write: Write, sdks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    write("line.py", OPENAI_LINE)
    write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.yemot(app="line:flow")
        def test_it(yemot_caller, yemot_codex):
            yemot_codex.answers("בשמונה")
            yemot_caller.dial()
            assert "בשמונה" in yemot_caller.says("מתי")
        """,
    )
    run("test_it.py").assert_outcomes(passed=1)


def test_a_question_to_openai_without_a_step_is_an_error(
    project: pytest.Pytester, run: Run, write: Write, sdks: None
) -> None:
    write("line.py", OPENAI_LINE)
    write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.yemot(app="line:flow")
        def test_it(yemot_caller):
            yemot_caller.dial()
            yemot_caller.says("מתי")
        """,
    )
    result = run("test_it.py")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*call without a step: 'מתי'*"])


def test_fake_codex_is_an_executable_on_the_path(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        import subprocess

        def test_it(fake_codex):
            fake_codex.answers("שלום")
            command = ["codex", "exec", "--skip-git-repo-check", "-"]
            assert "שלום" in subprocess.run(command, input="x", capture_output=True, text=True).stdout
        """,
    )
    run("test_it.py").assert_outcomes(passed=1)


def test_model_server_is_on_this_machine(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "test_it.py",
        """
        def test_it(model_server):
            assert model_server.base_url.startswith("http://127.0.0.1:")
        """,
    )
    run("test_it.py").assert_outcomes(passed=1)


def test_openai_mock_answers_the_sdk_in_this_process(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        from yemot_ai import YemotAI

        def test_it(openai_mock):
            openai_mock.answers("שלום")
            assert YemotAI("openai", openai_api_key="test", model="m").reply("c1", "מי שם") == "שלום"
        """,
    )
    run("test_it.py").assert_outcomes(passed=1)


def test_yemot_snapshot_stores_the_raw_response_in_a_file(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        def test_it(yemot_caller, yemot_snapshot):
            yemot_caller.dial()
            assert yemot_caller.raw == yemot_snapshot
        """,
    )
    run("-p", "syrupy", "--yemot-app=shop:app", "--snapshot-update", "test_it.py").assert_outcomes(passed=1)
    snapshot = project.path / "__snapshots__" / "test_it" / "test_it.yemot.txt"
    assert snapshot.read_text(encoding="utf-8") == "read=t-ברוכים הבאים=q1,no,voice"


def test_the_marker_is_registered_for_strict_projects(project: pytest.Pytester, run: Run) -> None:
    run("--markers").stdout.fnmatch_lines(["@pytest.mark.yemot(app=None*"])
