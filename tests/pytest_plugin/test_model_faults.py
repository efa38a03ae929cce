"""Every fault of a model can be scripted in a scenario; leftovers are counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from yemot_ai_testing.doubles.steps import FAILURE_KINDS
from yemot_ai_testing.scenario.format.agent_steps import OUTCOMES

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

# It speaks the exit code and the output of Codex.
AGENT = """
import subprocess

sessions = []

def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    inputs = [value for name, value in pairs if name.startswith("q")]
    name = f"q{len(inputs) + 1}"
    if not inputs:
        sessions.clear()
        return f"read=t-מה={name},no,voice"
    resume = ["resume", "--last"] if sessions else []
    command = ["codex", "exec", "--json", "--skip-git-repo-check", *resume, "-"]
    try:
        result = subprocess.run(command, input=inputs[-1], capture_output=True, text=True, timeout=3)
    except subprocess.TimeoutExpired:
        return f"read=t-נתקע={name},no,voice"
    sessions.append(result)
    output = "".join(c for c in result.stdout + result.stderr if c.isalnum() or c in " _")
    return f"read=t-קוד {result.returncode} {output}={name},no,voice"
"""
FAULTS = {
    "answers": ("{answers: [תשו, בה], after: 100ms}", "תשובה"),
    "fails": ("{fails: unauthorized}", "קוד 1"),
    "hangs": ("{hangs: true}", "נתקע"),
    "drops": ("{drops: true}", "קוד 1"),
    "cuts": ("{cuts: length, text: חצי}", "חצי"),
    "reconnects": ("[{reconnects: חצי}, {answers: שלם}]", "שלם"),
    "crash": ('{crash: {exit: 101, stderr: "thread main panicked"}}', "קוד 101"),
    "malformed": ("{malformed: true}", "קוד 0"),
}


def scenario(agent: str, hears: str, more: str = "") -> str:
    turn = f"{{says: שאלה, agent: {agent}, hears: {hears}{more}}}"
    after = "{agent_turns: 1, processes: 0}"
    return f"app: agent:app\nscenarios: [{{name: א, turns: [{turn}], afterwards: {after}}}]\n"


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_first_turn(project: pytest.Pytester, run: Run, write: Write, fault: str) -> None:
    write("agent.py", AGENT)
    write("agent.call.yaml", scenario(*FAULTS[fault]))
    run("--yemot-scenario=agent.call.yaml").assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["unknown_session", "busy_session"])
def test_a_fault_when_a_session_is_resumed(
    project: pytest.Pytester, run: Run, write: Write, fault: str
) -> None:
    write("agent.py", AGENT.replace('["resume", "--last"]', '["resume", thread(sessions[0].stdout)]'))
    write(
        "agent.call.yaml",
        f"""
        app: agent:app
        scenarios:
          - name: א
            turns:
              - {{says: שאלה, agent: {{answers: אחת}}, hears: אחת}}
              - {{says: עוד, agent: {{{fault}: true}}, hears: קוד 1}}
        """,
    )
    path = project.path / "agent.py"
    helper = "import json\n\ndef thread(out):\n    return json.loads(out.splitlines()[0])['thread_id']\n\n"
    path.write_text(helper + path.read_text(encoding="utf-8"), encoding="utf-8")
    run("--yemot-scenario=agent.call.yaml").assert_outcomes(passed=1)


def test_every_fault_of_the_format_has_a_test() -> None:
    assert {*FAULTS, "unknown_session", "busy_session", "transcribes", "calls"} == set(OUTCOMES)


@pytest.mark.slow
def test_every_kind_of_failure_can_be_scripted(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("agent.py", AGENT)
    calls = "".join(
        f"  - {{name: {kind}, turns: [{{says: א, agent: {{fails: {kind}}}, hears: קוד 1}}]}}\n"
        for kind in FAILURE_KINDS
    )
    write("agent.call.yaml", f"app: agent:app\nscenarios:\n{calls}")
    run("--yemot-scenario=agent.call.yaml").assert_outcomes(passed=len(FAILURE_KINDS))


@pytest.mark.slow
def test_the_caller_can_hang_up_while_the_model_runs(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("agent.py", AGENT)
    more = ", meanwhile: {hangs_up: true, after: 200ms}"
    write("agent.call.yaml", scenario("{answers: מאוחר, after: 1s}", "{ends: true}", more))
    run("--yemot-scenario=agent.call.yaml").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("counts", "message"),
    [("agent_turns: 2", "agent_turns: 1, not 2"), ("sessions_open: 0", "cannot be counted here")],
)
def test_wrong_leftovers_fail(
    project: pytest.Pytester, run: Run, write: Write, counts: str, message: str
) -> None:
    write("agent.py", AGENT)
    calls = scenario("{answers: טוב}", "טוב").replace("agent_turns: 1, processes: 0", counts)
    write("agent.call.yaml", calls)
    result = run("--yemot-scenario=agent.call.yaml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: afterwards · after the call", f"*{message}*"])
