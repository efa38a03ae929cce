"""``yemot-ai serve --record FOLDER``: a file for each call, for ``yemot-ai-testing scenario from-log``.

A line of a file is a JSON object. ``exchange`` is a request of the line with its response, ``turn`` a
question to the model with its answer. They are written by a thread of their own: a full disk or an
unwritable folder is a warning in the log, and no request waits for it.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from yemot_ai.protocol import Request
from yemot_ai.server.record_files import RecordFiles
from yemot_ai.sessions import Turn
from yemot_ai.web import ASGIApp, Receive, Scope, Send
from yemot_ai.web.form import Form

__all__ = ["FORMAT", "MAX_PENDING_BYTES", "CallRecorder"]

log = logging.getLogger("yemot_ai")

FORMAT: Final = 1
"""The version of the format, in each line."""

MAX_PENDING_BYTES: Final = 16 * 1024 * 1024
"""Bytes that wait to be written; what comes above it is not recorded."""

MAX_KNOWN_IDS: Final = 10_000
"""Ids of calls whose file is known: of the newest calls."""

CLOSE_SECONDS: Final = 3.0
"""Seconds that the end of the server waits for what is not written yet."""

HIDDEN: Final = "***"
"""In place of the secret that the line sends."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    at: float
    seconds: float
    method: str
    query: bytes
    body: bytes
    status: int | None
    response: bytes

    @property
    def size(self) -> int:
        return len(self.query) + len(self.body) + len(self.response)


@dataclass(frozen=True, slots=True)
class _DoneTurn:
    at: float
    call_id: str
    turn: Turn

    @property
    def size(self) -> int:
        return len(self.turn.text) + len(self.turn.answer)


class CallRecorder:
    """Records the calls of a server.

    Args:
        folder: where the files are written.
        secret: a value that is not written: the secret of the ``AccessPolicy``; None for none.
    """

    def __init__(self, folder: Path, secret: str | None = None) -> None:
        self._files = RecordFiles(folder)
        self._secret = secret
        self._queue: queue.SimpleQueue[_Exchange | _DoneTurn | None] = queue.SimpleQueue()
        self._pending = 0
        self._is_full = False
        self._lock = threading.Lock()
        self._file_keys: OrderedDict[str, str] = OrderedDict()
        self._thread = threading.Thread(target=self._write_all, name="yemot-ai-record", daemon=True)
        self._thread.start()

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return an ASGI application that answers as ``app`` does, and records it."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._record(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return recorded

    def turn_done(self, call_id: str, turn: Turn) -> None:
        """Record a question to the model; a hook for ``YemotAI.on_turn``."""
        self._put(_DoneTurn(time.time(), call_id, turn))

    def close(self) -> None:
        """Write what waits to be written, for at most ``CLOSE_SECONDS``."""
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)

    async def _record(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        request, response = bytearray(), bytearray()
        status: int | None = None

        async def read() -> Any:  # noqa: ANN401 - a message of ASGI
            message = await receive()
            request.extend(message.get("body", b""))
            return message

        async def write(message: Any) -> None:  # noqa: ANN401 - a message of ASGI
            nonlocal status
            status = message.get("status", status)
            response.extend(message.get("body", b""))
            await send(message)

        at, started = time.time(), time.monotonic()
        try:
            await app(scope, read, write)
        finally:
            seconds, query = time.monotonic() - started, scope["query_string"]
            self._put(_Exchange(at, seconds, scope["method"], query, bytes(request), status, bytes(response)))

    def _put(self, event: _Exchange | _DoneTurn) -> None:
        with self._lock:
            if self._pending + event.size > MAX_PENDING_BYTES:
                was_full, self._is_full = self._is_full, True
            else:
                was_full = self._is_full = False
                self._pending += event.size
                self._queue.put(event)
        if self._is_full and not was_full:
            log.warning("the disk is too slow for the records of calls: some are not written")

    def _write_all(self) -> None:
        while (event := self._queue.get()) is not None:
            self._write(event)
            with self._lock:
                self._pending -= event.size

    def _write(self, event: _Exchange | _DoneTurn) -> None:
        if isinstance(event, _DoneTurn):
            key = self._file_keys.get(event.call_id, event.call_id)
            self._files.append(key, _line(_turn_record(event)))
            return
        request = Request.parse(Form(event.query, event.body).pairs())
        key = self._file_key(request)
        if key:
            pairs = [[name, HIDDEN if value == self._secret else value] for name, value in request.pairs]
            self._files.append(key, _line(_exchange_record(event, pairs)))

    def _file_key(self, request: Request) -> str:
        """Return what names the file of a call: an id that stays where the line changes the other one."""
        key = request.yf_call_id or request.call_id
        if request.call_id:
            self._file_keys[request.call_id] = key
            self._file_keys.move_to_end(request.call_id)
        if len(self._file_keys) > MAX_KNOWN_IDS:
            self._file_keys.popitem(last=False)
        return key


def _exchange_record(event: _Exchange, pairs: list[list[str]]) -> dict[str, object]:
    return {
        "yemot_record": FORMAT,
        "kind": "exchange",
        "at": round(event.at, 3),
        "seconds": round(event.seconds, 3),
        "method": event.method,
        "pairs": pairs,
        "status": event.status,
        "response": event.response.decode("utf-8", "replace"),
    }


def _turn_record(event: _DoneTurn) -> dict[str, object]:
    turn = event.turn
    return {
        "yemot_record": FORMAT,
        "kind": "turn",
        "at": round(event.at, 3),
        "seconds": round(turn.duration, 3),
        "call": event.call_id,
        "id": turn.id,
        "text": turn.text,
        "answer": turn.answer,
        "failure": turn.failure.kind if turn.failure else None,
        "interrupted": turn.interrupted,
    }


def _line(record: dict[str, object]) -> bytes:
    text = json.dumps(record, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"
