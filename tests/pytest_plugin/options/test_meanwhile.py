"""What happens at the server while a turn runs: over HTTP, or by a function of this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from tests.foreign.node import program

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

POLL = "read=t-המתינו=w,no,1,1,1,No,,,,,1,Ok,None,,no"
NODE_ROOM = f"""
const http = require('http');
let room = 'closed';
const answers = {{
    closed: '{POLL}',
    open: 'read=t-שלום, כאן דנה=q,no,voice',
    over: 'id_list_message=t-להתראות&go_to_folder=hangup',
}};
http.createServer((request, response) => {{
    const url = new URL(request.url, 'http://line');
    if (url.pathname === '/yemot') return response.end(answers[room]);
    let form = '';
    request.on('data', piece => form += piece);
    request.on('end', () => {{
        room = new URLSearchParams(form).get('room') || 'over';
        response.writeHead(answers[room] ? 204 : 422).end(answers[room] ? '' : 'no such room');
    }});
}}).listen(process.env.PORT);
"""
NODE_CALLS = """
serve: {command: %s, path: /yemot, within: 60s}
scenarios:
  - name: נציגה עונה ומסיימת
    turns:
      - meanwhile: {posts: /admin/room, data: {room: open}, after: 500ms}
        hears: {contains: [המתינו, כאן דנה]}
      - meanwhile: {posts: /admin/room, data: {room: over}}
        hears: {contains: להתראות, ends: true}
      - hears: {ends: true}
    afterwards: {processes: 0}
  - name: חדר שאין
    turns:
      - meanwhile: {posts: /admin/room, data: {room: blue}}
"""
PYTHON_ROOM = f"""
answers = []

def app(pairs):
    return answers[-1] if answers else "{POLL}"

async def enter(call_id):
    answers.append("id_list_message=t-להתראות&go_to_folder=hangup")
"""


@pytest.mark.slow
def test_a_person_at_a_server_in_another_language_answers_and_ends_the_call(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("room.js", NODE_ROOM)
    write("room.call.yaml", NODE_CALLS % json.dumps([program("node"), "room.js"]))
    result = run("--yemot-scenario=room.call.yaml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "room.call.yaml:*: meanwhile · turn 1 of 1",
            "  posts /admin/room: the server answered with HTTP status 422: no such room",
            "*meanwhile: {posts: /admin/room, data: {room: blue}}*",
        ]
    )


def test_a_function_acts_on_an_application_in_this_process(
    project: pytest.Pytester, run: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "waiting", raising=False)
    write("waiting.py", PYTHON_ROOM)
    turn = '{meanwhile: {calls: "waiting:enter"}, hears: {contains: להתראות, ends: true}}'
    write("room.call.yaml", f"app: waiting:app\nscenarios: [{{name: א, turns: [{turn}]}}]\n")
    run("--yemot-scenario=room.call.yaml").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("target", "meanwhile", "message"),
    [
        (
            "--yemot-app=shop:app",
            "posts: /open",
            "posts /open: an application in this process has no address; call*",
        ),
        (
            "--yemot-app=shop:app",
            "calls: /open",
            "calls /open: an application in this process has no address; call*",
        ),
        (
            "--yemot-serve=node x",
            'calls: "a:b"',
            "calls a:b: a function does not reach a server; write a path of it*",
        ),
        (
            "--yemot-url=http://192.0.2.1/",
            "posts: /open",
            "posts /open: http://192.0.2.1/ is not on this machine: *",
        ),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_reached_is_a_mistake_of_the_file(
    run: Run, write: Write, target: str, meanwhile: str, message: str
) -> None:
    write("room.call.yaml", f"scenarios: [{{name: א, turns: [{{meanwhile: {{{meanwhile}}}}}]}}]\n")
    result = run("--yemot-scenario=room.call.yaml", target)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*room.call.yaml:1:31: meanwhile: {message}"])


def test_a_remote_server_is_not_acted_upon_where_it_may_be_called(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("pytest.toml", "[pytest]\nyemot_remote = true\n")
    write("room.call.yaml", "scenarios: [{name: א, turns: [{meanwhile: {posts: /open}}]}]\n")
    result = run("--yemot-scenario=room.call.yaml", "--yemot-url=http://192.0.2.1/")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*posts /open: http://192.0.2.1/ is not on this machine*"])
