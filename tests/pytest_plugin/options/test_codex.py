from __future__ import annotations

from collections.abc import Callable

import pytest

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
    asked = subprocess.run(
        ["codex", "exec", "--skip-git-repo-check", "-"],
        input=values["q1"], capture_output=True, text=True, check=False,
    )
    return f"id_list_message=t-{asked.stdout.strip() or 'כלום'}&go_to_folder=hangup"
"""
SUITE = """
import subprocess

def test_it(yemot_codex):
    said = subprocess.run(["codex", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "codex-cli 0.142.0"
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


def test_a_model_asked_for_more_than_is_scripted_fails_the_call(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("agent.py", AGENT)
    write("agent.call.yaml", CALLS.replace("        agent: {answers: שלום}\n", "").replace("שלום", "כלום"))
    result = run("--yemot-scenario=agent.call.yaml")
    result.stdout.fnmatch_lines(["*agent.call.yaml:4:5: script*", "*asked without a step: 'מי שם'*"])


@pytest.mark.parametrize("where", ["option", "ini"])
def test_a_binary_that_is_not_there_stops_the_run_and_says_how_to_get_it(
    project: pytest.Pytester, run: Run, write: Write, where: str
) -> None:
    missing = project.path / "no-codex"
    write("pytest.toml", f"[pytest]\nyemot_codex = '{missing if where == 'ini' else 'fake'}'\n")
    result = run("--yemot-scenario", *([f"--yemot-codex={missing}"] if where == "option" else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "yemot-ai-testing codex install" in result.stderr.str()


@pytest.mark.parametrize("version", ["0.142.0", "0.163.0", "0.169.0"])
def test_a_recorded_version_is_the_fake_as_that_version(
    project: pytest.Pytester, run: Run, write: Write, version: str
) -> None:
    told = 'subprocess.run(["codex", "--version"], capture_output=True, text=True, check=True).stdout'
    # The line reads a dot and a dash as its own signs.
    digits_of = f"    told = ''.join(filter(str.isdigit, {told}))\n    return"
    write("agent.py", digits_of.join(AGENT.replace("asked.stdout.strip()", "told").rsplit("    return", 1)))
    digits = version.replace(".", "")
    write("agent.call.yaml", CALLS.replace("hears: שלום", f"hears: '{digits}'"))
    result = run("--yemot-scenario=agent.call.yaml", f"--yemot-codex={version}")
    result.assert_outcomes(passed=1)


def test_a_suite_sees_the_version_through_the_fixture(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("test_it.py", SUITE)
    run("test_it.py", "--yemot-codex=0.142.0").assert_outcomes(passed=1)


@pytest.mark.parametrize("spec", ["0.1.2", "real:0.1.2"])
def test_a_version_that_is_neither_recorded_nor_installed_stops_the_run(
    project: pytest.Pytester, run: Run, spec: str
) -> None:
    result = run("--yemot-scenario", f"--yemot-codex={spec}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str()
    assert "yemot-ai-testing codex install 0.1.2" in said
    assert ("the fake can be 0.142.0, 0.163.0, 0.169.0" in said) == (spec == "0.1.2")
