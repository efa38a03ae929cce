"""``serve:`` starts a server in any language, scripts its model, and leaves no process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.foreign.node import program

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

PLUGINS = ("-p", "yemot_ai_testing.plugin", "-p", "no:cacheprovider")
PYTHON = json.dumps(sys.executable)

# Its child would survive if only the server process were terminated.
SERVER = """
import os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with Path("pids").open("a") as pids:
    print(os.getpid(), child.pid, file=pids)
print("here is the server", flush=True)

class Line(BaseHTTPRequestHandler):
    calls = 0
    def do_GET(self):
        Line.calls += "hangup=" not in self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"read=t-קריאה {Line.calls} {self.path.partition('?')[0][1:]}=q,no,voice".encode())
        if "ApiPhone=0500000000" in self.path:
            os._exit(3)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Line).serve_forever()
"""
CALLS = f"""
serve: [{PYTHON}, server.py, "{{port}}"]
scenarios:
  - {{name: ראשונה, turns: [{{hears: קריאה 1}}]}}
  - {{name: שנייה, turns: [{{hears: קריאה 2}}]}}
"""

CODEX_AGENT = """
import os, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

class Line(BaseHTTPRequestHandler):
    def do_GET(self):
        inputs = parse_qs(urlsplit(self.path).query).get("q", [])
        command = ["codex", "exec", "--skip-git-repo-check", "-"]
        hangup = "hangup=yes" in self.path
        asks = inputs and not hangup
        result = subprocess.run(command, input=inputs[-1], capture_output=True, text=True) if asks else None
        self.send_response(200)
        self.end_headers()
        text = result.stdout.strip() or "כלום" if result else "שלום"
        self.wfile.write(f"read=t-{text}=q,no,voice".encode())

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Line).serve_forever()
"""
NODE_AGENT = """
const http = require('http');

async function answer(prompt) {
    const response = await fetch(`${process.env.OPENAI_BASE_URL}/responses`, {
        method: 'POST',
        headers: {authorization: `Bearer ${process.env.OPENAI_API_KEY}`},
        body: JSON.stringify({input: prompt}),
    });
    return response.ok ? (await response.json()).output[0].content[0].text : 'כלום';
}

http.createServer(async (request, response) => {
    const values = new URL(request.url, 'http://line').searchParams;
    const prompt = values.get('hangup') ? null : values.getAll('q').pop();
    response.end(`read=t-${prompt ? await answer(prompt) : 'שלום'}=q,no,voice`);
}).listen(process.env.PORT);
"""
AGENT_CALLS = """
serve: {command: %s, path: /yemot, within: 60s}
scenarios:
  - name: שואל פעמיים
    turns:
      - hears: שלום
      - says: מי שם
        agent: {answers: זה אני}
        hears: {equals: זה אני}
      - says: שוב
        agent: {fails: overloaded}
        hears: {equals: כלום}
    afterwards: {agent_turns: 2, processes: 0}
  - name: שואל יותר מדי
    turns:
      - says: ועוד
        hears: כלום
"""


def pids(project: pytest.Pytester) -> list[int]:
    return [int(word) for word in project.path.joinpath("pids").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    except NotADirectoryError:  # no /proc here
        return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0
    return state not in "ZX"


def all_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(pids) and not any(map(is_alive, pids))


@pytest.mark.slow
def test_the_scenarios_of_a_file_share_one_server_which_is_terminated_with_its_children(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("server.py", SERVER)
    write("served.call.yaml", CALLS)
    run("--yemot-scenario=served.call.yaml").assert_outcomes(passed=2)
    assert len(pids(project)) == 2
    assert all_gone(pids(project))


@pytest.mark.slow
def test_files_that_name_the_same_command_share_the_server(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("server.py", SERVER)
    write("a.call.yaml", CALLS)
    write("b.call.yaml", CALLS.replace("קריאה 1", "קריאה 3").replace("קריאה 2", "קריאה 4"))
    run("--yemot-scenario=a.call.yaml", "--yemot-scenario=b.call.yaml").assert_outcomes(passed=4)
    assert len(pids(project)) == 2


@pytest.mark.slow
def test_a_scenario_can_have_its_own_server(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("server.py", SERVER)
    own = f'serve: {{command: [{PYTHON}, server.py, "{{port}}"], path: /own}}'
    write("served.call.yaml", CALLS.replace("שנייה,", f"שנייה, {own},").replace("קריאה 2", "קריאה 1 own"))
    run("--yemot-scenario=served.call.yaml").assert_outcomes(passed=2)
    assert len(pids(project)) == 4
    assert all_gone(pids(project))


@pytest.mark.slow
@pytest.mark.parametrize("where", ["option", "ini"])
def test_the_command_can_be_an_option_or_an_ini_key(
    project: pytest.Pytester, run: Run, write: Write, where: str
) -> None:
    write("server.py", SERVER)
    write("served.call.yaml", CALLS.partition("\n")[2].partition("\n")[2])
    command = f"'{sys.executable}' server.py {{port}}"
    write("pytest.toml", f'[pytest]\nyemot_serve = "{command if where == "ini" else "false"}"\n')
    options = [f"--yemot-serve={command}"] if where == "option" else []
    run("--yemot-scenario=served.call.yaml", *options).assert_outcomes(passed=2)


def test_a_python_test_can_call_the_server_too(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("agent.py", CODEX_AGENT)
    write(
        "test_it.py",
        """
        def test_it(yemot_caller, yemot_codex):
            yemot_codex.answers("זה אני")
            yemot_caller.dial()
            assert yemot_caller.says("מי שם") == "זה אני"
        """,
    )
    run("test_it.py", f"--yemot-serve='{sys.executable}' agent.py").assert_outcomes(passed=1)


@pytest.mark.slow
def test_the_codex_of_a_server_is_the_double(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("agent.py", CODEX_AGENT)
    write("agent.call.yaml", AGENT_CALLS % f"[{PYTHON}, agent.py]")
    result = run("--yemot-scenario=agent.call.yaml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*: script*", "*call without a step: 'ועוד'"])


@pytest.mark.slow
def test_the_model_service_of_a_server_is_the_double(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("agent.js", NODE_AGENT)
    write("agent.call.yaml", AGENT_CALLS % json.dumps([program("node"), "agent.js"]))
    result = run("--yemot-scenario=agent.call.yaml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*: script*", "*call without a step: 'ועוד'"])


@pytest.mark.slow
def test_yemot_ai_serve_can_be_the_server(project: pytest.Pytester, run: Run, write: Write) -> None:
    calls = AGENT_CALLS.partition("  - name: שואל יותר")[0].replace("fails: overloaded", "answers: כלום")
    write("agent.call.yaml", calls % json.dumps("yemot-ai serve line:flow --port {port}"))
    write(
        "line.py",
        """
        from yemot_ai import AIFlow, YemotAI

        flow = AIFlow(YemotAI("codex"))
        flow.ai_agent("", greeting="שלום")(lambda call, text: None)
        """,
    )
    run("--yemot-scenario=agent.call.yaml").assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_failure_shows_the_output_of_the_server(project: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "server.py",
        SERVER.replace("Line.calls +=", "print('asked', self.path[:2], flush=True); Line.calls +="),
    )
    write("served.call.yaml", CALLS.replace("קריאה 2", "קריאה 7"))
    result = run("--yemot-scenario=served.call.yaml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Captured server call*", "asked /[?]"])
    result.stdout.no_fnmatch_line("here is the server")


@pytest.mark.slow
def test_a_server_that_exits_during_a_call_is_restarted_for_the_next(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("server.py", SERVER)
    write(
        "served.call.yaml",
        CALLS.replace("ראשונה,", 'ראשונה, caller: {phone: "0500000000"},').replace("קריאה 2", "קריאה 1"),
    )
    result = run("--yemot-scenario=served.call.yaml")
    result.assert_outcomes(passed=2)
    assert len(pids(project)) == 4
    assert all_gone(pids(project))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server", "lines"),
    [
        ("raise SystemExit('no such setting')", ["*ended before it listened*", "*| no such setting"]),
        ("input_ = __import__('time').sleep(600)", ["*does not listen on port * after 0.3 s*"]),
    ],
    ids=["dies", "does not listen"],
)
def test_a_server_that_does_not_start_fails_the_calls_with_its_output(
    project: pytest.Pytester, run: Run, write: Write, server: str, lines: list[str]
) -> None:
    write("server.py", server)
    command = f"{{command: [{PYTHON}, server.py], within: 300ms}}"
    write("served.call.yaml", CALLS.replace(f'[{PYTHON}, server.py, "{{port}}"]', command))
    if "no such" in server:
        write("served.call.yaml", CALLS)
    result = run("--yemot-scenario=served.call.yaml")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(lines)


def test_a_missing_program_is_an_error(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("served.call.yaml", CALLS.replace(f'[{PYTHON}, server.py, "{{port}}"]', "nodd server.js"))
    run("--yemot-scenario=served.call.yaml").stdout.fnmatch_lines(["*there is no program 'nodd'*"])


def test_a_command_with_an_unclosed_quote_is_a_usage_error(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-scenario", "--yemot-serve=node 'server.js")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--yemot-serve: *cannot be split*"])


@pytest.mark.slow
def test_sessions_of_a_server_cannot_be_counted(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("served.call.yaml", CALLS.replace("}]}", "}], afterwards: {sessions_open: 0}}"))
    result = run("--yemot-scenario=served.call.yaml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*sessions_open cannot be counted in a server*"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["^C", "killed"])
def test_an_interrupted_run_leaves_no_process(
    project: pytest.Pytester, write: Write, number: signal.Signals
) -> None:
    write(
        "server.py",
        SERVER.replace(
            "def do_GET(self):", "def do_GET(self):\n        os.mkfifo('called'); open('called').read()"
        ),
    )
    write("served.call.yaml", CALLS)
    called = project.path / "called"
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLUGINS, "--yemot-scenario=served.call.yaml"],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=project.path,
        stdout=subprocess.DEVNULL,
    ) as running:
        deadline = time.monotonic() + 30
        while not called.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert called.exists()
        running.send_signal(number)
        running.wait(30)
    assert all_gone(pids(project))


@pytest.mark.slow
def test_each_worker_has_its_own_server_and_terminates_it(project: pytest.Pytester, write: Write) -> None:
    write("server.py", SERVER)
    write("served.call.yaml", CALLS.replace("קריאה 1", "קריאה").replace("קריאה 2", "קריאה"))
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "xdist.plugin", *PLUGINS),
            *("-n", "2", "--dist", "each", "--yemot-scenario=served.call.yaml"),
        ],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in result.stdout, result.stdout
    assert len(pids(project)) == 4
    assert all_gone(pids(project))


@pytest.mark.slow
def test_after_the_first_failure_the_server_is_terminated(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("server.py", SERVER)
    write("served.call.yaml", CALLS.replace("קריאה 1", "קריאה 7"))
    run("--yemot-scenario=served.call.yaml", "-x").assert_outcomes(failed=1)
    assert all_gone(pids(project))
