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
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import psutil

from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
MARK = "YA_MARK"
TIMEOUT = 20.0
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

T = TypeVar("T")


@dataclass(eq=False)
class Server:
    """A server as a process.

    Attributes:
        mark: in the environment of the process and of its children.
        waiting: the connections whose request is not answered.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    mark: str
    port: int = 0
    answered: int = 0
    waiting: set[http.client.HTTPConnection] = field(default_factory=set)
    was_killed: bool = False

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> Server:
        """Start ``python -m`` with ``command``; its log is in ``folder``."""
        mark, log = uuid.uuid4().hex, folder / f"{name}.log"
        environment = {**os.environ, **(environment or {}), MARK: mark}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], stderr=file, cwd=ROOT, env=environment
            )
        return cls(name, process, log, mark)

    def wait_started(self) -> None:
        """Wait until the server listens.

        Raises:
            RuntimeError: the process has died.
        """
        port = re.compile(r"running on http://[^:]+:(\d+)")
        until(lambda: port.search(self.log.read_text()) or self.process.poll() is not None, within=60)
        if (match := port.search(self.log.read_text())) is None:
            raise self.death_error()
        self.port = int(match[1])

    def post(self, pairs: Sequence[tuple[str, str]]) -> str:
        """Send a request; return the response.

        Raises:
            OSError, HTTPException: the connection broke.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request("POST", "/", urlencode(pairs), HEADERS)
            self.waiting.add(connection)
            response = connection.getresponse()
            body = response.read().decode()
            assert response.status == 200, (response.status, body)
            return body
        finally:
            self.waiting.discard(connection)
            connection.close()

    def kill(self) -> None:
        self.was_killed = True
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Stop it with SIGINT."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(TIMEOUT)

    def death_error(self) -> RuntimeError:
        """Return the error of a server that ended by itself."""
        self.process.wait(TIMEOUT)
        return RuntimeError(f"{self.name} died: {self.log.read_text()[-2000:]}")

    def left_behind(self) -> list[int]:
        """Return the ids of the processes with the mark in their environment."""
        processes = psutil.process_iter(["pid", "environ"])
        return [one.pid for one in processes if (one.info["environ"] or {}).get(MARK) == self.mark]


class UnreachableError(Exception):
    """No worker is left."""


@dataclass
class Balancer:
    """Sends each request to the next worker, and to another one if that is killed before it answers.

    So do nginx (``proxy_next_upstream error``) and HAProxy (``retry-on conn-failure empty-response``
    with ``redispatch``). Without one the caller would hear the line's own M1607: nothing is documented
    of the line sending a request again [?].
    """

    servers: list[Server]
    resent: int = 0
    _turns: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.send(lambda server: server.post(pairs))

    def send(self, post: Callable[[Server], T]) -> T:
        """Call ``post`` with the next server.

        Raises:
            RuntimeError: the server died by itself.
            UnreachableError: all servers were killed.
        """
        while True:
            server = self.next_server()
            try:
                answer = post(server)
            except (OSError, http.client.HTTPException) as error:
                if not server.was_killed:
                    raise server.death_error() from error
                with self._lock:
                    self.resent += 1
                continue
            with self._lock:
                server.answered += 1
            return answer

    def next_server(self) -> Server:
        with self._lock:
            there = [server for server in self.servers if not server.was_killed]
            if not there:
                raise UnreachableError
            return there[next(self._turns) % len(there)]


@contextmanager
def serving(
    count: int, folder: Path, environment: Mapping[str, str], flow: str = "tests.workers.served_flow:flow"
) -> Iterator[list[Server]]:
    """Run ``yemot-ai serve`` several times."""
    command = ("yemot_ai", "serve", flow, "--port", "0")
    servers = [Server.start(f"server-{n}", command, folder, environment) for n in range(count)]
    try:
        for server in servers:
            server.wait_started()
        yield servers
    finally:
        for server in servers:
            server.stop()
