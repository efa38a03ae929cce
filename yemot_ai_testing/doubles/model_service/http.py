"""The HTTP side of the model service: reads requests and runs steps in the API of the request."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from yemot_ai_testing.doubles.model_service.api import encode_json
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.model_service.validation import MalformedRequestError, malformed_response
from yemot_ai_testing.doubles.steps import (
    Answer,
    Calls,
    Crash,
    Cut,
    Drop,
    Failure,
    Hang,
    Reconnect,
    UnknownSession,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from yemot_ai_testing.doubles.model_service.served import (
        ServedAnswer,
        ServedAPI,
        ServedEvent,
        ServerQuirks,
    )
    from yemot_ai_testing.doubles.pauses import Pause, PausePoint
    from yemot_ai_testing.doubles.script import Gate

__all__ = ["ModelHTTPServer", "ServiceStep"]

ServiceStep: TypeAlias = "Answer | Calls | Crash | Cut | Drop | Failure | Hang | Reconnect | UnknownSession"
"""The steps that a service can run."""


class ModelBehavior(Protocol):
    """The script and the pauses behind the HTTP server."""

    gate: Gate
    pause: Pause
    quirks: ServerQuirks
    keep_alive: bool

    def receive(self, request: ModelRequest) -> ServiceStep | None:
        """Record a request and take its step; None if there is none."""
        ...

    def check(self, request: ModelRequest) -> None:
        """Raise ``MalformedRequestError`` if the results do not belong to the response that it continues."""
        ...

    def note(self, body: Mapping[str, Any]) -> None:
        """Remember an answer that a later request can continue."""
        ...

    def refuse(self, request: str) -> None:
        """Record a malformed request, which takes no step."""
        ...

    def crash(self, request: ModelRequest) -> None:
        """Kill the client."""
        ...


class ModelHTTPServer(socketserver.ThreadingTCPServer):
    """Serve a model on a port of the loopback, 0 for a free one, from now on until ``stop``."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, model: ModelBehavior, port: int = 0) -> None:
        self.model = model
        self._in_flight = 0
        self._condition = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; disconnect calls that wait."""
        self._stop_writer.close()
        self.shutdown()
        self.server_close()
        self._thread.join()
        self._stop_reader.close()

    def disconnected_within(self, client: socket.socket, *, seconds: float | None) -> bool:
        """Wait; True as soon as the client (or this server) disconnects, False after ``seconds``."""
        ready, _, _ = select.select([client, self._stop_reader], [], [], seconds)
        return bool(ready)

    def disconnected_at_gate(self, client: socket.socket) -> bool:
        """Wait until the gate is open; True if the client disconnected first."""
        return self._disconnected_at(self.model.gate, client)

    def disconnected_at_point(self, point: PausePoint, client: socket.socket) -> bool:
        """Wait if calls pause at ``point``; True if the client disconnected first."""
        with self.model.pause.waiting_at(point) as gate:
            return gate is not None and self._disconnected_at(gate, client)

    def _disconnected_at(self, gate: Gate, client: socket.socket) -> bool:
        waker, waked = socket.socketpair()
        with waker, waked:
            gate.when_open(lambda: _wake(waker))
            ready, _, _ = select.select([client, self._stop_reader, waked], [], [])
            return waked not in ready

    @contextlib.contextmanager
    def track_request(self) -> Iterator[None]:
        """Count a request as in flight while the block runs."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def wait_idle(self, timeout: float) -> bool:
        """Block until no request is in flight; False after ``timeout`` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: self._in_flight == 0, timeout)

    def _count(self, change: int) -> None:
        with self._condition:
            self._in_flight += change
            self._condition.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect in the middle of an answer: tests do that on purpose."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # socketserver's own types


class _Handler(BaseHTTPRequestHandler):
    """Serve one client; HTTP/1.1, so that a truncated stream differs from a complete one."""

    protocol_version = "HTTP/1.1"
    # The body follows the headers in a write of its own, which would wait 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True
    server: ModelHTTPServer

    def log_message(self, *args: object) -> None:
        """Log nothing: ``requests`` has them."""

    def end_headers(self) -> None:
        """End the headers; announce that the connection is closed if it serves one request only."""
        if not self.server.model.keep_alive:
            self.send_header("connection", "close")
        super().end_headers()

    def do_GET(self) -> None:
        """Answer 404: no API has a GET request."""
        self._send(404, {"error": {"message": f"nothing at {self.path}", "code": "not_found"}})

    def do_POST(self) -> None:
        """Answer a model call."""
        length = self.headers.get("content-length", "0")
        raw = self.rfile.read(int(length)) if length.isdecimal() else b""
        self.close_connection = self.close_connection or not length.isdecimal()
        if length.isdecimal() and len(raw) < int(length):
            self.close_connection = True  # the client has gone in the middle of its request
            return
        served = self._matching_api
        if served is None:
            self._send(404, {"error": {"message": f"nothing at {self.path}", "code": "not_found"}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            request = ModelRequest.parse(served.api.ENDPOINT, self.path, headers, raw)
            self.server.model.check(request)
        except MalformedRequestError as error:
            self.server.model.refuse(f"POST {self.path}: {error}")
            refusal = malformed_response(served.api, error)
            self._send(refusal.status, refusal.body)
            return
        with self.server.track_request():
            self._handle(request)

    def _handle(self, request: ModelRequest) -> None:
        step = self.server.model.receive(request)
        if self._disconnected_within(0) or self._disconnected_at_point("asked"):
            self.close_connection = True
        elif step is None:
            self._send(
                400, {"error": {"message": _UNSCRIPTED_MESSAGE, "code": "unscripted_call", "type": "script"}}
            )
        else:
            self._run_step(step, request)

    def _run_step(self, step: ServiceStep, request: ModelRequest) -> None:
        if isinstance(step, Crash):
            self.server.model.crash(request)
        if isinstance(step, Hang) and step.saying:
            self._send_first_message(step, request)
        delay = None if isinstance(step, Crash | Hang) else getattr(step, "after", 0.0)
        if delay != 0.0 and self.server.disconnected_within(self.connection, seconds=delay):
            self.close_connection = True
        elif isinstance(step, Failure | UnknownSession):
            self._send_error(step, request)
        elif isinstance(step, Answer | Calls | Cut):
            self._send_answer(step, request)
        elif isinstance(step, Drop | Reconnect):
            self._send_truncated(step, request)

    @property
    def _matching_api(self) -> ServedAPI | None:
        path = self.path.partition("?")[0].rstrip("/")
        return next((one for one in self.server.model.quirks.apis if path.endswith(one.api.ENDPOINT)), None)

    @property
    def _api(self) -> ServedAPI:
        assert self._matching_api is not None  # noqa: S101 - do_POST has checked it
        return self._matching_api

    def _send_error(self, step: Failure | UnknownSession, request: ModelRequest) -> None:
        if request.body.get("stream"):
            answer = self._api.failed_stream(step, _unique_id(), request=request.body)
            if answer.events:
                self._send_stream(answer, answer.events)
                return
        response = self._api.error(step, request=request.body)
        self._send(response.status, response.body, response.headers)

    def _send_answer(self, step: Answer | Calls | Cut, request: ModelRequest) -> None:
        answer = self._api.answer(step, _unique_id(), request=request.body)
        self.server.model.note(answer.body)
        timed = step if isinstance(step, Answer) else Answer(step.pieces)
        if request.body.get("stream"):
            self._send_stream(answer, self._paced_events(answer.events, timed.every))
        elif self._disconnected_before_answer(timed):
            self.close_connection = True
        else:
            self._send(answer.status, answer.body)

    def _paced_events(self, events: tuple[ServedEvent, ...], every: float) -> Iterator[ServedEvent]:
        """Wait ``every`` seconds between the pieces of text; stop when the client disconnects."""
        pieces = [number for number, event in enumerate(events) if event.is_text]
        later = frozenset(pieces[1:])
        for number, event in enumerate(events):
            if number in later and self._disconnected_within(every):
                raise ConnectionAbortedError
            yield event  # the caller sends it before the next line runs
            if number in pieces[:1] and self._disconnected_at_point("first_text"):
                raise ConnectionAbortedError
            if number in pieces[-1:] and self._disconnected_at_point("last_text"):
                raise ConnectionAbortedError

    def _disconnected_before_answer(self, step: Answer) -> bool:
        """Wait as long as a stream would take, before the body is sent; True if the client disconnected."""
        if step.duration > step.after and self._disconnected_within(step.duration - step.after):
            return True
        return self._disconnected_at_point("first_text") or self._disconnected_at_point("last_text")

    def _disconnected_at_point(self, point: PausePoint) -> bool:
        return self.server.disconnected_at_point(point, self.connection)

    def _disconnected_within(self, seconds: float) -> bool:
        """Wait, then at the gate; True if the client disconnected first."""
        if seconds and self.server.disconnected_within(self.connection, seconds=seconds):
            return True
        return self.server.disconnected_at_gate(self.connection)

    def _send_first_message(self, step: Hang, request: ModelRequest) -> None:
        answer = self._api.answer(Answer((step.saying,)), _unique_id(), request=request.body)
        self._begin_stream()
        self._write_events(answer.events[:-1])

    def _send_truncated(self, step: Drop | Reconnect, request: ModelRequest) -> None:
        answer = self._api.answer(Answer(step.pieces), _unique_id(), request=request.body)
        self.close_connection = True
        if request.body.get("stream"):
            deltas = [number for number, event in enumerate(answer.events) if event.is_text]
            self._begin_stream()
            self._write_events(answer.events[: deltas[-1] + 1])
        else:
            self._send(200, answer.body, missing=10)

    def _send_stream(self, answer: ServedAnswer, events: Iterable[ServedEvent]) -> None:
        self._begin_stream()
        self._write_events(events)
        self._write(answer.end)
        if answer.ending == "clean":
            self.wfile.write(b"0\r\n\r\n")
            return
        self.close_connection = True
        if answer.ending == "open":
            self.server.disconnected_within(self.connection, seconds=None)

    def _begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _write_events(self, events: Iterable[ServedEvent]) -> None:
        for event in events:
            self._write(self._api.encode(event))

    def _write(self, data: bytes) -> None:
        if data:  # an empty chunk would end the stream
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _send(
        self,
        status: int,
        body: object,
        headers: Mapping[str, str] | None = None,
        *,
        missing: int = 0,
    ) -> None:
        """Send a JSON response without its last ``missing`` bytes."""
        data = encode_json(body)
        self.send_response(status)
        for name, value in {**(headers or {}), "content-type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - missing])


_UNSCRIPTED_MESSAGE: Final = "the model server has no step scripted for this call"


def _wake(waker: socket.socket) -> None:
    # The client may have disconnected, and the pair been closed, before the gate was opened.
    with contextlib.suppress(OSError):
        waker.send(b"!")


def _unique_id() -> str:
    return uuid.uuid4().hex
