"""A scripted model service on the loopback.

It serves OpenAI's Responses, Chat Completions and transcription, and Anthropic's Messages, to any client
of these APIs; the real Codex binary works against it without a key and without a network::

    >>> import json, urllib.request
    >>> with ModelServer().answers("שלום") as model:
    ...     request = urllib.request.Request(
    ...         model.base_url + "/responses", data=json.dumps({"input": "מה שלומך?"}).encode()
    ...     )
    ...     with urllib.request.urlopen(request) as response:
    ...         print(json.load(response)["output"][0]["content"][0]["text"])
    שלום
    >>> model.requests[0].prompt
    'מה שלומך?'
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.doubles.model_service.http import ModelHTTPServer, ServiceStep
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.pauses import Pause
from yemot_ai_testing.doubles.script import (
    Answer,
    Crash,
    Drop,
    Failure,
    FakeOnlyError,
    Hang,
    Script,
    ScriptableService,
    Transcription,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.doubles.pauses import PausePoint
    from yemot_ai_testing.doubles.script import Gate, Step

__all__ = ["CODEX_KEY_VARIABLE", "ModelRequest", "ModelServer"]

CODEX_KEY_VARIABLE: Final = "YEMOT_AI_MODEL_SERVER_KEY"
"""The environment variable in which ``codex_config`` lets Codex look for a key (any value works)."""


class ModelServer(ScriptableService):
    """A scripted model service; a context manager that serves until its block ends.

    The script is checked when the block ends without an exception; ``close`` does not check it.

    Args:
        crash: kills the client of a request, for ``Crash`` steps; without it there is no such step.

    Attributes:
        script: the queue of steps.
        requests: the model calls so far, oldest first.
        pause: the point at which calls wait (see ``pause_at``).
    """

    def __init__(self, crash: Callable[[ModelRequest], object] | None = None) -> None:
        self._crash = crash
        self.script: Script = Script()
        self.requests: list[ModelRequest] = []
        self.pause = Pause()
        self._lock = threading.Lock()
        self._shutdown_reader, self._shutdown_writer = socket.socketpair()
        self._server = ModelHTTPServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """The address for a client, with ``/v1``."""
        return f"{self.root_url}/v1"

    @property
    def root_url(self) -> str:
        """The address without ``/v1``, for Anthropic's SDK."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def codex_config(self) -> dict[str, str]:
        """Return the ``-c`` keys, with TOML values, that point a real Codex binary at this server.

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
            FakeOnlyError: the step is about a process.
        """
        if not isinstance(step, Answer | Drop | Failure | Hang | Transcription):
            raise FakeOnlyError(f"a model service cannot run {step!r}: script it on a Codex double")
        self.script.add(step)

    def emits(self, *items: Mapping[str, Any], text: str | None = None, after: float = 0.0) -> Self:
        """Answer the next call with output items (see ``model_service.responses``), then ``text``."""
        self.script.add(Answer(() if text is None else (text,), after, items))
        return self

    def hold(self) -> None:
        """Let every later call wait, after it is recorded, until ``release``."""
        self.script.gate.hold()

    def release(self) -> None:
        """Let the waiting calls through."""
        self.script.gate.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later call wait at a point of its answer until ``resume()``.

        Args:
            point: ``asked``: before any text; ``first_text``: after the first piece; ``last_text``: after
                the whole text, before the end of the answer. An answer without streaming waits at each of
                them before it is sent.

        Raises:
            ValueError: there is no such point.
        """
        self.pause.set_point(point)

    def resume(self) -> None:
        """Resume the calls that wait at the point."""
        self.pause.release()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` calls have arrived; ``TimeoutError`` after ``timeout`` seconds."""
        self.script.wait_for_requests(count, timeout)

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Block until no call is in flight: each was answered, or its client has disconnected.

        Raises:
            TimeoutError: one still is, after ``timeout`` seconds.
        """
        if not self._server.wait_idle(timeout):
            raise TimeoutError(f"a call is still in flight after {timeout:g} s")

    def assert_complete(self) -> None:
        """Check that every step was used and every call was scripted.

        Raises:
            ScriptMismatchError: the message lists the calls and the unused steps.
        """
        self.script.assert_complete()

    def close(self) -> None:
        """Stop serving; disconnect calls that hang. Does not check the script."""
        self._shutdown_writer.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._shutdown_reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.assert_complete()
        finally:
            self.close()

    def receive(self, request: ModelRequest) -> ServiceStep | None:
        """Record a call and take its step; None if there is none."""
        with self._lock:
            self.requests.append(request)
            step = self.script.take(request.prompt)
        played = request.matching_step(step)
        if isinstance(played, Answer | Crash | Drop | Failure | Hang):
            return played
        if step is not None:
            # A transcription for a prompt, or an answer for a recording; or a step about a resumed session
            # in a call that resumes none.
            self.script.record_unscripted(request.prompt)
        return None

    def crash(self, request: ModelRequest) -> None:
        """Kill the client."""
        if self._crash is not None:
            self._crash(request)

    def disconnected_within(self, client: socket.socket, *, seconds: float | None) -> bool:
        """Wait; True as soon as the client (or this server) disconnects, False after ``seconds``."""
        ready, _, _ = select.select([client, self._shutdown_reader], [], [], seconds)
        return bool(ready)

    def disconnected_at_gate(self, client: socket.socket) -> bool:
        """Wait until the gate is open; True if the client disconnected first."""
        return self._disconnected_at(self.script.gate, client)

    def disconnected_at_point(self, point: PausePoint, client: socket.socket) -> bool:
        """Wait if calls pause at ``point``; True if the client disconnected first."""
        with self.pause.waiting_at(point) as gate:
            return gate is not None and self._disconnected_at(gate, client)

    def _disconnected_at(self, gate: Gate, client: socket.socket) -> bool:
        waker, waked = socket.socketpair()
        with waker, waked:
            gate.when_open(lambda: _wake(waker))
            ready, _, _ = select.select([client, self._shutdown_reader, waked], [], [])
            return waked not in ready


def _wake(waker: socket.socket) -> None:
    # The client may have disconnected, and the pair been closed, before the gate was opened.
    with contextlib.suppress(OSError):
        waker.send(b"!")
