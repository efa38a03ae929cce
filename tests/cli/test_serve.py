"""``yemot-ai serve`` as a process, called over HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.server import served
from yemot_ai.cli.main import main
from yemot_ai_testing import Caller, FakeCodex


@pytest.fixture
def server(fake_codex: FakeCodex) -> Iterator[str]:
    command = [sys.executable, "-m", "yemot_ai", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        for logged in process.stderr:
            started = re.search(r"running on (http://\S+)", logged)
            if started:
                break
        else:
            raise AssertionError("the server did not start")
        yield started[1]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_of_several_turns_over_http(server: str, fake_codex: FakeCodex, method: str) -> None:
    fake_codex.answers("באיזה גודל?").answers("רשמתי, עוד משהו?", after=2.5)
    caller = Caller(server, method=method)  # type: ignore[arg-type]  # one of two words

    assert "ברוכים הבאים" in caller.dial()
    assert "הסוכן" in caller.presses("1")
    assert caller.says("אני רוצה פיצה") == "באיזה גודל?"
    assert caller.says("גדולה") == "רק רגע רשמתי, עוד משהו?"
    assert "ברוכים הבאים" in caller.presses("9")
    assert caller.presses("2") == "להתראות"
    assert caller.ended
    assert [request.prompt for request in fake_codex.requests] == ["אני רוצה פיצה", "גדולה"]
    fake_codex.assert_complete()


@pytest.mark.slow
def test_a_hang_up_leaves_no_process(server: str, fake_codex: FakeCodex) -> None:
    fake_codex.answers("שלום")
    with Caller(server) as caller:
        caller.dial()
        caller.presses("1")
        caller.says("שלום")

    assert fake_codex.processes_alive() == 0


@pytest.mark.slow
def test_an_invalid_request_gets_a_spoken_error(server: str) -> None:
    with urllib.request.urlopen(f"{server}/anything?%FF=%00&ApiCallId=&x", timeout=10) as response:  # noqa: S310 - loopback
        assert response.status == 200
        assert response.read().decode() == (
            "id_list_message=t-סליחה, המערכת אינה מוגדרת כראוי&go_to_folder=hangup"
        )


def test_a_folder_of_records_that_cannot_be_made_is_refused_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "records"
    file.touch()
    assert main(["serve", "--port", "0", "--record", str(file)]) == 2
    assert main(["serve", "--port", "0", "--record", str(file / "calls")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"yemot-ai: --record {file}: File exists: name another folder"
    assert second == f"yemot-ai: --record {file / 'calls'}: Not a directory: name another folder"


@pytest.mark.slow
def test_the_log_has_time_level_and_logger(tmp_path: Path) -> None:
    settings = "{'access': AccessPolicy(secret='only-the-line-knows')}"
    with served(tmp_path, settings=settings) as server:
        server.post(b"ApiCallId=c1")

        line = next(line for line in server.log.read_text().splitlines() if "refused" in line)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d [\d:,]{12} WARNING yemot_ai: call 'c1' is refused: .*", line)


@pytest.mark.slow
def test_turns_and_calls_are_logged(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.post(b"ApiCallId=c1&ai_1=a")
        server.end(signal.SIGTERM, within=8)

        assert "INFO yemot_ai: call c1: turn ai_1: " in server.log.read_text()


def test_a_deadline_of_the_server_is_above_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--header-seconds", "0"]) == 2
    assert "header_seconds=0.0: give a number above 0" in capsys.readouterr().err
