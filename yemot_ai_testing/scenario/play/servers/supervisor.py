"""Run a server while standard input is open, then end the server and its child processes.

This module runs as a program, isolated, and imports only the standard library. The parent process holds the
other end of standard input; the kernel closes it when the parent ends, even if it is killed::

    python -IS supervisor.py node server.js
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Final, NoReturn

__all__ = ["TERMINATION_SECONDS", "main"]

TERMINATION_SECONDS: Final = 5.0
"""Seconds between SIGTERM and SIGKILL."""

_SIGNAL_EXIT_BASE: Final = 128


def main(command: list[str]) -> NoReturn:
    """Run ``command`` in a new process group; kill the group when it ends, and exit with its code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler and not SIG_IGN, which the server would inherit.
        signal.signal(number, lambda *_: None)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - the user's command
    waiter = threading.Thread(target=server.wait)
    waiter.start()
    threading.Thread(target=_terminate_when_stdin_closes, args=(server.pid, waiter), daemon=True).start()
    waiter.join()
    _signal(server.pid, signal.SIGKILL)  # child processes that outlive the server
    code = server.returncode
    os._exit(code if code >= 0 else _SIGNAL_EXIT_BASE - code)


def _terminate_when_stdin_closes(group: int, waiter: threading.Thread) -> None:
    while os.read(0, 1):
        pass
    _signal(group, signal.SIGTERM)
    waiter.join(TERMINATION_SECONDS)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # the group is empty (macOS: PermissionError)
        os.killpg(group, number)


if __name__ == "__main__":
    main(sys.argv[1:])
