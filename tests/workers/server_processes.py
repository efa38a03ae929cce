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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from tests.support.waiting import until
from yemot_ai_testing.processes.child import ChildProcess
from yemot_ai_testing.processes.running import group_members

ROOT = Path(__file__).parents[2]
TIMEOUT = 20.0
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

T = TypeVar("T")


@dataclass(eq=False)
class Server:
    """A server as a process.

    Attributes:
        waiting: the connections whose request is not answered.
    """

    name: str
    process: ChildProcess
    log: Path
    port: int = 0
    answered: int = 0
    waiting: set[http.client.HTTPConnection] = field(default_factory=set)
    was_killed: bool = False

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> Server:
        """Start ``python -m`` with ``command``; its log is in ``folder``."""
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            process = ChildProcess(
                [sys.executable, "-m", *command],
                env={**os.environ, **(environment or {})},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                output=output,
            )
        return cls(name, process, log)

    def wait_started(self) -> None:
        """Wait until the server listens.

        Raises:
            RuntimeError: the process has died.
        """
        port = re.compile(r"running on http://[^:]+:(\d+)")
        until(lambda: port.search(self.log.read_text()) or self.process.exit_code is not None, within=60)
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
        self.process.close()

    def stop(self) -> None:
        """Stop it with SIGINT."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(TIMEOUT)

    def death_error(self) -> RuntimeError:
        """Return the error of a server that ended by itself."""
        self.process.wait(TIMEOUT)
        return RuntimeError(f"{self.name} died: {self.log.read_text()[-2000:]}")

    def left_behind(self) -> tuple[int, ...]:
        """Return the ids of its processes that still run."""
        return group_members([self.process.pid])


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
