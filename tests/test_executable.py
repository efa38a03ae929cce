from __future__ import annotations

import errno
import subprocess
import threading
from pathlib import Path

import pytest

from yemot_ai_testing.executable import write_executable

ROUNDS = 150


def test_it_can_be_run_at_once_while_other_threads_start_programs(tmp_path: Path) -> None:
    over = threading.Event()

    def starts_programs() -> None:
        while not over.is_set():
            subprocess.run(["/bin/true"], check=True)

    others = [threading.Thread(target=starts_programs) for _ in range(6)]
    for other in others:
        other.start()
    try:
        for number in range(ROUNDS):
            path = tmp_path / str(number)
            write_executable(path, f"#!/bin/sh\nexit {number}\n")
            assert subprocess.run([path], check=False).returncode == number
    finally:
        over.set()
        for other in others:
            other.join()


def test_what_is_there_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a name with 'quotes'"
    for told in ("אחד", "שניים"):
        write_executable(path, f"#!/bin/sh\necho {told}\n")
        assert subprocess.run([path], capture_output=True, check=True).stdout.decode() == f"{told}\n"


def test_a_file_that_something_goes_on_writing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yemot_ai_testing.executable._PATIENCE", 0.05)
    path = tmp_path / "codex"
    with path.open("w"), pytest.raises(OSError, match="something still writes into it") as caught:
        write_executable(path, "#!/bin/sh\n")
    assert caught.value.errno == errno.ETXTBSY
    assert caught.value.filename == str(path)
