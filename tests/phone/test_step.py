"""``yemot-ai phone --step``: one command at a time."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.waiting import until
from yemot_ai_testing.doubles.steps import Answer
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.phone.options import read_script

pytestmark = pytest.mark.slow

STATE = ".yemot-phone.json"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def phone(line_module: str, tmp_path: Path) -> Iterator[Run]:
    """Run ``yemot-ai phone`` in the folder of the line."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "yemot_ai", "phone", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False, encoding="utf-8"
        )

    yield run
    end_keeper(tmp_path / STATE)


def end_keeper(state: Path) -> None:
    """Let the process that keeps the calls end: it looks whether its state file is there."""
    if state.exists():
        process = psutil.Process(json.loads(state.read_text(encoding="utf-8"))["pid"])
        state.unlink()
        process.wait(20)


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_call_step_by_step(phone: Run, line_module: str, tmp_path: Path) -> None:
    assert result(phone(line_module, "--step", "dial"))["heard"] == "להזמנה הקישו 1"
    assert (tmp_path / STATE).stat().st_mode & 0o777 == 0o600
    assert result(phone("--step", "presses", "1"))["heard"] == "מה תרצו להזמין?"
    said = result(phone("--step", "says", "שתי", "פיצות"))
    assert said["heard"] == "אמרת, שתי פיצות"
    assert [one["sent"]["ai_1"] for one in said["exchanges"]] == ["שתי פיצות"]
    assert "presses" in said["possible"]
    assert result(phone("--step", "save", "order"))["path"] == str(tmp_path / "order.call.yaml")
    assert result(phone("--step", "hangs-up"))["ended"]
    view = result(phone("--step", "view"))
    assert [row["text"] for row in view["rows"] if row["origin"] == "caller"][-2:] == ["שתי פיצות", ""]


def test_a_step_that_the_line_does_not_take_has_its_own_exit_code(phone: Run, line_module: str) -> None:
    phone(line_module, "--step", "dial")
    done = phone("--step", "says", "שלום")
    assert done.returncode == 1
    assert "the line waits for keys" in json.loads(done.stdout)["notice"]


def test_the_model_follows_a_script_and_then_echoes(phone: Run, line_module: str, tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text('- answers: "באיזה גודל?"\n', encoding="utf-8")
    done = phone("--model", "script", "script.yaml", line_module, "--extension", "order", "--step", "dial")
    assert result(done)["heard"] == "מה תרצו להזמין?"
    assert result(phone("--step", "says", "פיצה"))["heard"] == "באיזה גודל?"
    assert result(phone("--step", "says", "גדולה"))["heard"] == "אמרת, גדולה"


def test_a_saved_call_is_replayed(phone: Run, line_module: str, tmp_path: Path) -> None:
    phone(line_module, "--extension", "order", "--step", "dial")
    phone("--step", "says", "פיצה")
    phone("--step", "save", "order")
    end_keeper(tmp_path / STATE)
    assert result(phone(line_module, "--step", "replay", "order.call.yaml"))["heard"] == "אמרת, פיצה"
    assert result(phone("--step", "says", "עוד"))["heard"] == "אמרת, עוד"


def test_its_process_ends_with_its_state_file(phone: Run, line_module: str, tmp_path: Path) -> None:
    phone(line_module, "--step", "dial")
    process = psutil.Process(json.loads((tmp_path / STATE).read_text(encoding="utf-8"))["pid"])
    (tmp_path / STATE).unlink()
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, within=20)


def test_a_phone_that_ends_leaves_the_log_of_the_next_one(
    phone: Run, line_module: str, tmp_path: Path
) -> None:
    phone(line_module, "--step", "dial")
    earlier = psutil.Process(json.loads((tmp_path / STATE).read_text(encoding="utf-8"))["pid"])
    phone(line_module, "--step", "dial")
    until(lambda: not earlier.is_running() or earlier.status() == psutil.STATUS_ZOMBIE, within=20)
    assert (tmp_path / f"{STATE}.log").exists()


def test_a_target_that_is_missing_is_explained_while_another_phone_ends(
    phone: Run, line_module: str, tmp_path: Path
) -> None:
    phone(line_module, "--step", "dial")
    process = psutil.Process(json.loads((tmp_path / STATE).read_text(encoding="utf-8"))["pid"])
    done = phone("nothing:flow", "--step", "dial")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "there is no module 'nothing'" in done.stderr
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, within=20)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--step", "says", "שלום"], "begin with --step dial"),
        (["nothing:flow", "--step", "dial"], "there is no module 'nothing'"),
        (["--model", "gpt", "--step", "dial"], "there is no model 'gpt'"),
        (["--model", "script", "--step", "dial"], "--model script needs a file"),
        (["--model", "script", "none.yaml", "--step", "dial"], "none.yaml is no script of a model"),
        (["yemot_ai.reference:flwo", "--step", "dial"], "did you mean 'flow'?"),
        (["nothing", "--step", "dial"], "there is no module 'nothing'"),
        (["nothing/", "--step", "dial"], "there is no folder nothing/"),
        (["order.py", "--step", "dial"], "'order.py:flow' is a file: write order:flow"),
        (["./shop/order.py:flow", "--step", "dial"], "write module:attr, such as shop.order:flow"),
        ([".", "--step", "dial"], "has no ext.ini with type=api, so no server is called"),
        (["http://example.com/yemot", "--step", "dial"], "example.com/yemot is not on this machine"),
        (["http://example.com/", "--step", "dial"], "add --i-own-this-server if it is yours\n"),
        (["--state", "none/state.json", "--step", "dial"], "none/state.json.log: No such file or directory"),
        (["--step", "dial", "5"], "--extension EXTENSION --step dial"),
        (["--step", "view", "5"], "view takes no text, not '5'"),
        (["--web", "--no-browser", "--port", "65536"], "'65536' is no port from 0 to 65535"),
        (["--web", "--no-browser", "--port", "-1"], "'-1' is no port from 0 to 65535"),
        ([], "there is no terminal to draw the phone in: --web"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_explained(phone: Run, arguments: list[str], said: str) -> None:
    done = phone(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_attribute_of_a_module_may_be_left_out(phone: Run, line_module: str) -> None:
    assert result(phone(line_module.removesuffix(":flow"), "--step", "dial"))["heard"] == "להזמנה הקישו 1"


def test_a_file_is_needed_to_replay(phone: Run, line_module: str) -> None:
    phone(line_module, "--step", "dial")
    assert "name a file: replay FILE.call.yaml" in phone("--step", "replay").stderr


def test_letters_that_the_terminal_lacks_are_escaped_in_the_json(
    phone: Run, line_module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = phone(line_module, "--extension", "order", "--step", "dial")
    assert done.stdout.isascii()
    assert result(done)["heard"] == "מה תרצו להזמין?"
    assert result(phone("--step", "says", "תודה 😀"))["heard"] == "להתראות"


def test_a_server_that_does_not_answer_is_named_in_the_output(phone: Run) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done = phone(url, "--step", "dial")
    assert done.returncode == 1
    assert "Connection refused: is the server running at this address?" in json.loads(done.stdout)["notice"]


def test_a_server_of_an_ini_file_on_another_machine_is_a_notice(phone: Run, tmp_path: Path) -> None:
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "ext.ini").write_text("type=api\napi_link=https://example.com/yemot\n")
    done = phone("line", "--step", "dial")
    assert done.returncode == 1
    assert json.loads(done.stdout)["notice"].endswith("add --i-own-this-server if it is yours")


def test_a_step_that_there_is_not_is_explained_with_a_similar_one(phone: Run, line_module: str) -> None:
    phone(line_module, "--step", "dial")
    said = phone("--step", "sayss", "שלום").stderr
    assert "no command 'sayss': did you mean 'says'? It has dial, view, save, replay, says," in said


def test_code_that_fails_is_named_in_the_output_with_its_log(phone: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "from yemot_ai import AIFlow, YemotAI\n\nflow = AIFlow(YemotAI('codex'))\n\n\n"
        "@flow.get('')\ndef menu(call):\n    return {}['price']\n"
    )
    done = phone("broken:flow", "--step", "dial")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert "broken.py:8: KeyError: 'price'" in answer["notice"]
    assert "Traceback" in (tmp_path / answer["log"]).read_text(encoding="utf-8")


def test_a_call_that_is_over_says_how_to_begin_a_new_one(phone: Run, line_module: str) -> None:
    phone(line_module, "--step", "dial")
    phone("--step", "hangs-up")
    done = phone("--step", "says", "שלום")
    assert done.returncode == 1
    assert "--step dial" in json.loads(done.stdout)["notice"]


def test_a_damaged_state_file_is_explained(phone: Run, tmp_path: Path) -> None:
    (tmp_path / STATE).write_text("{", encoding="utf-8")
    assert "is no state of a phone" in phone("--step", "view").stderr
    (tmp_path / STATE).unlink()


class Stranger(BaseHTTPRequestHandler):
    """A server that has taken the address of a phone that was killed."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None: ...


def test_a_server_that_has_taken_the_address_of_a_phone_is_named(phone: Run, tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state = {"url": f"http://127.0.0.1:{server.server_port}/token/", "pid": 0, "call": 1}
        (tmp_path / STATE).write_text(json.dumps(state), encoding="utf-8")
        done = phone("--step", "view")
        server.shutdown()
    (tmp_path / STATE).unlink()
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "another server has its address (status 404); --step dial begins" in done.stderr


def test_a_script_may_be_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "order.call.yaml"
    path.write_text(
        'scenarios:\n- name: x\n  turns:\n  - says: "פיצה"\n    agent: {answers: "באיזה גודל?"}\n'
    )
    assert [step.pieces for step in read_script(path)] == [("באיזה גודל?",)]  # type: ignore[union-attr]


SCRIPTS = {
    "- answers: [a": "script.yaml:1:12: this [ has no end",
    "- answer: a": "script.yaml:1:3: ",
    "- answers: a\n- fails: nothing\n": "script.yaml:2:10: ",
    "": "script.yaml has no step of a model",
    "# nothing\n": "script.yaml has no step of a model",
    "answers": "script.yaml:1:1: ",
}


@pytest.mark.parametrize("text", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_mistake_in_a_script_is_one_line_with_its_place(text: str, tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AppError) as raised:
        read_script(path)
    assert SCRIPTS[text] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_script_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_bytes("- answers: שלום\n".encode("cp1255"))
    with pytest.raises(AppError, match=r"script\.yaml:1:1: this is not UTF-8: save the file as UTF-8"):
        read_script(path)


@pytest.mark.parametrize("answer", ["0501234567", "no", "012", "1e3", "2026-11-30"])
def test_a_text_of_a_script_stays_as_it_is_written(answer: str, tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(f"- answers: {answer}\n", encoding="utf-8")
    assert read_script(path) == (Answer((answer,)),)
