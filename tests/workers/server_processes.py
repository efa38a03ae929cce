"""Server processes on free ports, and a load balancer for them."""

from __future__ import annotations

import http.client
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).parents[2]
STARTS = 60.0


@dataclass
class Server:
    """``yemot-ai serve`` as a process.

    Attributes:
        mark: in the environment of the process and of its children.
    """

    process: subprocess.Popen[bytes]
    log: Path
    mark: str
    port: int = 0
    answered: int = 0

    @classmethod
    def start(cls, flow: str, log: Path, environment: Mapping[str, str]) -> Server:
        mark = f"YA_MARK={uuid.uuid4().hex}"
        name, _, value = mark.partition("=")
        command = [sys.executable, "-m", "yemot_ai", "serve", flow, "--port", "0"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, stderr=file, cwd=ROOT, env={**os.environ, **environment, name: value}
            )
        return cls(process, log, mark)

    def wait_started(self) -> None:
        deadline = time.monotonic() + STARTS
        while not (match := re.search(r"running on http://[^:]+:(\d+)", self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        self.port = int(match[1])

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop it with SIGINT."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def left_behind(self) -> list[int]:
        """Return the ids of the processes with the mark in their environment."""
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if self._marks(path)]

    def _marks(self, environment: Path) -> bool:
        try:
            return self.mark.encode() in environment.read_bytes().split(b"\0")
        except OSError:  # it has just ended, or belongs to another user
            return False


class UnreachableError(Exception):
    """No worker is left."""


@dataclass
class Balancer:
    """Sends each request to the next worker, and to the one after it when a connection breaks unanswered.

    So do nginx (``proxy_next_upstream error``) and HAProxy (``retry-on conn-failure empty-response``
    with ``redispatch``). Without one the caller would hear the line's own M1607: nothing is documented
    of the line sending a request again [?].
    """

    servers: Sequence[Server]
    resent: int = 0
    _turns: Iterator[int] = field(default_factory=itertools.count)
    _down: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        while True:
            server = self._next()
            try:
                answer = _sent(server.port, pairs)
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self.resent += 1
                    self._down.add(server.port)
                continue
            with self._lock:
                server.answered += 1
            return answer

    def _next(self) -> Server:
        with self._lock:
            there = [server for server in self.servers if server.port not in self._down]
            if not there:
                raise UnreachableError
            return there[next(self._turns) % len(there)]


def _sent(port: int, pairs: Sequence[tuple[str, str]]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(
            "POST", "/", urlencode(pairs), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        response = connection.getresponse()
        body = response.read().decode()
        assert response.status == 200, (response.status, body)
        return body
    finally:
        connection.close()


@contextmanager
def serving(
    count: int, folder: Path, environment: Mapping[str, str], flow: str = "tests.workers.served_flow:flow"
) -> Iterator[list[Server]]:
    servers = [Server.start(flow, folder / f"server-{n}.log", environment) for n in range(count)]
    try:
        for server in servers:
            server.wait_started()
        yield servers
    finally:
        for server in servers:
            server.stop()
