from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from yemot_ai_testing.processes.running import descendants
from yemot_ai_testing.scenario.play.leftovers import LeftoverCounts


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def test_running_child_processes_are_counted(child: subprocess.Popen[bytes]) -> None:
    assert child.pid in descendants()


def test_ended_child_processes_are_not_counted(child: subprocess.Popen[bytes]) -> None:
    child.communicate(b"\n")
    assert child.pid not in descendants()


def test_only_new_processes_are_counted(child: subprocess.Popen[bytes]) -> None:
    leftovers = LeftoverCounts(object(), None, grace=0.0)
    assert leftovers.mismatches({"processes": 0}) == []
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as second_child:
        (mismatch,) = leftovers.mismatches({"processes": 0})
        second_child.communicate(b"\n")
    assert mismatch.message == "processes: 1, not 0"


def test_open_sessions_are_counted_by_the_application() -> None:
    class AI:
        open_now = 3

        def open_calls(self) -> int:
            return self.open_now

    class App:
        ai = AI()

    app = App()
    leftovers = LeftoverCounts(app, None, grace=0.0)
    app.ai.open_now = 4
    assert leftovers.count("sessions_open") == 1
