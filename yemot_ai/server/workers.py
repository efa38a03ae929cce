"""``yemot-ai serve --workers N``: several processes that accept the connections of one port."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow import AIFlow

__all__ = ["WorkerGroup", "check_shared_store"]

log = logging.getLogger("yemot_ai")

Serve = Callable[[list[socket.socket] | None], None]

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

STARTUP_FAILURE: Final = 3
"""The exit code of a worker that could not start; of the group, too."""

LOOK_SECONDS: Final = 0.5
"""Seconds between two looks at whether a signal has come."""

SHORT_LIFE: Final = 3.0
"""Seconds: a worker that ends by itself before that would end again, and is not replaced."""

ASKED_TO_END: Final = frozenset({0, -signal.SIGTERM})
"""The exit codes of a worker that has got SIGTERM, while it served or while it started."""


def check_shared_store(flow: AIFlow, workers: int) -> None:
    """Check that several processes can serve the calls of ``flow``.

    Raises:
        ConfigurationError: its sessions are in the memory of one process.
    """
    if flow.ai._runtime.store.immediate:  # noqa: SLF001 - the same package
        raise ConfigurationError(
            f"--workers {workers} needs a store that all processes share: any of them may get the next "
            "request of a call, and the memory store is that of one process. Give YemotAI(store="
            '"sqlite:calls.db"), or store="redis://localhost" for several machines'
        )


class WorkerGroup:
    """Starts worker processes, replaces one that ends, and ends them all after a signal.

    Args:
        serve: serves on sockets until SIGTERM, and ends its process; it can be pickled.
        sockets: bound and listening.
        count: how many processes.
    """

    def __init__(self, serve: Serve, sockets: list[socket.socket], count: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._serve = serve
        self._sockets = sockets
        self._count = count
        self._started: dict[SpawnProcess, float] = {}
        self._is_ending = False
        self._has_failed = False

    def run(self) -> int:
        """Serve until a signal, or until a worker cannot start; return the exit code."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle_signal)
        for _ in range(self._count):
            self._start()
        while not self._is_ending:
            multiprocessing.connection.wait([worker.sentinel for worker in self._started], LOOK_SECONDS)
            self._replace_ended()
        for worker in self._started:
            worker.terminate()
        for worker in self._started:
            worker.join()
        return STARTUP_FAILURE if self._has_failed else 0

    def _start(self) -> None:
        worker = self._context.Process(target=_work, args=(self._serve, self._sockets))
        worker.start()
        self._started[worker] = time.monotonic()

    def _replace_ended(self) -> None:
        for worker in [worker for worker in self._started if not worker.is_alive()]:
            is_young = time.monotonic() - self._started.pop(worker) < SHORT_LIFE
            if self._is_ending:
                return
            if worker.exitcode == STARTUP_FAILURE or (is_young and worker.exitcode not in ASKED_TO_END):
                log.error(
                    "worker %s could not start (exit code %s): the server ends", worker.pid, worker.exitcode
                )
                self._is_ending = self._has_failed = True
                return
            log.warning("worker %s has ended (exit code %s): another one starts", worker.pid, worker.exitcode)
            self._start()

    def _handle_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._is_ending:
            for worker in self._started:
                worker.kill()
            raise SystemExit(128 + number)
        self._is_ending = True


def _work(serve: Serve, sockets: list[socket.socket]) -> None:
    """Serve as a worker, which only its parent process ends: the terminal signals all processes."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="yemot-ai-parent", daemon=True).start()
    serve(sockets)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
