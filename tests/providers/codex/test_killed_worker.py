"""A turn whose server is killed: the same with the fake and the real Codex.

Codex does not watch its pipes while it waits for the model (measured, 0.171); it would end with the first
line that it cannot write.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import until
from yemot_ai.providers import CodexCLIProvider, read_reply
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.processes.running import descendants
from yemot_ai_testing.processes.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.codex import Codex

SERVER = """
import asyncio
from yemot_ai.providers import CodexCLIProvider, read_reply
asyncio.run(read_reply(CodexCLIProvider(timeout=30).ask("שלום"), "codex"))
"""


@pytest.fixture(params=["fake", "real"])
def codex(request: pytest.FixtureRequest) -> Iterator[Codex]:
    with contextlib.ExitStack() as stack:
        if request.param == "fake":
            yield stack.enter_context(FakeCodex())
        else:
            yield stack.enter_context(RealCodex(request.getfixturevalue("real_binary")))


def has_exited(pid: int, seconds: float) -> bool:
    """Return whether a process has_exited within ``seconds``."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=["kill", "crash"])
def test_codex_ends_with_its_killed_server_while_it_waits_for_the_model(
    codex: Codex, number: signal.Signals
) -> None:
    codex.hold()
    codex.answers("כן.")
    with subprocess.Popen([sys.executable, "-c", SERVER]) as server:
        codex.wait_for_requests(1, timeout=30)
        (process,) = wait_until(lambda: codex.processes, timeout=10)
        server.send_signal(number)
    assert has_exited(process, 10)
    until(lambda: not codex.processes_alive())


FORKS = """
import asyncio, os, signal, sys, threading
from yemot_ai.providers import CodexCLIProvider, read_reply

def fork_and_die():
    sys.stdin.readline()
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=fork_and_die, daemon=True).start()
asyncio.run(read_reply(CodexCLIProvider(timeout=30).ask("שלום"), "codex"))
"""


@pytest.mark.slow
def test_a_forked_child_of_the_server_does_not_keep_codex_alive(codex: Codex) -> None:
    codex.hold()
    codex.answers("כן.")
    with subprocess.Popen([sys.executable, "-c", FORKS], stdin=subprocess.PIPE) as server:
        codex.wait_for_requests(1, timeout=30)
        (process,) = wait_until(lambda: codex.processes, timeout=10)
        assert server.stdin is not None
        server.stdin.write(b"fork\n")
        server.stdin.flush()
        assert has_exited(process, 10)
        server.stdin.close()


def test_no_watch_is_left_after_a_turn(fake_codex: FakeCodex) -> None:
    before = descendants()
    fake_codex.answers("כן.")
    asyncio.run(read_reply(CodexCLIProvider().ask("שלום"), "codex"))
    assert descendants() == before
