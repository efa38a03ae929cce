"""``yemot-ai serve --reload``: serve again when a file of the application changes, for development."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.supervisors import ChangeReload

__all__ = ["run_reloader"]


def run_reloader(serve: Callable[[list[socket.socket] | None], None], sockets: list[socket.socket]) -> int:
    """Serve in a process that is replaced when a Python file below the working folder changes.

    Args:
        serve: serves on sockets until a signal; it can be pickled.
        sockets: bound; they stay open, so that a caller waits for the new process.
    """
    for opened in sockets:
        opened.listen(socket.SOMAXCONN)
    config = uvicorn.Config("", log_config=None, reload=True)
    reloader = ChangeReload(config, serve, sockets)
    signal.signal(signal.SIGHUP, reloader.signal_handler)  # or a closed terminal leaves the process behind
    reloader.run()
    return 0
