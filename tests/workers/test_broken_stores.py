"""Stores that cannot work from the start, or stop working in the middle of a call."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.server_processes import ROOT
from tests.workers.worker_group import WorkerGroup, start_workers
from yemot_ai.sessions import JSONFileStore


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("unix:///nowhere/redis.sock", "Redis at unix:///nowhere/redis.sock does not answer"),
        ("redis://127.0.0.1:1/0", "Redis at redis://127.0.0.1:1/0 does not answer"),
        ("json:{file}/calls", "{file}/calls cannot be used: Not a directory"),
        ("sqlite:{file}/calls.db", "{file}/calls.db: "),
    ],
)
def test_a_server_whose_store_cannot_work_does_not_start_and_says_why(
    tmp_path: Path, place: str, why: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    place, why = place.format(file=file), why.format(file=file)

    done = run(
        "yemot_ai",
        "serve",
        "--port",
        "0",
        YEMOT_AI_STORE=place,
        YEMOT_AI_MODE="openai",
        OPENAI_API_KEY="x",
    )

    assert done.returncode == 2
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("yemot-ai: ")]
    assert why in error
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["json:{folder}/calls", "sqlite:{folder}/calls.db"])
def test_a_call_continues_when_the_disk_is_no_longer_full(tmp_path: Path, place: str) -> None:
    done = run("tests.workers.full_disk", place.format(folder=tmp_path))

    assert done.returncode == 0, done.stderr
    greeting, trouble, still, answer, asked = done.stdout.split("\n")
    assert greeting == "read=t-שלום=ai_1,no,voice"
    assert trouble.startswith("read=t-סליחה, יש תקלה זמנית, אנא המתינו=ai_x1,")
    assert still.startswith("read=t-רק רגע=ai_x2,")
    assert answer.startswith("read=t-שלום אצל ")
    assert asked == "{'שלום': 1}"


@pytest.fixture
def group(tmp_path: Path) -> Iterator[WorkerGroup]:
    group = start_workers(lambda: JSONFileStore(tmp_path / "calls"))
    yield group
    group.close()


def test_a_call_continues_when_the_missing_folder_is_back(group: WorkerGroup, tmp_path: Path) -> None:
    folder, away = tmp_path / "calls", tmp_path / "away"
    line = group.line()
    line.enter()
    folder.rename(away)
    outage_response = line.gives("שלום")
    folder.touch()  # and now something else is in its place
    taken = line.polls()
    folder.unlink()
    away.rename(folder)

    assert "ai_x1," in outage_response
    assert "ai_x2," in taken
    assert "שלום אצל" in line.polls()
