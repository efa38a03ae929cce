from __future__ import annotations

from collections.abc import Callable

import pytest

from yemot_ai_testing.codex import recordings

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

AGENT = """
import subprocess

def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    if "q1" not in values:
        return "read=t-מה=q1,no,voice"
    result = subprocess.run(
        ["codex", "exec", "--skip-git-repo-check", "-"],
        input=values["q1"], capture_output=True, text=True, check=False,
    )
    return f"id_list_message=t-{result.stdout.strip() or 'כלום'}&go_to_folder=hangup"
"""
SUITE = """
import subprocess

def test_it(yemot_codex):
    output = subprocess.run(["codex", "--version"], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "codex-cli 0.142.0"
"""
CALLS = """
app: agent:app
scenarios:
  - name: שואל
    turns:
      - says: מי שם
        agent: {answers: שלום}
        hears: שלום
"""


def test_by_default_the_fake_codex_is_first_on_the_path(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("agent.py", AGENT)
    write("agent.call.yaml", CALLS)
    result = run("--yemot-scenario=agent.call.yaml")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 call · 1 agent turn · 0 outbound connections · 0 real codex"])


def test_an_unscripted_model_call_fails_the_call(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("agent.py", AGENT)
    write("agent.call.yaml", CALLS.replace("        agent: {answers: שלום}\n", "").replace("שלום", "כלום"))
    result = run("--yemot-scenario=agent.call.yaml")
    result.stdout.fnmatch_lines(["*agent.call.yaml:4:5: script*", "*call without a step: 'מי שם'*"])


@pytest.mark.parametrize("where", ["option", "ini"])
def test_a_missing_binary_is_a_usage_error_that_says_how_to_install_it(
    project: pytest.Pytester, run: Run, write: Write, where: str
) -> None:
    missing = project.path / "no-codex"
    write("pytest.toml", f"[pytest]\nyemot_codex = '{missing if where == 'ini' else 'fake'}'\n")
    result = run("--yemot-scenario", *([f"--yemot-codex={missing}"] if where == "option" else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "yemot-ai-testing codex install" in result.stderr.str()


@pytest.mark.parametrize("version", recordings.versions())
def test_the_fake_can_be_a_recorded_version(
    project: pytest.Pytester, run: Run, write: Write, version: str
) -> None:
    output = 'subprocess.run(["codex", "--version"], capture_output=True, text=True, check=True).stdout'
    # In a response a dot and a dash are separators.
    assignment = f"    digits = ''.join(filter(str.isdigit, {output}))\n    return"
    agent = AGENT.replace("result.stdout.strip()", "digits")
    write("agent.py", assignment.join(agent.rsplit("    return", 1)))
    digits = version.replace(".", "")
    write("agent.call.yaml", CALLS.replace("hears: שלום", f"hears: '{digits}'"))
    result = run("--yemot-scenario=agent.call.yaml", f"--yemot-codex=fake@{version}")
    result.assert_outcomes(passed=1)


def test_the_fixture_is_the_codex_of_the_option(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("test_it.py", SUITE)
    run("test_it.py", "--yemot-codex=fake@0.142.0").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fake@0.1.2", f"recorded are {', '.join(recordings.versions())}"),
        ("real@0.1.2", "yemot-ai-testing codex install 0.1.2"),
        ("0.169.0", "fake@0.169.0"),
        ("real:0.169.0", "real@0.169.0"),
    ],
)
def test_an_unknown_version_or_a_former_name_is_a_usage_error(
    project: pytest.Pytester, run: Run, spec: str, message: str
) -> None:
    result = run("--yemot-scenario", f"--yemot-codex={spec}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
