from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from yemot_ai_testing.scenario.play.leftovers import LeftoverCounts, descendant_pids


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def test_processes_that_still_run_are_counted(child: subprocess.Popen[bytes]) -> None:
    assert child.pid in descendant_pids()


def test_processes_that_have_ended_are_not(child: subprocess.Popen[bytes]) -> None:
    child.communicate(b"\n")
    assert child.pid not in descendant_pids()


def test_only_what_has_come_since_is_counted(child: subprocess.Popen[bytes]) -> None:
    census = LeftoverCounts(object(), None, grace=0.0)
    assert census.mismatches({"processes": 0}) == []
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as another:
        (found,) = census.mismatches({"processes": 0})
        another.communicate(b"\n")
    assert found.message == "processes: 1, not 0"


def test_sessions_are_asked_of_the_application() -> None:
    class AI:
        open_now = 3

        def open_calls(self) -> int:
            return self.open_now

    class App:
        ai = AI()

    app = App()
    census = LeftoverCounts(app, None, grace=0.0)
    app.ai.open_now = 4
    assert census.count("sessions_open") == 1
