"""Servers are hunted in real time."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import ServerCommand

SERVER = """
import json, os, threading, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

answered, last, lock = {}, {}, threading.Lock()


def ask(text):
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/responses",
        json.dumps({"model": "m", "input": text}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer none"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
        return json.load(response)["output"][0]["content"][0]["text"]


def respond(pairs):
    call, said = dict(pairs)["ApiCallId"], [value for name, value in pairs if name.startswith("said_")]
    number = len(said) + 1
    if ("hangup", "yes") in pairs or number > 8:
        return "go_to_folder=hangup"
    if not said or not said[-1]:
        return f"read=t-שלום=said_{number},no,voice"
    with lock:
        if (call, number) not in answered:
            answer = ask(said[-1])
            if FAULTY:
                answer, last["answer"] = last.get("answer", answer), answer
            answered[call, number] = answer
    return f"read=t-{answered[call, number]}=said_{number},no,voice"


class Line(BaseHTTPRequestHandler):
    def do_GET(self, body=""):
        pairs = parse_qsl(urlsplit(self.path).query or body, keep_blank_values=True)
        text = respond(pairs).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        self.do_GET(self.rfile.read(int(self.headers["Content-Length"])).decode())


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Line).serve_forever()
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The command of a server; with a fault if it is parametrized so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").write_text(f"FAULTY = {request.param}\n{SERVER}", encoding="utf-8")
    return shlex.join([sys.executable, "server.py"])


@pytest.mark.slow
@pytest.mark.parametrize("command", [True], indirect=True)
def test_a_server_that_exchanges_answers_is_found(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["hunt", "--serve", command, "--examples=30", "--seed=1", "--json"])
    data = json.loads(capsys.readouterr().out)

    (search,) = data["searches"]
    assert (code, search["violation"]["kind"], search["calls"] % 4) == (1, "crossed_calls", 0)
    assert {scenario.app for scenario in load(Path(search["file"])).scenarios} == {
        ServerCommand((sys.executable, "server.py"))
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", [False], indirect=True)
def test_a_healthy_server_is_not_accused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["hunt", "--serve", command, "--examples=6", "--seed=1"])
    out = capsys.readouterr().out

    assert code == 0, out
    assert "no violation in 24 calls" in out
    assert "in real time" in out
