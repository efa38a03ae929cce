"""The command on real servers, with Locust in its own processes."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.foreign import node
from tests.foreign.process import serving
from tests.support.fixed_response_server import FixedResponseServer
from tests.support.waiting import until
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.servers.server import ServerProcess, free_port

HERE = Path(__file__).parent
FAULTY_COMMAND = (sys.executable, str(HERE / "faulty_server.py"))
FAULTY = shlex.join(FAULTY_COMMAND)
SHOP = shlex.join([sys.executable, "-m", "yemot_ai", "serve", "shop:flow", "--port", "{port}"])
COMMAND = (sys.executable, "-m", "yemot_ai_testing.cli.main", "load")

LISTENS = "read=t-שלום=said,no,voice".encode()
REQUESTS_OF_A_CALL = 5

ORDER = """
scenarios:
  - name: order
    turns:
      - presses: "1"
      - says: אמירה 7001
      - records: /bakery/000.wav
      - presses: "12"
      - silent: true
"""


def load(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command; return its exit code, and its report as data."""
    code = main(["load", *arguments, "--json"])
    captured = capsys.readouterr()
    assert captured.out, captured.err
    data: dict[str, Any] = json.loads(captured.out)
    return code, data


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, which must refuse its arguments; return the one line that it prints."""
    assert main(["load", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.slow
def test_a_healthy_line_is_clean_and_its_report_has_charts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("SHOP_MODEL", "openai")
    html = tmp_path / "load.html"
    code, data = load(
        capsys, "--serve", SHOP, "--calls=12", "--rate=12", "--model-seconds=0", f"--html={html}"
    )

    assert code == 0, data
    assert (data["finished"], data["errors"], data["exceptions"]) == (12, {}, [])
    once = data["exactly_once"]
    assert (once["judged"], once["utterances"], once["asked"], once["violations"]) == (True, 36, 36, {})
    assert data["dead_air"]["turns"] == 48
    assert data["dead_air"]["p50"] <= data["dead_air"]["p99"] <= data["dead_air"]["longest"] + 0.05
    page = html.read_text(encoding="utf-8")
    assert '"dead air"' in page
    assert "response_time_percentile_0.99" in page


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["codex", "codex-app-server"])
def test_exactly_once_is_seen_from_codex(
    provider: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("SHOP_MODEL", provider)
    code, data = load(capsys, "--serve", SHOP, "--calls=6", "--rate=6", "--model-seconds=0.1")

    assert code == 0, data
    assert (data["exactly_once"]["utterances"], data["exactly_once"]["asked"]) == (18, 18)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "violation", "error"),
    [
        ("asked_twice", "asked_twice", ""),
        ("crossed", "crossed_calls", ""),
        ("unheard", "unheard", ""),
        ("never_asked", "ignored", ""),
        ("invalid", "", "text-character"),
        ("status", "", "status"),
    ],
)
def test_a_fault_of_a_server_is_found_once(
    fault: str,
    violation: str,
    error: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAULT", fault)
    code, data = load(capsys, "--serve", FAULTY, "--calls=10", "--rate=10", "--model-seconds=0.05")

    assert code == 1
    assert [*data["errors"]] == ([error] if error else [])
    violations = data["exactly_once"]["violations"]
    assert violation in violations if violation else violations == {}


@pytest.mark.slow
def test_errors_up_to_a_limit_are_allowed_and_warnings_of_locust_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT", "status")
    code, data = load(
        capsys, "--serve", FAULTY, "--calls=5", "--rate=101", "--model-seconds=0", "--max-errors=1"
    )

    assert code == 0
    assert data["errors"]["status"][0] == 1
    assert "spawn rate is very high" in data["warnings"][0]


@pytest.mark.slow
def test_two_workers_make_the_calls_of_a_master(capsys: pytest.CaptureFixture[str]) -> None:
    model, master = free_port(), f"--master-port={free_port()}"
    variables = {**os.environ, "OPENAI_BASE_URL": f"http://127.0.0.1:{model}/v1"}
    with (
        closing(ServerProcess(ServerCommand(FAULTY_COMMAND), variables)) as server,
        subprocess.Popen([*COMMAND, "--worker", master]) as first,
        subprocess.Popen([*COMMAND, "--worker", master]) as second,
    ):
        try:
            code, data = load(
                capsys, server.url, "--calls=16", "--rate=16", f"--model-port={model}", "--model-seconds=0",
                "--expect-workers=2", master,
            )  # fmt: skip
            assert (first.wait(60), second.wait(60)) == (0, 0)
        finally:
            first.kill()
            second.kill()

    assert code == 0, data
    assert (data["finished"], data["exactly_once"]["asked"]) == (16, 48)


@pytest.mark.slow
def test_processes_of_this_machine_share_the_calls(capsys: pytest.CaptureFixture[str]) -> None:
    code, data = load(
        capsys, "--serve", FAULTY, "--calls=16", "--rate=16", "--model-seconds=0", "--processes=2"
    )

    assert code == 0, data
    assert (data["finished"], data["exactly_once"]["utterances"]) == (16, 48)


@pytest.mark.slow
def test_a_scenario_leads_callers_through_a_foreign_server(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    scenario = tmp_path / "order.call.yaml"
    scenario.write_text(ORDER, encoding="utf-8")
    with serving(*node.start()) as url:
        code, data = load(capsys, f"{url}/", f"--scenario={scenario}", "--calls=20", "--rate=20")
        refused = refusal(capsys, f"{url}/", "--calls=1")

    assert code == 0, data
    assert (data["finished"], data["errors"], data["dead_air"]["turns"]) == (20, {}, 120)
    assert not data["exactly_once"]["judged"]
    assert "--model-port" in data["exactly_once"]["reason"]
    assert "the line waits for keys" in refused
    assert "--scenario FILE" in refused


@pytest.mark.slow
def test_a_model_that_is_never_asked_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    with FixedResponseServer(LISTENS) as server:
        code, data = load(capsys, server.url, "--calls=1", f"--model-port={free_port()}")

    assert code == 1
    assert (
        "the model was never asked: start the server with OPENAI_BASE_URL=" in data["exactly_once"]["reason"]
    )


@pytest.mark.slow
def test_a_server_with_another_model_is_not_judged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT", "own_model")
    code, data = load(capsys, "--serve", FAULTY, "--calls=4", "--rate=4", "--model-seconds=0")

    assert code == 0, data
    once = data["exactly_once"]
    assert (data["finished"], once["judged"], once["utterances"], once["asked"]) == (4, False, 12, 0)
    assert "the model was never asked: the server has another model" in once["reason"]


@pytest.mark.slow
def test_ctrl_c_ends_with_the_report() -> None:
    with FixedResponseServer(LISTENS) as server:
        command = [*COMMAND, server.url, "--calls=400", "--rate=5", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                until(lambda: server.connections > REQUESTS_OF_A_CALL, within=60)
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=60)
            finally:
                process.kill()

    data = json.loads(output)
    assert process.returncode == 130
    assert data["interrupted"]
    assert data["finished"] < 400


@pytest.mark.slow
def test_what_is_no_line_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with FixedResponseServer(b"<!doctype html><p>hello") as server:
        assert "a page (HTML)" in refusal(capsys, server.url)


def test_a_server_that_is_away_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is the server running" in refusal(capsys, f"http://127.0.0.1:{free_port()}/")


def test_another_machine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--i-own-this-server" in refusal(capsys, "http://line.example/")


def test_a_port_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        assert f"port {port}" in refusal(capsys, "http://127.0.0.1:9/", f"--model-port={port}")


def test_what_is_no_url_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no URL" in refusal(capsys, "shop:flow")
    assert "is no URL" in refusal(capsys, "ftp://127.0.0.1/")


def test_a_report_that_cannot_be_written_is_refused_before_the_calls(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    assert "cannot be written" in refusal(capsys, "http://127.0.0.1:9/", f"--html={tmp_path}/file/load.html")
    assert "cannot be written" in refusal(capsys, "http://127.0.0.1:9/", f"--csv={tmp_path}/file/load")


def test_a_missing_file_and_a_missing_target_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be read" in refusal(capsys, "http://127.0.0.1:9/", "--scenario=absent.call.yaml")
    assert "--serve COMMAND" in refusal(capsys)
    assert "--serve COMMAND" in refusal(capsys, "http://127.0.0.1:9/", "--serve=node x.js")


def test_without_locust_the_extra_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    assert "pip install 'yemot-ai[load]'" in refusal(capsys, "http://127.0.0.1:9/")


@pytest.mark.parametrize(
    "argument", ["--calls=0", "--rate=0", "--rate=nan", "--model-seconds=-1", "--calls=x"]
)
def test_a_wrong_number_is_refused(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["load", "http://127.0.0.1:9/", argument])

    assert caught.value.code == 2
    assert argument.partition("=")[0] in capsys.readouterr().err


def test_a_path_without_a_server_to_start_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--serve-path is a path of" in refusal(capsys, "http://127.0.0.1:9/", "--serve-path=/yemot")


def test_the_command_does_not_import_locust() -> None:
    code = "import sys, yemot_ai_testing.cli.load; print('locust' in sys.modules, 'gevent' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["False", "False"]


def test_a_model_server_listens_at_a_given_port() -> None:
    port = free_port()
    with ModelServer(port=port) as model:
        assert model.base_url == f"http://127.0.0.1:{port}/v1"
