"""Serve a flow with uvicorn, from its start to its end by a signal.

The first SIGTERM, SIGINT or SIGHUP lets the running turns end and their answers be fetched, for some seconds
in which requests are still answered; then the port is closed, the requests that are held are answered, what
still runs is cancelled, and the process ends with code 0. A second signal ends it at once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn

from yemot_ai.errors import YemotAIError
from yemot_ai.flow import AIFlow
from yemot_ai.server.connections import BoundedConnection, Connections
from yemot_ai.server.extensions import log_extensions
from yemot_ai.server.listening import listen, open_sockets, url_of
from yemot_ai.server.logs import configure_logging
from yemot_ai.server.metrics import served_metrics
from yemot_ai.server.options import ServeOptions
from yemot_ai.server.recording import CallRecorder
from yemot_ai.server.reloader import run_reloader
from yemot_ai.server.waiting_callers import WaitingCallers
from yemot_ai.server.workers import WorkerGroup, check_shared_store
from yemot_ai.web import ASGIApp

__all__ = ["run"]

log = logging.getLogger("yemot_ai")

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

ARRIVAL_SECONDS: Final = 1
"""Seconds within which the first request of an open connection has to arrive after the port is closed."""

HELD_SECONDS: Final = 5
"""Seconds that the requests that are held get after the port is closed, ``ARRIVAL_SECONDS`` included."""

HEADER_BYTES: Final = 16 * 1024
"""Bytes of the headers of a request without its query: what uvicorn allows for both."""

RUNNING: Final = "running on %s (Ctrl+C ends it)"


LoadFlow = Callable[[str], AIFlow]
"""Imports the flow that ``module:attribute`` names; a function that can be pickled."""


def run(options: ServeOptions, load: LoadFlow) -> int:
    """Serve a flow until a signal; return the exit code.

    Args:
        options: what to serve.
        load: imports the flow.

    Raises:
        ConfigurationError: it cannot be served; the message says what to change.
        StoreError: the store does not work.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(opened) for opened in open_sockets(options.host, options.port)]
        if options.reload:
            return run_reloader(functools.partial(_serve_in_process, options, load), sockets)
        flow = load(options.flow)
        configure_logging(options.log)
        if options.workers > 1:
            check_shared_store(flow, options.workers)
        log_extensions(flow, options.flow)
        if options.workers == 1:
            return _serve(flow, sockets, options)
        flow.ai.check()
        flow.ai.close()
        listen(sockets)
        log.info(RUNNING, url_of(sockets))
        serve = functools.partial(_serve_in_process, options, load)
        return WorkerGroup(serve, sockets, options.workers).run()


def _serve_in_process(options: ServeOptions, load: LoadFlow, sockets: list[socket.socket] | None) -> None:
    """Serve in this process, and end it."""
    try:
        flow = load(options.flow)
        configure_logging(options.log)
        if options.reload:
            log_extensions(flow, options.flow)
        code = _serve(flow, sockets or [], options)
    except YemotAIError as error:
        sys.stderr.write(f"yemot-ai: {error}\n")
        code = uvicorn.config.STARTUP_FAILURE
    sys.exit(code)


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


def _serve(flow: AIFlow, sockets: list[socket.socket], options: ServeOptions) -> int:
    """Check the flow, prepare it for its first caller, and serve it."""
    flow.ai.check()
    flow.ai.warm_up()
    listen(sockets)
    with served_metrics(flow, options), _recorded(flow, options.record_folder) as app:
        server = _make_server(flow, app, options)
        server.run(sockets)
    return 0 if server.started else uvicorn.config.STARTUP_FAILURE


def _make_server(flow: AIFlow, app: ASGIApp, options: ServeOptions) -> LineServer:
    limits = options.limits
    query_bytes = flow._admission.limits.query_bytes  # noqa: SLF001 - the same package
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        backlog=limits.accepted_at_once,
        h11_max_incomplete_event_size=query_bytes + HEADER_BYTES,
        timeout_keep_alive=limits.keep_alive_seconds,  # type: ignore[arg-type]  # passed to loop.call_later
        timeout_graceful_shutdown=HELD_SECONDS - ARRIVAL_SECONDS,
    )
    config.load()
    connections = Connections(
        limits.open_connections, limits.header_seconds, refused=limits.refused_connections
    )
    make_connection: Any = functools.partial(BoundedConnection, connections, config.http_protocol_class)
    config.http_protocol_class = make_connection
    waiting = WaitingCallers()
    flow.on_request(waiting.note)
    drain = functools.partial(_drain, flow, waiting, limits.drain_seconds)
    return LineServer(config, connections, drain, is_worker=options.workers > 1)


async def _drain(flow: AIFlow, waiting: WaitingCallers, seconds: float) -> int:
    """Wait until no turn runs and no line waits for its answer; return how many turns still run.

    An answer that is ready when its line is between two requests would be lost with the server.
    """
    flow.ai._runtime.is_ending = True  # noqa: SLF001 - the same package
    until = time.monotonic() + seconds
    while not (running := await flow.ai.adrain(max(until - time.monotonic(), 0.0))) and len(waiting):
        if (left := until - time.monotonic()) <= 0:
            break
        await waiting.wait(left)
    return running


class LineServer(uvicorn.Server):
    """uvicorn's server with another end.

    Args:
        config: of uvicorn, loaded.
        connections: its connections.
        drain: waits for the running turns and their answers.
        is_worker: whether another process has logged where it listens.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        connections: Connections,
        drain: Callable[[], Awaitable[int]],
        *,
        is_worker: bool,
    ) -> None:
        super().__init__(config)
        self._is_worker = is_worker
        self._connections = connections
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; let the kernel queue more connections than asyncio accepts at once."""
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(socket.SOMAXCONN)
        if sockets and not self._is_worker:
            log.info(RUNNING, url_of(sockets))

    async def main_loop(self) -> None:
        """Serve until a signal, and until the running turns have ended and are heard."""
        await super().main_loop()
        log.info("the server ends, after its running turns")
        unfinished = await self._drain()
        if unfinished:
            log.warning("%d turns did not end in time and are stopped", unfinished)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port; drop the connections whose request does not arrive soon."""
        for server in self.servers:
            server.close()
        await self._connections.wait_for_requests(ARRIVAL_SECONDS)
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
