"""One child process: its input, its output, its end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from yemot_ai_testing.processes import child
from yemot_ai_testing.processes.child import ChildProcess
from yemot_ai_testing.processes.running import group_members
from yemot_ai_testing.processes.waiting import wait_until

Start = Callable[[str], ChildProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python programs, which are ended after the test."""
    with ExitStack() as stack:
        yield lambda program: stack.enter_context(
            ChildProcess([sys.executable, "-c", program], env=dict(os.environ))
        )


def test_a_process_reads_what_is_written_and_its_output_is_kept(start: Start) -> None:
    process = start("import sys; sys.stderr.write('note'); sys.stdout.write(input()[::-1])")
    process.write_stdin(b"abc\n")
    assert process.wait(10) == 0
    assert (bytes(process.stdout), bytes(process.stderr)) == (b"cba", b"note")


def test_more_output_and_input_than_a_pipe_holds_are_transferred_at_the_same_time(start: Start) -> None:
    process = start(
        "import os\nwhile chunk := os.read(0, 1000):\n    os.write(1, chunk)\n    os.write(2, chunk)"
    )
    data = b"0123456789" * 100_000
    process.write_stdin(data).close_stdin()
    assert process.wait(10) == 0
    assert process.stdout == process.stderr == data


def test_lines_are_read_one_by_one(start: Start) -> None:
    process = start("print('a'); print('b\\u2028c'); print(end='rest')")
    assert [process.read_line(10).decode() for _ in range(4)] == ["a\n", "b\u2028c\n", "rest", ""]


def test_the_time_of_each_piece_of_output_is_kept(start: Start) -> None:
    process = start("import os; os.write(1, b'1\\n'); os.read(0, 1); os.write(1, b'2\\n')")
    assert process.read_until(b"1\n", 10)
    process.write_stdin(b"\n")
    process.wait(10)
    (first, size), (second, whole) = process.arrivals
    assert (size, whole) == (2, 4)
    assert 0 < first <= second


def test_output_that_does_not_come_is_reported(start: Start) -> None:
    process = start("input()")
    assert not process.read_until(b"never", 0.05)
    with pytest.raises(TimeoutError, match=r"writes nothing for 0\.05 s"):
        process.read_line(0.05)
    with pytest.raises(TimeoutError, match=r"still runs after 0\.05 s"):
        process.wait(0.05)


def test_input_that_the_process_does_not_take_is_dropped(start: Start) -> None:
    process = start("import os; os.close(0); print('closed', flush=True); os.read(os.pipe()[0], 1)")
    assert process.read_line(10) == b"closed\n"
    process.write_stdin(b"x" * 1_000_000)


def test_the_reading_end_can_be_closed(start: Start) -> None:
    process = start("input(); print('too late', flush=True)")
    assert process.close_stdout().write_stdin(b"\n").wait(10) != 0
    assert b"BrokenPipeError" in process.stderr


def test_a_signal_is_the_exit_code(start: Start) -> None:
    process = start("print('ready', flush=True); input()")
    process.read_line(10)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM


def test_closing_ends_the_whole_group(start: Start) -> None:
    process = start(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'input()'], stdout=subprocess.DEVNULL)\n"
        "print('ready', flush=True); input()"
    )
    process.read_line(10)
    assert len(group_members([process.pid])) == 2
    process.close()
    assert wait_until(lambda: group_members([process.pid]) == (), 10)


def test_standard_input_that_was_not_read_in_time_can_be_closed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_WRITE_TIMEOUT", 0.05)
    process = start("import time; time.sleep(0.2)")
    with pytest.raises(TimeoutError, match="does not read its input"):
        process.write_stdin(b"x" * 1_000_000)

    assert process.close_stdin().wait(10) == 0
