"""A turn whose server is killed: measured, and the same with the fake and the real Codex.

Nothing can clean up after SIGKILL. Codex does not watch its pipes while it waits for the model; it ends
with the first line that it cannot write.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex

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
def test_a_process_whose_server_was_killed_ends_with_the_next_output_of_the_model(codex: Codex) -> None:
    codex.hold()
    codex.answers("כן.")
    with subprocess.Popen([sys.executable, "-c", SERVER]) as server:
        codex.wait_for_requests(1)
        server.kill()
    (process,) = codex.processes
    assert not has_exited(process, 0.5)
    codex.release()
    assert has_exited(process, 10)
