"""``yemot-ai-testing scenario from-log``, and a recorded server."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.from_log.logs import json_lines
from yemot_ai_testing import Caller, FakeCodex
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.scenario import load
from yemot_ai_testing.scenario.format.model import ServerCommand


def answers(pairs: list[tuple[str, str]]) -> str:
    if "x" in dict(pairs):
        return "id_list_message=t-תודה&go_to_folder=hangup"
    return "read=t-מה תרצו=x,no,voice"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    good, silent = Caller(answers, "0527654321"), Caller(answers, "0527654322")
    for caller in (good, silent):
        caller.dial()
    good.says("פיצה לדוד")
    silent.hangs_up()
    path = tmp_path / "calls.log"
    path.write_text("\n".join([*json_lines(good), *json_lines(silent)]), encoding="utf-8")
    return path


def test_the_command_writes_a_file_for_each_call_and_prints_a_table(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "calls"
    options = ["--into", str(folder), "--app", "shop:flow", "--replace", "דוד=משה"]
    assert main(["scenario", "from-log", str(log), *options]) == 0

    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["call", "time", "(UTC)", "turns", "why", "file"]
    assert table[-1] == "2 of 2 calls, 5 requests"
    first = folder / "call-0001.call.yaml"
    (scenario,) = load(first).scenarios
    assert scenario.app == "shop:flow"
    assert scenario.turns[1].action is not None
    assert scenario.turns[1].action.text == "פיצה למשה"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_the_scenarios_start_the_server_whose_log_it_is(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--into", str(tmp_path / "calls"), "--serve", "node 'my server.js'", "--serve-path", "/yemot"]
    assert main(["scenario", "from-log", str(log), *options]) == 0

    (scenario,) = load(tmp_path / "calls" / "call-0001.call.yaml").scenarios
    assert scenario.app == ServerCommand(("node", "my server.js"), "/yemot")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--serve-path", "/yemot"], "--serve-path is a path of the server of --serve"),
        (["--serve", "node", "--serve-path", "yemot"], "the path 'yemot': "),
        (["--serve", "node 'server.js"], "cannot be split"),
    ],
)
def test_a_server_that_is_none_is_refused(
    options: list[str], message: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenario", "from-log", str(log), *options]) == 2
    assert message in capsys.readouterr().err


def test_the_limit_is_for_the_most_interesting_calls(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(pairs: list[tuple[str, str]]) -> str:
        return "id_list_message=t-א-ב"

    caller = Caller(broken, strict=False)
    caller.dial()
    with log.open("a", encoding="utf-8") as added:
        added.write("\n" + "\n".join(json_lines(caller)))
    folder = tmp_path / "calls"
    assert main(["scenario", "from-log", str(log), "--into", str(folder), "--limit", "1"]) == 0

    (path,) = folder.iterdir()
    assert "does not understand a response: text-character" in path.read_text(encoding="utf-8")
    assert "1 of 3 calls" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.log"], "cannot use missing.log: No such file"),
        (["empty.log"], "no calls found"),
        (["binary.log"], "binary.log is binary"),
        (["folder"], "no calls found"),
    ],
)
def test_what_is_no_log_is_an_error(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.log").touch()
    Path("binary.log").write_bytes(b"\0")
    Path("folder").mkdir()
    assert main(["scenario", "from-log", *arguments]) == 2
    assert reason in capsys.readouterr().err
    assert not Path("calls").exists()


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (["--replace", "דוד"], "is not WORD=WORD"),
        (["--limit", "0"], "is no number above 0"),
        (["--limit", "-1"], "is no number above 0"),
    ],
)
def test_a_wrong_option_is_an_error(
    option: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["scenario", "from-log", "x.log", *option])
    assert reason in capsys.readouterr().err


def test_what_a_scenario_cannot_have_is_named_and_fails(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenario", "from-log", str(log), "--into", str(tmp_path / "calls"), "--app", "shop"]) == 2

    printed = capsys.readouterr()
    assert printed.out.count("not written: ") == 2
    assert "no call can be written" in printed.err


@pytest.mark.slow
def test_a_recorded_server_becomes_scenarios_that_pass(tmp_path: Path, fake_codex: FakeCodex) -> None:
    records, folder = tmp_path / "records", tmp_path / "calls"
    command = [sys.executable, "-m", "yemot_ai", "serve", "--port", "0", "--record", str(records)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        started = (re.search(r"running on (http://\S+)", line) for line in process.stderr)
        url = next(found for found in started if found)[1]
        fake_codex.answers("באיזה גודל?").hangs()
        caller = Caller(url, "0527654321")
        caller.dial()
        caller.presses("1")
        assert caller.says("פיצה, הזמנה 77665544") == "באיזה גודל?"
        caller.interrupts(after=3)
        caller.says("גדולה")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    app = "yemot_ai.reference:flow"
    assert main(["scenario", "from-log", str(records), "--into", str(folder), "--app", app]) == 0
    (path,) = folder.iterdir()
    text = path.read_text(encoding="utf-8")
    assert "0527654321" not in text
    assert "77665544" not in text
    assert "the caller hung up during a wait" in text
    run = [sys.executable, "-m", "pytest", "-q", f"--yemot-scenario={folder}", "-p", "no:cacheprovider"]
    played = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert played.returncode == 0, played.stdout
    assert "1 passed" in played.stdout
