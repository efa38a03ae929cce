"""Serve a flow with uvicorn, from its start to its end by a signal.

The first SIGTERM, SIGINT or SIGHUP lets the running turns end, for some seconds in which requests are still
answered; then the port is closed, the requests that are held are answered, what still runs is cancelled, and
the process ends with code 0. A second signal ends it at once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn

from yemot_ai.flow import AIFlow
from yemot_ai.server.connections import BoundedConnection, Connections
from yemot_ai.server.limits import ServerLimits
from yemot_ai.server.logs import configure_logging
from yemot_ai.server.recording import CallRecorder
from yemot_ai.web import ASGIApp

__all__ = ["run"]

log = logging.getLogger("yemot_ai")

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

HELD_SECONDS: Final = 5
"""Seconds that the requests that are held get after the port is closed."""


def run(  # noqa: PLR0913 - the options of the command
    flow: AIFlow,
    *,
    host: str,
    port: int,
    limits: ServerLimits,
    log_level: str,
    record_folder: Path | None = None,
) -> int:
    """Serve ``flow`` until a signal; return the exit code.

    Args:
        flow: the flow.
        host: the address to listen on.
        port: the port; 0 for a free one.
        limits: connections and deadlines.
        log_level: one of ``logs.LEVELS``.
        record_folder: where the calls are recorded; None to record none.
    """
    configure_logging(log_level)
    with _recorded(flow, record_folder) as app:
        return _serve(flow, app, host=host, port=port, limits=limits)


@contextlib.contextmanager
def _recorded(flow: AIFlow, folder: Path | None) -> Iterator[ASGIApp]:
    """Return the application of ``flow``, whose calls are recorded in ``folder``."""
    app = flow.make_asgi_app(drain_seconds=0)
    if folder is None:
        yield app
        return
    log.warning("calls are recorded in %s: the numbers and words of callers are written to disk", folder)
    with contextlib.closing(CallRecorder(folder, flow.access.secret)) as recorder:
        flow.ai.on_turn(recorder.turn_done)
        yield recorder.wrap(app)


def _serve(flow: AIFlow, app: ASGIApp, *, host: str, port: int, limits: ServerLimits) -> int:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        backlog=limits.accepted_at_once,
        timeout_keep_alive=limits.keep_alive_seconds,  # type: ignore[arg-type]  # passed to loop.call_later
        timeout_graceful_shutdown=HELD_SECONDS,
    )
    config.load()
    connections = Connections(
        limits.open_connections, limits.header_seconds, refused=limits.refused_connections
    )
    make_connection: Any = functools.partial(BoundedConnection, connections, config.http_protocol_class)
    config.http_protocol_class = make_connection
    server = LineServer(config, connections, functools.partial(flow.ai.adrain, limits.drain_seconds))
    server.run()
    return 0 if server.started else uvicorn.config.STARTUP_FAILURE


class LineServer(uvicorn.Server):
    """uvicorn's server with another end.

    Args:
        config: of uvicorn, loaded.
        connections: its connections.
        drain: waits for the running turns.
    """

    def __init__(
        self, config: uvicorn.Config, connections: Connections, drain: Callable[[], Awaitable[int]]
    ) -> None:
        super().__init__(config)
        self._connections = connections
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; let the kernel queue more connections than asyncio accepts at once."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                with socket.fromfd(listening.fileno(), listening.family, listening.type) as copy:
                    copy.listen(socket.SOMAXCONN)

    async def main_loop(self) -> None:
        """Serve until a signal, and until the running turns have ended."""
        await super().main_loop()
        log.info("the server ends, after its running turns")
        unfinished = await self._drain()
        if unfinished:
            log.warning("%d turns did not end in time and are stopped", unfinished)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port; wait for no request that has not arrived."""
        self._connections.close_unread()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals; do not send them again at the end, which would end no child process.

        A signal that is ignored when the server starts, as SIGHUP is under ``nohup``, stays ignored.
        """
        handled = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Let the server end; at the second signal, end the process: children are killed on its way out."""
        if self.should_exit:
            raise SystemExit(128 + sig)
        self.should_exit = True
