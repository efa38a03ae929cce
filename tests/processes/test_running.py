"""Which processes run, and which of them are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from yemot_ai_testing.processes.running import group_members, kill_if_mentions


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group and waits; its arguments mention the folder ``/of/one/test``."""
    command = [sys.executable, "-c", "print('ready', flush=True); input()", "/of/one/test"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # while the program is being loaded, the system knows no arguments
        yield process
        process.kill()


def test_the_leader_of_a_group_is_a_member(child: subprocess.Popen[bytes]) -> None:
    assert group_members([child.pid]) == (child.pid,)


def test_other_groups_are_not_members(child: subprocess.Popen[bytes]) -> None:
    assert child.pid not in group_members([os.getpid()])


def test_nothing_runs_of_no_groups() -> None:
    assert group_members([]) == ()


def test_a_process_that_nothing_has_waited_for_does_not_run(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert group_members([child.pid]) == ()


def test_a_process_that_mentions_the_text_is_killed(child: subprocess.Popen[bytes]) -> None:
    kill_if_mentions([child.pid], "/of/one/test")
    assert child.wait(10) == -9


def test_a_process_that_was_given_the_same_id_later_is_not_killed(child: subprocess.Popen[bytes]) -> None:
    kill_if_mentions([child.pid], "/of/another/test")
    assert child.poll() is None
