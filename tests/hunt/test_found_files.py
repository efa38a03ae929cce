"""A found file fails as long as the fault is there, and passes without it."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.hunt.conftest import Project
from tests.hunt.replayed import failures
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.hunt.replay import replay_name
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import ServerCommand

SILENT = """
MOST = 99

def line(pairs):
    said = [value for name, value in pairs if name.startswith("said_")]
    if ("hangup", "yes") in pairs or len(said) >= MOST and not any(said[-MOST:]):
        return "go_to_folder=hangup"
    return f"read=t-שלום=said_{len(said) + 1},no,voice"
"""

WEB = """
from urllib.parse import parse_qsl
from yemot_ai import AIFlow, YemotAI

MOST = 2
flow = AIFlow(YemotAI("codex"))

@flow.ai_agent("", greeting="שלום")
async def agent(call, text):
    answer = await call.ask_ai(text)
    turns = call.state["turns"] = int(call.state.get("turns", 0)) + 1
    return "מה שאלת" if turns == MOST else answer

async def app(scope, receive, send):
    if scope["type"] == "lifespan" or scope["path"] == "/yemot.php":
        return await flow.asgi_app(scope, receive, send)
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})

def faulty_if_posted(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)).decode()
    pairs = parse_qsl(body or environ["QUERY_STRING"], keep_blank_values=True)
    text = flow.handle_request(pairs)
    faulty = MOST == 2 and body and "ai_1" in body and "hangup=yes" not in body
    return [("read=t-א & ב=ai_2,no,voice" if faulty else text).encode()]

def deaf_if_posted(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if not environ["QUERY_STRING"]:
        return [b"go_to_folder=hangup"]
    return [flow.handle_request(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)).encode()]
"""

SERVER = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from silent import line

class Line(BaseHTTPRequestHandler):
    def do_GET(self, body=""):
        pairs = parse_qsl(urlsplit(self.path).query or body, keep_blank_values=True)
        text = line(pairs).encode()
        self.send_response(200 if self.path.startswith("/yemot") else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        self.do_GET(self.rfile.read(int(self.headers["Content-Length"])).decode())

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Line).serve_forever()
"""


def found_file(capsys: pytest.CaptureFixture[str], kind: str, *arguments: str) -> Path:
    """Hunt until a violation of a kind is found; return its file."""
    assert main(["hunt", *arguments, "--seed=1", f"--kinds={kind}", "--json"]) == 1
    (search,) = [one for one in json.loads(capsys.readouterr().out)["searches"] if one["violation"]]
    assert search["violation"]["kind"] == kind
    return Path(search["file"])


def test_a_silence_without_an_end_fails_and_passes_when_it_ends(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("silent", SILENT)
    path = found_file(capsys, "endless", "silent:line", "--examples=20")

    assert "the call has not ended" in "".join(failures(path))
    for most in (1, 3, 10):
        write("silent", SILENT.replace("99", str(most)))
        assert failures(path) == []


@pytest.mark.slow
def test_a_silence_without_an_end_of_a_server_below_a_path_fails(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("silent", SILENT)
    write("server", SERVER)
    command = (sys.executable, "server.py")
    options = ("--serve", shlex.join(command), "--serve-path=/yemot", "--examples=30")
    path = found_file(capsys, "endless", *options)

    assert {scenario.app for scenario in load(path).scenarios} == {ServerCommand(command, "/yemot")}
    assert "the call has not ended" in "".join(failures(path))
    write("silent", SILENT.replace("99", "3"))
    assert failures(path) == []


def test_nothing_is_expected_of_a_line_whose_model_is_not_asked(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("silent", SILENT)
    path = found_file(capsys, "endless", "silent:line", "--examples=20")

    turns = [turn for scenario in load(path).scenarios for turn in scenario.turns]
    assert [turn for turn in turns if turn.hears is not None and turn.hears.contains] == []


@pytest.mark.parametrize(
    ("kind", "target"), [("unheard", "web:app/yemot.php"), ("invalid", "web:faulty_if_posted")]
)
def test_a_web_application_is_called_again_as_it_was_found(
    kind: str, target: str, write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("web", WEB)
    path = found_file(capsys, kind, target, "--examples=20")

    assert f"{kind}: " in "".join(failures(path))
    write("web", WEB.replace("MOST = 2", "MOST = -1"))
    assert failures(path) == []


def test_a_line_that_takes_no_post_is_hunted_by_get(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("web", WEB.replace("MOST = 2", "MOST = -1"))

    assert main(["hunt", "web:deaf_if_posted", "--examples=20", "--seed=1"]) == 2
    assert "by POST: the call is over: the line hung up" in (out := capsys.readouterr().out)
    assert "--method GET" in out
    assert main(["hunt", "web:deaf_if_posted", "--examples=5", "--seed=1", "--method=GET"]) == 0


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("shop:flow", "shop.flow"),
        ("shop.web:make.app", "shop.web.make.app"),
        ("shop:app/a_b-c.php", "shop.app._2Fa_5Fb_2Dc_2Ephp"),
        ("shop:app/שלום", "shop.app._2F_D7_A9_D7_9C_D7_95_D7_9D"),
    ],
)
def test_the_name_of_an_application_has_only_letters_digits_and_dots(target: str, name: str) -> None:
    assert replay_name(target) == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["silent:line/yemot"], "only a WSGI or ASGI application has the path /yemot"),
        (["silent:line", "--serve-path=/yemot"], "--serve-path is a path of the server of --serve"),
        (["--serve=python server.py", "--serve-path=yemot"], "the path 'yemot': "),
    ],
)
def test_a_wrong_path_is_refused(
    arguments: list[str], message: str, write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("silent", SILENT)

    assert main(["hunt", *arguments]) == 2
    assert message in capsys.readouterr().err
