"""Run the phone's server on this machine, until a person or a program ends it."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Final

import uvicorn

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.web.server import make_phone_server

__all__ = ["serve_phone"]

HOST: Final = "127.0.0.1"

LOOK_INTERVAL: Final = 0.5
"""Seconds between two looks whether the server has to end."""

TOKEN_BYTES: Final = 18


def serve_phone(
    phone: Phone,
    *,
    on_started: Callable[[str], object],
    port: int = 0,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Serve the phone until the process is interrupted, or ``is_over``.

    Args:
        phone: the calls; closed at the end.
        on_started: called with the address of the page, with its token, once it answers.
        port: 0 takes a free one.
        is_over: looked at twice a second.

    Raises:
        AppError: the port is in use.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise AppError(f"port {port} cannot be used ({error.strerror}): leave --port out") from error
    url = f"http://{HOST}:{listener.getsockname()[1]}/{token}/"
    app = make_phone_server(phone, token, is_ending=lambda: server.should_exit)
    server = _Server(
        uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=2, lifespan="on"),
        lambda: on_started(url),
    )
    with listener:
        asyncio.run(_serve(server, listener, is_over))


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()


async def _serve(server: uvicorn.Server, listener: socket.socket, is_over: Callable[[], bool]) -> None:
    serving = asyncio.create_task(server.serve([listener]))
    while not serving.done():
        server.should_exit = server.should_exit or (server.started and is_over())
        await asyncio.wait({serving}, timeout=LOOK_INTERVAL)
    await serving
