"""What a killed process leaves on disk is taken away by a later one, once nobody goes on with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.app_server.test_provider import traces, wait_gone
from tests.support.codex import Codex, asked, provider, thread_of
from yemot_ai.providers.codex.cleanup import ABANDONED_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yemot_ai.providers.provider import JSON

_WORKER = """
import asyncio, sys
from yemot_ai.providers import codex

async def main():
    provider = getattr(codex, sys.argv[1])("codex", timeout=20.0)
    reply = await provider.start_session("הסוד שלי")
    servers = [server.pid for pool in getattr(provider, "_pools", ()) for server in pool.servers]
    print(*servers, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_STARTS = """
from yemot_ai.providers.codex.home import Home, new_key
home, key = Home.at(None), new_key()
home.prepare(key)
home.forget("", key)
"""


@contextmanager
def worker(kind: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has taken a turn."""
    command = [sys.executable, "-c", _WORKER, kind]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        servers = [int(pid) for pid in process.stdout.readline().split()]
        try:
            yield process
        finally:
            process.kill()
            for pid in servers:
                # It ends because its owner is gone, and writes until then.
                wait_gone(pid)


def a_process_starts() -> None:
    subprocess.run([sys.executable, "-c", _STARTS], check=True)


def a_day_passes() -> None:
    then = time.time() - ABANDONED_AFTER - 60
    for note in notes():
        os.utime(note, (then, then))


def notes() -> list[Path]:
    owners = Path(os.environ["YEMOT_AI_HOME"], "codex", "owners")
    return [path for path in owners.glob("*/*") if path.name != "server.lock"]


@pytest.mark.parametrize("kind", ["CodexCLIProvider", "CodexAppServerProvider"])
def test_what_a_killed_process_left_is_gone_a_day_later(codex: Codex, kind: str) -> None:
    codex.answers("שלום")
    with worker(kind) as process:
        process.kill()
        process.wait()
    assert traces("הסוד")
    a_day_passes()
    a_process_starts()
    assert traces("הסוד") == []
    assert notes() == []


def test_what_a_killed_process_left_stays_while_another_may_go_on_with_it(fake: Codex) -> None:
    fake.answers("שלום")
    with worker("CodexCLIProvider") as process:
        process.kill()
        process.wait()
    a_process_starts()
    assert traces("הסוד")


def test_what_a_living_process_holds_stays_however_old_it_is(fake: Codex) -> None:
    fake.answers("שלום")
    with worker("CodexCLIProvider"):
        a_day_passes()
        a_process_starts()
        assert traces("הסוד")


def test_a_conversation_that_goes_on_in_another_process_after_a_day_stays(codex: Codex) -> None:
    codex.answers("שלום").answers("כן")
    with worker("CodexCLIProvider") as process:
        process.kill()
        process.wait()
    a_day_passes()
    (left,) = notes()
    (rollout,) = Path(os.environ["YEMOT_AI_HOME"], "codex", "home").glob("sessions/*/*/*/*.jsonl")
    session: JSON = {"thread_id": rollout.stem[-36:], "usage": {}, "key": left.name}
    # It is the first turn of this process, which takes away what is abandoned.
    reply = asked(provider().continue_session(session, "עוד"))
    assert (reply.text, thread_of(reply.session)) == ("כן", thread_of(session))
    assert len(notes()) == 1


def test_a_conversation_that_has_ended_is_noted_by_nobody(fake: Codex) -> None:
    async def call() -> None:
        ours = provider()
        reply = await ours.start_session("א")
        assert len(notes()) == 1
        await ours.end_session(reply.session)

    fake.answers("שלום")
    asked(call())
    assert notes() == []


def test_a_process_that_ends_without_a_conversation_leaves_no_folder(fake: Codex) -> None:
    a_process_starts()
    assert list(Path(os.environ["YEMOT_AI_HOME"], "codex", "owners").iterdir()) == []
