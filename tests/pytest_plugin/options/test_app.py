from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

NAMED = "app: shop:app\nscenarios: [{name: א, turns: [{hears: ברוכים}]}]\n"
OTHER_APP = "def app(pairs):\n    return 'read=t-חנות אחרת=q,no,voice'\n"


def test_the_application_can_be_in_the_ini_file(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nyemot_app = 'shop:app'\n")
    run("--yemot-scenario").assert_outcomes(passed=1)


def test_the_application_can_be_in_the_scenario_file(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("named.call.yaml", NAMED)
    run("--yemot-scenario=named.call.yaml").assert_outcomes(passed=1)


def test_the_option_has_priority_over_the_file(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("named.call.yaml", NAMED)
    write("other.py", OTHER_APP)
    result = run("--yemot-scenario=named.call.yaml", "--yemot-app=other:app")
    result.stdout.fnmatch_lines(["*# heard: חנות אחרת"])


def test_a_factory_makes_an_application_for_each_scenario(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "counting.py",
        """
        count = 0
        def make():
            global count
            count += 1
            return lambda pairs, number=count: f"read=t-מספר {number}=q,no,voice"
        """,
    )
    write(
        "two.call.yaml",
        """
        app: counting:make
        scenarios:
          - {name: א, turns: [{hears: מספר 1}]}
          - {name: ב, turns: [{hears: מספר 2}]}
        """,
    )
    run("--yemot-scenario=two.call.yaml").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:app", "there is no module 'nowhere'"),
        ("shop:nothing", "has no 'nothing'"),
        ("shop", "write module:attr"),
    ],
)
def test_a_missing_application_is_a_usage_error(
    project: pytest.Pytester, run: Run, target: str, message: str
) -> None:
    result = run("--yemot-scenario", f"--yemot-app={target}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--yemot-app={target}: *{message}*"])


def test_an_import_error_is_a_usage_error_with_file_and_line(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("broken.py", "import shop\nimport there_is_none\n")
    result = run("--yemot-scenario", "--yemot-app=broken:app")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*importing 'broken' raised ModuleNotFoundError: *'there_is_none'*broken.py:2)"]
    )


def test_a_system_exit_during_import_is_a_usage_error(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("broken.py", "import sys\nsys.exit(0)\n")
    result = run("--yemot-scenario", "--yemot-app=broken:app")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*importing 'broken' raised SystemExit: 0 (at *broken.py:2)"])


def test_a_system_exit_during_a_call_is_a_failure(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("broken.py", "import sys\ndef app(pairs):\n    sys.exit(3)\n")
    result = run("--yemot-scenario", "--yemot-app=broken:app")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*: no_answer · *", "*the application raised SystemExit: 3; catch it*", "  raised at *broken.py:3"]
    )


def test_a_syntax_error_is_a_usage_error(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("broken.py", "def app(:\n")
    result = run("--yemot-scenario", "--yemot-app=broken:app")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*importing 'broken' raised SyntaxError: *(broken.py, line 1)"])


def test_a_wrong_name_in_a_scenario_file_fails_its_calls(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("named.call.yaml", NAMED.replace("shop:app", "shop:nothing"))
    result = run("--yemot-scenario=named.call.yaml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*has no 'nothing'*"])


@pytest.mark.slow
def test_a_factory_is_not_called_before_its_scenario(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("lazy.py", "def make():\n    raise KeyError('too early')\n")
    run("--yemot-scenario", "--yemot-app=lazy:make").assert_outcomes(failed=1)


def test_a_scripted_provider_of_the_application_is_its_double(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "agent.py",
        """
        from yemot_ai import AIFlow, YemotAI
        from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

        def flow():
            flow = AIFlow(YemotAI(provider=ScriptedProvider()))
            flow.ai_agent("", greeting="שלום")(lambda call, text: None)
            return flow
        """,
    )
    write(
        "slow.call.yaml",
        """
        app: agent:flow
        scenarios:
          - name: איטי מאוד
            turns:
              - says: תחשוב
                agent: {answers: חשבתי, after: 40s}
                hears: {contains: [רק רגע, חשבתי], within: 4s}
            afterwards: {sessions_open: 0}
        """,
    )
    result = run("--yemot-scenario=slow.call.yaml")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 call · 1 agent turn · 0 outbound connections · 0 real codex"])


def test_an_application_is_found_from_a_subfolder(
    project: pytest.Pytester, run: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pytest.toml", "[pytest]\nyemot_app = 'shop_below:app'\n")
    project.path.joinpath("shop.py").rename(project.path / "shop_below.py")
    project.mkdir("calls")
    project.path.joinpath("shop.call.yaml").rename(project.path / "calls" / "shop.call.yaml")
    monkeypatch.chdir(project.path / "calls")
    monkeypatch.setattr("sys.path", [path for path in sys.path if path != str(project.path)])
    run("--yemot-scenario=shop.call.yaml").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("app='there_is_none:app'", "there is no module 'there_is_none' *"),
        ("app='shop:app', codex='real@8.8.8'", "no executable *8.8.8*; run: * codex install 8.8.8"),
    ],
)
def test_a_wrong_name_in_a_marker_is_an_error_without_a_traceback(
    project: pytest.Pytester, run: Run, write: Write, argument: str, message: str
) -> None:
    write(
        "test_it.py",
        f"import pytest\n@pytest.mark.yemot({argument})\ndef test_it(yemot_caller): pass\n",
    )
    result = run("test_it.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*.py:*: *Error*")
