"""The beginning and the end of an ASGI application's life, as a server would announce them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from yemot_ai_testing.errors import AppError

__all__ = ["ASGIApp", "ASGIMessage", "Lifespan"]

ASGIMessage: TypeAlias = MutableMapping[str, Any]
ASGIApp: TypeAlias = Callable[
    [ASGIMessage, Callable[[], Awaitable[ASGIMessage]], Callable[[ASGIMessage], Awaitable[None]]],
    Awaitable[None],
]
log = logging.getLogger("yemot_ai_testing")


class Lifespan:
    """Runs ``lifespan.startup`` before the first request and ``lifespan.shutdown`` after the last.

    Args:
        app: the application; one that knows no lifespan is called without, as the ASGI text demands.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._inbox: asyncio.Queue[ASGIMessage] = asyncio.Queue()
        self._acknowledged = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Announce the start, once.

        Raises:
            AppError: the application says that it cannot start.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            await self._send_event("lifespan.startup")
        if self._failure is not None:
            raise AppError(f"the application could not start: {self._failure}")

    async def shutdown(self) -> None:
        """Announce the end and wait for it."""
        if self._task is not None and not self._task.done():
            await self._send_event("lifespan.shutdown")
            await self._task

    async def _send_event(self, kind: str) -> None:
        self._acknowledged.clear()
        self._inbox.put_nowait({"type": kind})
        await self._acknowledged.wait()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._receive_reply)
        except Exception as error:  # noqa: BLE001 - an application may refuse the scope with any exception
            log.debug("%r knows no lifespan: %r", self._app, error)
        finally:
            self._acknowledged.set()

    async def _receive_reply(self, message: ASGIMessage) -> None:
        if message["type"] == "lifespan.startup.failed":
            self._failure = message.get("message") or "it gave no reason"
        self._acknowledged.set()
