"""A model service on this machine: the OpenAI Responses API, scripted, on the loopback only.

Whatever speaks that API can be pointed at it; the real Codex binary then works without a key
and without a network::

    >>> import json, urllib.request
    >>> with ModelServer().answers("שלום") as model:
    ...     asked = urllib.request.Request(
    ...         model.base_url + "/responses", data=json.dumps({"input": "מה שלומך?"}).encode()
    ...     )
    ...     with urllib.request.urlopen(asked) as answer:
    ...         print(json.load(answer)["output"][0]["content"][0]["text"])
    שלום
    >>> model.requests[0].prompt
    'מה שלומך?'
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import socketserver
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from yemot_ai_testing.doubles import responses_api as api
from yemot_ai_testing.doubles.model_request import ModelRequest
from yemot_ai_testing.doubles.script import (
    Answer,
    Crash,
    Drop,
    Failure,
    FakeOnlyError,
    Hang,
    Script,
    Vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.doubles.script import Step

__all__ = ["CODEX_KEY_VARIABLE", "ModelRequest", "ModelServer"]

CODEX_KEY_VARIABLE: Final = "YEMOT_AI_MODEL_SERVER_KEY"
"""The environment variable in which ``codex_config`` tells Codex to look for a key (any value will do)."""


_Played: TypeAlias = "Answer | Crash | Drop | Failure | Hang"


class ModelServer(Vocabulary):
    """A scripted model service; a context manager that serves while it is open.

    Args:
        crash: what a ``Crash`` step does to whoever asks; without it there is no such step.

    Attributes:
        script: the queue behind the verbs.
        requests: what was asked of the model, oldest first.
    """

    def __init__(self, crash: Callable[[ModelRequest], object] | None = None) -> None:
        self._crash = crash
        self.script: Script = Script()
        self.requests: list[ModelRequest] = []
        self._lock = threading.Lock()
        self._closing, self._closed = socket.socketpair()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """The address to give to a client, with its ``/v1``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def codex_config(self) -> dict[str, str]:
        """The ``-c`` keys, with TOML values, that point a real Codex binary at this server.

        The binary also needs *some* key in the environment variable ``CODEX_KEY_VARIABLE``.
        """
        provider = "model_providers.yemot_ai_testing"
        return {
            "model": '"gpt-5-codex"',
            "model_provider": '"yemot_ai_testing"',
            f"{provider}.name": '"yemot-ai-testing"',
            f"{provider}.base_url": f'"{self.base_url}"',
            f"{provider}.wire_api": '"responses"',
            f"{provider}.env_key": f'"{CODEX_KEY_VARIABLE}"',
            f"{provider}.request_max_retries": "0",
            f"{provider}.stream_max_retries": "0",
            f"{provider}.supports_websockets": "false",
        }

    def add(self, step: Step) -> None:
        """Append a step to the script.

        Raises:
            FakeOnlyError: the step is about a process, and this is a service.
        """
        if not isinstance(step, Answer | Drop | Failure | Hang):
            raise FakeOnlyError(f"a model service cannot play {step!r}: script it on a Codex double")
        self.script.add(step)

    def emits(self, *items: Mapping[str, Any], text: str | None = None, after: float = 0.0) -> Self:
        """Answer the next call with output items (see ``responses_api``), and then with a text, if any."""
        self.script.add(Answer(() if text is None else (text,), after, items))
        return self

    def holds(self) -> None:
        """Let every later call wait, after it has been recorded, until ``releases``."""
        self.script.gate.hold()

    def releases(self) -> None:
        """Let the waiting calls through."""
        self.script.gate.release()

    def wait_asked(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` calls have come in; ``TimeoutError`` after ``timeout`` seconds."""
        self.script.wait_asked(count, timeout)

    def assert_complete(self) -> None:
        """Check that what was scripted was asked, and nothing else.

        Raises:
            ScriptMismatchError: it was not.
        """
        self.script.check()

    def close(self) -> None:
        """Stop serving; calls that hang are cut off."""
        self._closed.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def receive(self, request: ModelRequest) -> _Played | None:
        """Record a call and take its step; None when there is none."""
        with self._lock:
            self.requests.append(request)
            step = self.script.take(request.prompt)
        if step is None or isinstance(step, Answer | Crash | Drop | Failure | Hang):
            return step
        # It is about a session that is resumed, and nobody has resumed one.
        self.script.miss(request.prompt)
        return None

    def crash(self, request: ModelRequest) -> None:
        """Let whoever asks come to a sudden end."""
        if self._crash is not None:
            self._crash(request)

    def leaves(self, client: socket.socket, *, seconds: float | None) -> bool:
        """Wait; True as soon as the client (or this server) goes away, False after ``seconds``."""
        ready, _, _ = select.select([client, self._closing], [], [], seconds)
        return bool(ready)

    def leaves_at_gate(self, client: socket.socket) -> bool:
        """Wait until the gate is open; True if the client went away first."""
        waker, waked = socket.socketpair()
        with waker, waked:
            self.script.gate.when_open(lambda: _send_quietly(waker))
            ready, _, _ = select.select([client, self._closing, waked], [], [])
            return waked not in ready


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, model: ModelServer) -> None:
        self.model = model
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves in the middle of an answer is part of the play, not an error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # socketserver's own types


class _Handler(BaseHTTPRequestHandler):
    """One client; HTTP/1.1, so that a stream that is cut can be told from one that ends."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        """Say nothing: the requests are on record."""

    def do_GET(self) -> None:
        """The API has nothing to get here."""
        self._send(404, {"error": {"message": f"nothing at {self.path}", "code": "not_found"}})

    def do_POST(self) -> None:
        """Answer a model call."""
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        if not self.path.rstrip("/").endswith("/responses"):
            self._send(404, {"error": {"message": f"nothing at {self.path}", "code": "not_found"}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ModelRequest(self.path, headers, json.loads(raw), len(raw))
        step = self.server.model.receive(request)
        if self.server.model.leaves_at_gate(self.connection):
            self.close_connection = True
        elif step is None:
            self._send(400, {"error": {"message": _UNSCRIPTED, "code": "unscripted_call", "type": "script"}})
        else:
            self._play(step, request)

    def _play(self, step: _Played, request: ModelRequest) -> None:
        if isinstance(step, Crash):
            self.server.model.crash(request)
        if isinstance(step, Hang) and step.saying:
            self._begin(step, request)
        thinking = None if isinstance(step, Crash | Hang) else getattr(step, "after", 0.0)
        if thinking != 0.0 and self.server.model.leaves(self.connection, seconds=thinking):
            self.close_connection = True
        elif isinstance(step, Failure):
            self._refuse(step, request)
        elif isinstance(step, Answer):
            self._answer(step, request)
        elif isinstance(step, Drop):
            self._break_off(step, request)

    def _refuse(self, step: Failure, request: ModelRequest) -> None:
        if request.body.get("stream") and api.refuses_in_stream(step):
            response_id = _response_id()
            begun = next(api.stream_events(api.response(response_id, (), request=request.body), ()))
            self._stream([begun, api.failed_event(response_id, step, request=request.body, number=1)])
            return
        refused = api.refusal(step)
        self._send(refused.status, refused.body, refused.headers)

    def _answer(self, step: Answer, request: ModelRequest) -> None:
        whole = _whole(step, request)
        if request.body.get("stream"):
            self._stream(api.stream_events(whole, step.pieces))
        else:
            self._send(200, whole)

    def _begin(self, step: Hang, request: ModelRequest) -> None:
        whole = _whole(Answer((step.saying,)), request)
        events = list(api.stream_events(whole, (step.saying,)))
        self._begin_stream()
        self._write_events(events[:-1])

    def _break_off(self, step: Drop, request: ModelRequest) -> None:
        whole = _whole(Answer(step.pieces), request)
        self.close_connection = True
        if request.body.get("stream"):
            events = list(api.stream_events(whole, step.pieces))
            deltas = [n for n, event in enumerate(events) if event["type"].endswith("text.delta")]
            self._begin_stream()
            self._write_events(events[: deltas[-1] + 1])
        else:
            self._send(200, whole, missing=10)

    def _stream(self, events: Iterable[Mapping[str, Any]]) -> None:
        self._begin_stream()
        self._write_events(events)
        self.wfile.write(b"0\r\n\r\n")

    def _begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _write_events(self, events: Iterable[Mapping[str, Any]]) -> None:
        for event in events:
            data = api.sse(event)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _send(
        self,
        status: int,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        *,
        missing: int = 0,
    ) -> None:
        """Send a JSON answer whose last ``missing`` bytes never come."""
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "content-type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - missing])


_UNSCRIPTED: Final = "the model server has no step scripted for this call"


def _whole(step: Answer, request: ModelRequest) -> dict[str, Any]:
    output: list[Mapping[str, Any]] = list(step.items)
    if step.pieces:
        output.append(api.message(step.text))
    return api.response(_response_id(), output, request=request.body)


def _response_id() -> str:
    return f"resp_{uuid.uuid4().hex}"


def _send_quietly(waker: socket.socket) -> None:
    # The client may have left, and the pair with it, before the gate was opened.
    with contextlib.suppress(OSError):
        waker.send(b"!")
