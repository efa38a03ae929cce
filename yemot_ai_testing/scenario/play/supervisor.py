"""Keeps a server for as long as its own standard input is open, and then ends all that the server started.

It is run as a program, isolated, and knows nothing but Python's own library. Whoever started it holds the
other end of its standard input; however that one ends (killed, too), the kernel closes it::

    python -IS keeper.py node server.js
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
"""Seconds between asking a server to end and ending it."""

_SIGNAL_EXIT_BASE: Final = 128


def main(command: list[str]) -> NoReturn:
    """Run ``command`` in a group of its own; exit with its code once nobody of the group is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler and not SIG_IGN, which the server would inherit.
        signal.signal(number, lambda *_: None)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - the user's own
    over = threading.Thread(target=server.wait)
    over.start()
    threading.Thread(target=_terminate_when_stdin_closes, args=(server.pid, over), daemon=True).start()
    over.join()
    _signal(server.pid, signal.SIGKILL)  # whoever the server has left behind
    code = server.returncode
    os._exit(code if code >= 0 else _SIGNAL_EXIT_BASE - code)


def _terminate_when_stdin_closes(group: int, over: threading.Thread) -> None:
    while os.read(0, 1):
        pass
    _signal(group, signal.SIGTERM)
    over.join(TERMINATION_SECONDS)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of it is left (macOS: the latter)
        os.killpg(group, number)


if __name__ == "__main__":
    main(sys.argv[1:])
