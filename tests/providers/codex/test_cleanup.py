"""A later process deletes what a killed one left on disk, unless another process continues it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.app_server.test_provider import files_containing, wait_exited
from tests.support.asking import ask_provider
from tests.support.codex import Codex, exec_provider, run_async, thread_id_of
from yemot_ai.providers.codex.home.cleanup import ABANDONED_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yemot_ai.providers.provider import JSON

_WORKER = """
import asyncio, sys
from yemot_ai.providers import codex

async def main():
    provider = getattr(codex, sys.argv[1])("codex", timeout=20.0)
    reply = await anext(provider.ask("הסוד שלי"))
    servers = [server.pid for pool in getattr(provider, "_pools", ()) for server in pool.servers]
    print(*servers, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_START = """
from yemot_ai.providers.codex.home.folders import CodexHome, new_key
home, key = CodexHome.for_codex_home(None), new_key()
home.prepare(key)
home.delete_conversation("", key)
"""


@contextmanager
def worker(kind: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that has run a turn."""
    command = [sys.executable, "-c", _WORKER, kind]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        servers = [int(pid) for pid in process.stdout.readline().split()]
        try:
            yield process
        finally:
            process.kill()
            for pid in servers:
                # It ends because its owner has ended, and writes until then.
                wait_exited(pid)


def start_process() -> None:
    subprocess.run([sys.executable, "-c", _START], check=True)


def age_claims() -> None:
    old = time.time() - ABANDONED_AFTER - 60
    for claim in claims():
        os.utime(claim, (old, old))


def claims() -> list[Path]:
    owners = Path(os.environ["YEMOT_AI_HOME"], "codex", "owners")
    return [path for path in owners.glob("*/*") if path.name != "server.lock"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["CodexCLIProvider", "CodexAppServerProvider"])
def test_files_of_a_killed_process_are_deleted_a_day_later(codex: Codex, kind: str) -> None:
    codex.answers("שלום")
    with worker(kind) as process:
        process.kill()
        process.wait()
    assert files_containing("הסוד")
    age_claims()
    start_process()
    assert files_containing("הסוד") == []
    assert claims() == []


@pytest.mark.slow
def test_files_of_a_killed_process_stay_for_a_day(fake: Codex) -> None:
    fake.answers("שלום")
    with worker("CodexCLIProvider") as process:
        process.kill()
        process.wait()
    start_process()
    assert files_containing("הסוד")


@pytest.mark.slow
def test_old_files_of_a_running_process_stay(fake: Codex) -> None:
    fake.answers("שלום")
    with worker("CodexCLIProvider"):
        age_claims()
        start_process()
        assert files_containing("הסוד")


@pytest.mark.slow
def test_a_conversation_that_another_process_continues_after_a_day_stays(codex: Codex) -> None:
    codex.answers("שלום").answers("כן")
    with worker("CodexCLIProvider") as process:
        process.kill()
        process.wait()
    age_claims()
    (left,) = claims()
    (rollout,) = Path(os.environ["YEMOT_AI_HOME"], "codex", "home").glob("sessions/*/*/*/*.jsonl")
    session: JSON = {"thread_id": rollout.stem[-36:], "usage": {}, "key": left.name}
    # The first turn of a process deletes abandoned conversations.
    reply = run_async(ask_provider(exec_provider(), "עוד", session=session))
    assert (reply.text, thread_id_of(reply.session)) == ("כן", thread_id_of(session))
    assert len(claims()) == 1


def test_an_ended_conversation_has_no_claim(fake: Codex) -> None:
    async def call() -> None:
        own_provider = exec_provider()
        reply = await ask_provider(own_provider, "א")
        assert len(claims()) == 1
        await own_provider.end_session(reply.session)

    fake.answers("שלום")
    run_async(call())
    assert claims() == []


@pytest.mark.slow
def test_a_process_that_ends_without_a_conversation_leaves_no_folder(fake: Codex) -> None:
    start_process()
    assert list(Path(os.environ["YEMOT_AI_HOME"], "codex", "owners").iterdir()) == []
