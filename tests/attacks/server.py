"""A real ``yemot-ai serve`` on this machine, raw connections to it, and calls."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from tests.support.waiting import until
from yemot_ai_testing import Caller
from yemot_ai_testing.line.transports.http import send_once
from yemot_ai_testing.line.transports.http_exchange import HTTPReply, HTTPRequest
from yemot_ai_testing.processes.child import ChildProcess

SERVE = ("yemot_ai", "serve", "attacked:flow")

LINE = "ApiCallId={}&ApiPhone=0501234567&ApiExtension="

APP = """
import asyncio, time
from yemot_ai import *
from yemot_ai.providers import Reply

class Model:
    name = "model"

    async def start_session(self, prompt, *, instructions=None, history=()):
        print("asked", prompt, flush=True)
        if prompt.startswith("חשוב"):
            await asyncio.sleep(float(prompt.split()[1]))
        return Reply("תשובה", session="1")

    async def continue_session(self, session, prompt, *, instructions=None):
        return await self.start_session(prompt)

ai = YemotAI(provider=Model())
flow = AIFlow(ai, **({settings}))

@flow.ai_agent("", greeting="שלום")
def agent(call, text): ...

@flow.get("menu")
def menu(call):
    call.read("בחירה", val_name="choice")

@flow.get("slow")
def slow(call):
    time.sleep(25)
"""


@dataclass(eq=False)
class Served:
    """A running server.

    Attributes:
        process: its process.
        log: the file of its output.
        url: its address.
    """

    process: ChildProcess
    log: Path
    url: str = ""
    connections: list[socket.socket] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        folder: Path,
        *options: str,
        app: str = APP,
        settings: str = "{}",
        files: int = 0,
        command: Sequence[str] = SERVE,
    ) -> Self:
        """Start ``yemot-ai serve``.

        Args:
            folder: gets the application and the log.
            options: of ``serve``.
            app: the source of the application; ``{settings}`` in it are those of ``AIFlow``.
            settings: a dictionary, as source.
            files: the most files that the server may have open (0: as this process).
            command: a module and its first arguments, instead of ``yemot-ai serve``.
        """
        (folder / "attacked.py").write_text(app.replace("{settings}", settings))
        log = folder / "log.txt"
        python = [sys.executable, "-m", *command, "--port", "0", *options]
        shell = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *python]
        with log.open("wb") as output:
            process = ChildProcess(
                shell if files else python,
                env=dict(os.environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                output=output,
            )
        served = cls(process, log)
        address = re.compile(r"running on (http://\S+)")
        try:
            until(lambda: address.search(log.read_text()) or process.exit_code is not None, within=30)
            match = address.search(log.read_text())
            assert match is not None, log.read_text()
        except AssertionError:
            served.close()
            raise
        served.url = match[1]
        return served

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def megabytes(self) -> float:
        """The resident memory."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that the server has taken, which does not depend on the load of the machine."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Open a connection, send bytes, leave it open."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.connections.append(connection)
        connection.sendall(sent)
        return connection

    def post(self, body: bytes, *, query: str = "", timeout: float = 30) -> HTTPReply:
        """Send one request, with all of its response."""
        reply = send_once(HTTPRequest("POST", f"{self.url}/{query}", body), timeout=timeout)
        assert isinstance(reply, HTTPReply), reply
        return reply

    def post_all(self, bodies: Sequence[bytes]) -> list[int | None]:
        """Send requests at once; return their statuses."""
        with ThreadPoolExecutor(len(bodies)) as pool:
            return [reply.status for reply in pool.map(self.post, bodies)]

    def longest_wait(self, stop: threading.Event) -> float:
        """Dial one call after the other until ``stop`` is set; return the longest wait in seconds."""
        longest, number = 0.0, 0
        while not stop.is_set() or not number:
            number += 1
            start = time.monotonic()
            assert "שלום" in Caller(self.url, call_id=f"honest-{number}").dial()
            longest = max(longest, time.monotonic() - start)
        return longest

    def end(self, signal: int, *, within: float) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(signal)  # type: ignore[arg-type]  # a number is one
        return self.process.wait(within)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self.process.close()


@contextlib.contextmanager
def served(folder: Path, *options: str, **how: Any) -> Iterator[Served]:  # noqa: ANN401 - of Served.start
    """Serve while the context is open."""
    server = Served.start(folder, *options, **how)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def many_files(number: int) -> Iterator[None]:
    """Let this process open more files than the attacked one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(number, hard)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
