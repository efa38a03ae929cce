"""Actions of processes that write to one store, run as ``python writer_processes.py ACTION PLACE ROUNDS``."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from yemot_ai.sessions import JSONFileStore, Session, SQLiteStore, Turn, open_store, update_session


def start_process(action: str, place: str, rounds: int = 1) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, __file__, action, place, str(rounds)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)


def counted(session: Session) -> Session:
    return replace(session, next_turn=session.next_turn + 1)


async def counts(place: str, rounds: int) -> None:
    store = open_store(place)
    for _ in range(rounds):
        await update_session(store, "c1", counted, ttl=600)


async def opens(place: str, rounds: int) -> None:
    sys.stdin.read()  # all processes start at once
    store = SQLiteStore(place)
    await update_session(store, f"c{os.getpid()}", counted, ttl=600)
    await store.aclose()


async def dies(place: str, rounds: int) -> None:
    """Die after the draft is written and before it replaces the file."""
    store = JSONFileStore(place)

    def killed(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("the process must be dead")

    Path.replace = killed  # type: ignore[assignment,method-assign]
    await update_session(store, "c1", counted, ttl=600)


async def holds(place: str, rounds: int) -> None:
    async with open_store(place).hold("key", lease=1):
        os.kill(os.getpid(), signal.SIGKILL)


async def ends(place: str, rounds: int) -> None:
    """Let a call end; the loop is closed before anything is erased in the background."""
    store = SQLiteStore(place)
    words = Session("c1", phone="0509876543", turns=(Turn("ai_1", "purple-umbrella"),))
    await store.save((await store.save(words, ttl=600)).tombstone(), ttl=600)


async def ends_and_dies(place: str, rounds: int) -> None:
    await ends(place, rounds)
    os.kill(os.getpid(), signal.SIGKILL)


ACTIONS = {
    "counts": counts,
    "opens": opens,
    "dies": dies,
    "holds": holds,
    "ends": ends,
    "ends_and_dies": ends_and_dies,
}

if __name__ == "__main__":
    asyncio.run(ACTIONS[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
