"""What a killed test leaves behind: processes and folders."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until
from yemot_ai_testing.processes.child import ChildProcess
from yemot_ai_testing.processes.owned_folder import OwnedFolder

FAKE = """
    import subprocess
    from yemot_ai_testing import FakeCodex
    with FakeCodex().{script} as codex:
        {hold}
        command = ["codex", *{arguments!r}]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        child.stdin.write(b"hello\\n")
        {close}
        {wait}
        print(child.pid, flush=True)
        child.wait()
"""
EXEC = ["exec", "--skip-git-repo-check", "-"]
NEW_FOLDER = "from yemot_ai_testing import FakeCodex; FakeCodex().close()"


def start(code: str, folder: Path, **values: object) -> ChildProcess:
    source = textwrap.dedent(code).format(**values) if values else code
    return ChildProcess([sys.executable, "-c", source], env={**os.environ, "TMPDIR": str(folder)})


@pytest.mark.parametrize(
    ("script", "hold"), [("hangs()", ""), ("answers('x', after=60)", ""), ("answers('x')", "codex.hold()")]
)
def test_no_fake_outlives_a_killed_test(tmp_path: Path, script: str, hold: str) -> None:
    values = {"arguments": EXEC, "close": "child.stdin.close()", "wait": "codex.wait_for_requests(1)"}
    with start(FAKE, tmp_path, script=script, hold=hold or "pass", **values) as test:
        pid = int(test.read_line(20))
        assert psutil.pid_exists(pid)
        test.close()

        until(lambda: not is_running(pid), within=20)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_later_run_deletes_the_folders_of_killed_ones(tmp_path: Path) -> None:
    values = {"arguments": EXEC, "close": "child.stdin.close()", "wait": "codex.wait_for_requests(1)"}
    with start(FAKE, tmp_path, script="hangs()", hold="pass", **values) as killed:
        pid = int(killed.read_line(20))
        killed.close()
    until(lambda: not is_running(pid), within=20)
    assert list(tmp_path.glob("yemot-ai-codex-*"))

    with start(FAKE, tmp_path, script="hangs()", hold="pass", **values) as alive:
        alive.read_line(20)
        (own,) = tmp_path.glob("yemot-ai-codex-*")
        subprocess.run(
            [sys.executable, "-c", NEW_FOLDER], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True
        )
        assert list(tmp_path.glob("yemot-ai-codex-*")) == [own]
        assert len(list(tmp_path.glob("yemot-ai-fake-codex-*"))) == 1


def test_only_our_own_folders_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, content in (("own-empty", None), ("own-file", "x")):
        (tmp_path / name).mkdir()
        if content:
            (tmp_path / name / "owner").write_text(content)
    os.mkfifo(tmp_path / "elsewhere")
    (tmp_path / "own-link").mkdir()
    (tmp_path / "own-link" / "owner").symlink_to(tmp_path / "elsewhere")

    OwnedFolder.create("own-").remove()

    assert {path.name for path in tmp_path.glob("own-*")} == {"own-empty", "own-file", "own-link"}


def test_a_fake_that_lives_until_it_is_removed_outlives_its_maker(tmp_path: Path) -> None:
    create = "from yemot_ai_testing.codex.fake.standalone import create_fake; print(create_fake(%r))"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    made = subprocess.run(
        [sys.executable, "-c", create % [{"answers": "x"}]], env=environment, check=True, capture_output=True
    )
    subprocess.run([sys.executable, "-c", NEW_FOLDER], env=environment, check=True)
    command = [made.stdout.decode().strip() + "/codex", *EXEC]

    answered = subprocess.run(command, input=b"hello", env=environment, check=True, capture_output=True)
    assert answered.stdout == b"x\n"


SERVER = """
import http.server, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "61"])
print(flush=True)
address = "127.0.0.1", int(sys.argv[1])
http.server.ThreadingHTTPServer(address, http.server.BaseHTTPRequestHandler).serve_forever()
"""
SERVES = """
import sys, time
from yemot_ai_testing.processes.running import descendants
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.servers.startup import Servers
servers = Servers()
servers.get_or_start(ServerCommand((sys.executable, "server.py", "{port}")))
print(*descendants(), flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_server_that_ignores_sigterm_ends_with_a_killed_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").write_text(SERVER)
    with start(SERVES, tmp_path) as test:
        pids = [int(pid) for pid in test.read_line(30).split()]
        assert len(pids) == 3
        test.close()

        until(lambda: not any(map(is_running, pids)), within=20)
