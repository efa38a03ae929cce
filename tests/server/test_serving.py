"""``yemot-ai serve`` as a process: its start, several workers, the reload of changed files."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.attacks.server import APP, Served, served
from tests.support.waiting import until
from yemot_ai.cli.main import main
from yemot_ai.server.workers import SHORT_LIFE

SHARED = APP.replace(
    "ai = YemotAI(provider=Model())", "ai = YemotAI(provider=Model(), store='sqlite:calls.db')"
)

PIDS = SHARED.replace(
    'call.read("בחירה", val_name="choice")', "import os; call.play_message(str(os.getpid()))"
)

CODEX = """
from yemot_ai import *

flow = AIFlow(YemotAI("codex"))

@flow.ai_agent("")
def agent(call, text): ...
"""

OPENAI = """
import sys
from yemot_ai import *

flow = AIFlow(YemotAI("openai", openai_api_key="-"))
at_the_import = "openai" in sys.modules

@flow.ai_agent("1")
def agent(call, text): ...

@flow.get("")
def menu(call):
    assert not at_the_import
    call.play_message("openai" if "openai.types.responses" in sys.modules else "nothing")
"""

pytestmark = pytest.mark.slow


def answering_process(server: Served, call: str) -> int:
    """The id of the process that answers a request of a new call."""
    answer = server.post(f"ApiCallId={call}&ApiExtension=menu".encode()).body.decode()
    return int(answer.removeprefix("id_list_message=t-").partition("&")[0])


def children(server: Served) -> set[int]:
    """The processes that serve."""
    spawned = psutil.Process(server.process.pid).children()
    spawned = [child for child in spawned if child.status() != psutil.STATUS_ZOMBIE]
    return {child.pid for child in spawned if "resource_tracker" not in " ".join(child.cmdline())}


def ripe(server: Served) -> list[int]:
    """The processes that serve for so long that another one follows."""
    born_before = time.time() - SHORT_LIFE - 1  # the group counts from a little later
    return [pid for pid in children(server) if psutil.Process(pid).create_time() < born_before]


def test_a_start_that_fails_is_one_line_with_the_way_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["serve", "--port", str(other.getsockname()[1])]) == 2

    assert "is in use by another program" in capsys.readouterr().err


def test_several_workers_need_a_shared_store(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in_memory.py").write_text(APP.replace("{settings}", "{}"))
    monkeypatch.chdir(tmp_path)

    assert main(["serve", "in_memory:flow", "--port", "0", "--workers", "2"]) == 2
    assert 'store="sqlite:calls.db"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--workers", "0"], "--workers=0: give a whole number above 0"),
        (["--workers", "2", "--reload"], "leave out --workers"),
        (["--workers", "2", "--record", "calls"], "leave out --workers"),
        (["--workers", "2", "--metrics-port", "9100"], "leave out --workers"),
    ],
)
def test_options_that_cannot_work_together_are_refused(
    options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *options]) == 2
    assert part in capsys.readouterr().err


def test_workers_share_the_port_and_end_in_order(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2", app=PIDS) as server:
        until(lambda: len(children(server)) == 2, within=20)
        workers = children(server)
        answering = answering_process(server, "c1")

        assert answering in workers
        assert server.end(signal.SIGTERM, within=20) == 0
        assert not any(map(psutil.pid_exists, workers))


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2", app=PIDS) as server:
        until(lambda: len(ripe(server)) == 2, within=20)
        killed = answering_process(server, "c1")
        os.kill(killed, signal.SIGKILL)
        until(lambda: killed not in children(server) and len(children(server)) == 2, within=20)

        assert answering_process(server, "c2") != killed
        assert f"worker {killed} has ended (exit code -9)" in server.log.read_text()


def test_a_worker_that_is_asked_to_end_as_soon_as_it_answers_is_replaced(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2", app=PIDS) as server:
        until(lambda: len(children(server)) == 2, within=20)
        ended = answering_process(server, "c1")
        os.kill(ended, signal.SIGTERM)
        until(lambda: ended not in children(server) and len(children(server)) == 2, within=20)

        assert answering_process(server, "c2") != ended
        assert f"worker {ended} has ended (exit code 0)" in server.log.read_text()


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2", app=PIDS) as server:
        until(lambda: len(children(server)) == 2, within=20)
        workers = children(server)
        answering_process(server, "c1")
        os.kill(server.process.pid, signal.SIGKILL)

        until(lambda: not any(map(psutil.pid_exists, workers)), within=20)


def test_a_changed_file_is_served_anew(tmp_path: Path) -> None:
    with served(tmp_path, "--reload", app=PIDS) as server:
        before = answering_process(server, "c1")
        source = tmp_path / "attacked.py"
        source.write_text(source.read_text().replace("str(os.getpid())", "'חדש'"))
        until(lambda: "חדש" in server.post(b"ApiCallId=c2&ApiExtension=menu").body.decode(), within=30)

        assert before not in children(server)
        assert "extension /menu: handler menu, " in server.log.read_text()


def test_a_worker_that_cannot_start_ends_the_server(tmp_path: Path) -> None:
    broken = SHARED.replace(
        "import asyncio, time",
        "import multiprocessing\nif multiprocessing.parent_process(): 1 / 0\nimport asyncio, time",
    )
    with served(tmp_path, "--workers", "2", app=broken) as server:
        assert server.process.wait(20) == 3
        assert "could not start (exit code 3): the server ends" in server.log.read_text()


def test_codex_that_is_missing_is_an_error_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YEMOT_AI_CODEX", str(tmp_path / "codex"))
    with served(tmp_path, app=CODEX) as server:
        assert "ERROR yemot_ai: codex cannot answer now" in server.log.read_text()
        assert f"no executable '{tmp_path}/codex'" in server.log.read_text()


def test_the_first_question_to_openai_waits_for_no_import(tmp_path: Path) -> None:
    with served(tmp_path, app=OPENAI) as server:
        answer = server.post(b"ApiCallId=c1&ApiExtension=").body.decode()

    assert answer.startswith("id_list_message=t-openai")


def test_metrics_are_on_a_port_of_their_own(tmp_path: Path) -> None:
    with served(tmp_path, "--metrics-port", "0") as server:
        match = re.search(r"metrics on (http://\S+)", server.log.read_text())
        assert match is not None
        server.post(b"ApiCallId=c1&ApiExtension=")
        with urllib.request.urlopen(match[1], timeout=10) as response:  # noqa: S310 - loopback
            assert "yemot_ai_dead_air_seconds_count 1.0" in response.read().decode()

        assert b"yemot_ai_" not in server.post(b"", query="metrics").body


def test_a_port_of_metrics_that_is_in_use_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "measured.py").write_text(APP.replace("{settings}", "{}"))
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["serve", "measured:flow", "--port", "0", "--metrics-port", port]) == 2

    assert f"--metrics-port {port}" in capsys.readouterr().err


def test_metrics_on_the_port_of_the_line_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "measured_line.py").write_text(APP.replace("{settings}", "{}"))
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
    assert main(["serve", "measured_line:flow", "--port", port, "--metrics-port", port]) == 2

    printed = capsys.readouterr().err
    assert f"--metrics-port {port}" in printed
    assert "Traceback" not in printed


def test_a_long_url_that_arrives_in_pieces_is_read_like_one_that_arrives_at_once(tmp_path: Path) -> None:
    values = "&".join(f"v{number}=" + "a" * 10_000 for number in range(5))
    request = f"GET /?ApiCallId=c1&ApiExtension=&{values} HTTP/1.1\r\nhost: line\r\nconnection: close\r\n\r\n"
    with served(tmp_path) as server:
        connection = server.connect()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), 4096):
            connection.sendall(request[start : start + 4096].encode())
            time.sleep(0.01)  # so that the pieces arrive one by one, as from a proxy
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert "שלום".encode() in answer
