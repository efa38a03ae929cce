"""Running a process: its lines, its group, its end."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.asking import ask_provider
from tests.support.codex import exec_provider, run_async
from yemot_ai.errors import MalformedStreamError, ProviderCrashError, ProviderError, ProviderTimeoutError
from yemot_ai.providers.codex.capabilities import probe
from yemot_ai.providers.codex.process import LINE_LIMIT, LineFramer, LineTooLongError, run_process
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.fake.double import FakeCodex


def program(folder: Path, body: str) -> Path:
    """Write a program that replaces ``codex``."""
    path = folder / "codex"
    write_executable(path, f"#!{sys.executable}\n{textwrap.dedent(body)}")
    return path


def fifo(folder: Path, name: str) -> Path:
    path = folder / name
    os.mkfifo(path)
    return path


def has_exited(pid: int) -> bool:
    """Return whether a process ends within 5 s: a kill takes effect a moment later."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@given(st.lists(st.binary(max_size=40)), st.integers(1, 9))
def test_lines_are_whole_however_the_bytes_arrive(lines: list[bytes], size: int) -> None:
    lines = [line.replace(b"\n", b" ") for line in lines]
    data = b"".join(line + b"\n" for line in lines)
    received: list[bytes] = []
    framer = LineFramer(received.append)
    for start in range(0, len(data), size):
        framer.feed(data[start : start + size])
    framer.flush()
    assert received == lines


def test_a_last_line_without_an_end_is_received() -> None:
    received: list[bytes] = []
    framer = LineFramer(received.append)
    framer.feed(b"one\ntwo")
    framer.flush()
    assert received == [b"one", b"two"]


def test_a_line_beyond_the_limit_is_refused() -> None:
    framer = LineFramer(lambda _line: None, limit=10)
    framer.feed(b"0123456789\n")
    with pytest.raises(LineTooLongError):
        framer.feed(b"0123456789a")


@pytest.mark.slow
def test_a_line_beyond_the_limit_ends_the_turn(fake: FakeCodex) -> None:
    fake.answers("x" * (LINE_LIMIT + 10))
    with pytest.raises(MalformedStreamError, match="more than 8388608 bytes"):
        run_async(ask_provider(exec_provider(), "שלום"))
    assert fake.processes == ()


def test_output_that_is_no_event_is_malformed(fake: FakeCodex) -> None:
    fake.malformed()
    with pytest.raises(MalformedStreamError, match="not an event") as caught:
        run_async(ask_provider(exec_provider(), "שלום"))
    assert caught.value.exit_code == 0


def test_the_stderr_of_a_crash_is_in_the_error(fake: FakeCodex) -> None:
    fake.crashes(exit=70, stderr="internal error: the moon is full")
    with pytest.raises(ProviderCrashError, match="the moon is full") as caught:
        run_async(ask_provider(exec_provider(), "שלום"))
    assert caught.value.exit_code == 70
    assert "the moon is full" in caught.value.stderr_tail


@pytest.fixture
def run_to_end(tmp_path: Path) -> Callable[[str], None]:
    """Run a program that leaves a child, which holds the pipes open until it ends."""

    def run(body: str) -> None:
        path = program(tmp_path, body)
        run_async(
            run_process(
                [str(path)], stdin=b"", receive=lambda _line: None, env=dict(os.environ), cwd=tmp_path
            )
        )

    return run


CHILD = """
    import subprocess, sys
    child = subprocess.Popen([sys.executable, "-c", "import signal; {ignores}signal.pause()"])
    open("child", "w").write(str(child.pid))
    {after}
"""
IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def test_the_children_of_a_process_end_with_it(run_to_end: Callable[[str], None], tmp_path: Path) -> None:
    run_to_end(CHILD.format(ignores="", after=""))
    assert has_exited(int((tmp_path / "child").read_text()))


def test_a_child_that_holds_the_pipe_open_does_not_delay_the_end(
    run_to_end: Callable[[str], None], tmp_path: Path
) -> None:
    run_to_end(CHILD.format(ignores=IGNORES, after="print('done', flush=True)"))
    assert has_exited(int((tmp_path / "child").read_text()))


@pytest.mark.slow
def test_a_group_that_ignores_the_first_signal_is_killed(tmp_path: Path) -> None:
    ready = fifo(tmp_path, "ready")
    body = f"""
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(ready)!r}, "w").write("ready")
        signal.pause()
    """
    path = program(tmp_path, body)

    async def cancel() -> float:
        loop = asyncio.get_running_loop()
        environment = dict(os.environ)
        turn = asyncio.create_task(
            run_process([str(path)], stdin=b"", receive=lambda _line: None, env=environment, cwd=tmp_path)
        )
        await asyncio.to_thread(ready.read_text)
        began = loop.time()
        turn.cancel()
        await asyncio.wait([turn])
        assert turn.cancelled()
        return loop.time() - began

    assert run_async(cancel()) < 0.5


def test_a_program_that_does_not_read_does_not_block(tmp_path: Path) -> None:
    path = program(tmp_path, "import sys; sys.exit(5)")
    with pytest.raises(ProviderCrashError) as caught:
        run_async(ask_provider(exec_provider(executable=path, codex_home=tmp_path / "home"), "x" * 2_000_000))
    assert caught.value.exit_code == 5


def test_a_program_that_cannot_be_started_is_a_permanent_error(tmp_path: Path) -> None:
    path = tmp_path / "codex"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)
    with pytest.raises(ProviderError, match="could not be started") as caught:
        run_async(ask_provider(exec_provider(executable=path, codex_home=tmp_path / "home"), "שלום"))
    assert not caught.value.transient


def test_a_program_without_features_gets_no_feature_options(tmp_path: Path) -> None:
    body = """
        import json, sys
        if "features" in sys.argv or "--help" in sys.argv:
            sys.exit(2)
        print(json.dumps({"type": "thread.started", "thread_id": "t"}))
        text = " ".join(sys.argv[1:])
        print(json.dumps({"type": "item.completed", "item": {"type": "agent_message", "text": text}}))
        print(json.dumps({"type": "turn.completed"}))
    """
    path = program(tmp_path, body)
    command_line = run_async(
        ask_provider(exec_provider(executable=path, codex_home=tmp_path / "home"), "שלום")
    ).text
    assert "--disable" not in command_line
    assert "--ignore-rules" not in command_line
    assert "--sandbox read-only" in command_line
    assert "web_search=disabled" in command_line


def test_options_of_the_provider_reach_the_command_line(tmp_path: Path) -> None:
    body = """
        import json, sys
        print(json.dumps({"type": "thread.started", "thread_id": "t"}))
        text = " ".join(sys.argv[1:])
        print(json.dumps({"type": "item.completed", "item": {"type": "agent_message", "text": text}}))
        print(json.dumps({"type": "turn.completed"}))
    """
    path = program(tmp_path, body)
    options = {
        "model": "gpt-9",
        "sandbox": "workspace-write",
        "config": {"a.b": True, "c": 7, "service_tier": "x"},
    }
    command_line = run_async(
        ask_provider(exec_provider(executable=path, codex_home=tmp_path / "h", **options), "שלום")
    ).text
    for part in ("--model gpt-9", "--sandbox workspace-write", "-c a.b=true", "-c c=7", "-c service_tier=x"):
        assert part in command_line


@pytest.mark.slow
def test_a_silent_program_ends_at_the_deadline(tmp_path: Path) -> None:
    path = program(tmp_path, "import signal; signal.pause()")
    own_provider = exec_provider(executable=path, codex_home=tmp_path / "home", timeout=0.5)
    with pytest.raises(ProviderTimeoutError):
        run_async(ask_provider(own_provider, "שלום"))


@pytest.mark.slow
def test_cancelling_a_probe_ends_its_processes(tmp_path: Path) -> None:
    ready = fifo(tmp_path, "ready")
    # One of the three ends late: probe must wait for all of them.
    body = f"""
        import os, signal, sys
        if "exec" in sys.argv:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(ready)!r}, "w").write(str(os.getpid()) + "\\n")
        while True:
            signal.pause()
    """
    path = program(tmp_path, body)

    def received() -> set[int]:
        pids: set[int] = set()
        while len(pids) < 3:
            pids.update(map(int, ready.read_text().split()))
        return pids

    async def cancel() -> list[int]:
        task = asyncio.create_task(probe(str(path), env=dict(os.environ), cwd=tmp_path))
        pids = await asyncio.to_thread(received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [pid for pid in sorted(pids) if is_alive(pid)]

    assert run_async(cancel()) == []


@pytest.mark.slow
def test_no_process_outlives_the_interpreter(tmp_path: Path) -> None:
    ready = fifo(tmp_path, "ready")
    # It runs once it has read its input; without input it would end by itself.
    body = f"""
        import os, signal, sys
        sys.stdin.read()
        open({str(ready)!r}, "w").write(str(os.getpid()))
        signal.pause()
    """
    path = program(tmp_path, body)
    # The loop runs in a daemon thread, which simply stops when the interpreter has_exited.
    script = f"""
        import asyncio, os, pathlib, threading
        from yemot_ai.providers.codex.process import run_process
        turn = run_process([{str(path)!r}], stdin=b"", receive=print, env=dict(os.environ), cwd="/")
        threading.Thread(target=asyncio.run, args=(turn,), daemon=True).start()
        print(pathlib.Path({str(ready)!r}).read_text())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert has_exited(int(done.stdout))


@pytest.mark.slow
def test_a_forked_child_leaves_the_processes_of_its_parent_alone(tmp_path: Path) -> None:
    ready = fifo(tmp_path, "ready")
    body = f"""
        import os, signal, sys
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        open({str(ready)!r}, "w").write(str(os.getpid()))
        signal.sigwait([signal.SIGUSR1])
        print("alive")
    """
    path = program(tmp_path, body)
    script = f"""
        import asyncio, os, pathlib, signal, sys, threading
        from yemot_ai.providers.codex.process import run_process
        turn = run_process([{str(path)!r}], stdin=b"", receive=print, env=dict(os.environ), cwd="/")
        loop = threading.Thread(target=asyncio.run, args=(turn,))
        loop.start()
        pid = int(pathlib.Path({str(ready)!r}).read_text())
        child = os.fork()
        if child == 0:
            sys.exit()
        os.waitpid(child, 0)
        os.kill(pid, signal.SIGUSR1)
        loop.join()
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "b'alive'\n"
