from __future__ import annotations

import errno
import subprocess
import threading
from pathlib import Path

import pytest

from yemot_ai_testing.executable import write_executable

ROUNDS = 150


@pytest.mark.slow
def test_a_file_can_be_run_at_once_while_other_threads_start_programs(tmp_path: Path) -> None:
    stop = threading.Event()

    def start_programs() -> None:
        while not stop.is_set():
            subprocess.run(["/bin/true"], check=True)

    threads = [threading.Thread(target=start_programs) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for number in range(ROUNDS):
            path = tmp_path / str(number)
            write_executable(path, f"#!/bin/sh\nexit {number}\n")
            assert subprocess.run([path], check=False).returncode == number
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_an_existing_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a name with 'quotes'"
    for word in ("אחד", "שניים"):
        write_executable(path, f"#!/bin/sh\necho {word}\n")
        assert subprocess.run([path], capture_output=True, check=True).stdout.decode() == f"{word}\n"


def test_a_file_that_stays_open_for_writing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yemot_ai_testing.executable._TIMEOUT", 0.05)
    path = tmp_path / "codex"
    with path.open("w"), pytest.raises(OSError, match="another process has it open for writing") as caught:
        write_executable(path, "#!/bin/sh\n")
    assert caught.value.errno == errno.ETXTBSY
    assert caught.value.filename == str(path)
