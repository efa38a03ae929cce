"""A model service on this machine, scripted, on the loopback only.

It speaks OpenAI's Responses, Chat Completions and transcription, and Anthropic's Messages. Whatever
speaks one of them can be pointed at it; the real Codex binary then works without a key and without a
network::

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
"""The environment variable in which ``codex_config`` tells Codex to look for a key (any value will do)."""


class ModelServer(ScriptableService):
    """A scripted model service; a context manager that serves while it is open.

    Args:
        crash: what a ``Crash`` step does to whoever asks; without it there is no such step.

    Attributes:
        script: the queue behind the verbs.
        requests: what was asked of the model, oldest first.
        pause: where calls stand still, once ``pause_at`` has said so.
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
        """The address to give to a client, with its ``/v1``."""
        return f"{self.root_url}/v1"

    @property
    def root_url(self) -> str:
        """The address without ``/v1``, as Anthropic's SDK wants it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

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
        if not isinstance(step, Answer | Drop | Failure | Hang | Transcription):
            raise FakeOnlyError(f"a model service cannot play {step!r}: script it on a Codex double")
        self.script.add(step)

    def emits(self, *items: Mapping[str, Any], text: str | None = None, after: float = 0.0) -> Self:
        """Answer the next call with output items (see ``responses_api``), and then with a text, if any."""
        self.script.add(Answer(() if text is None else (text,), after, items))
        return self

    def hold(self) -> None:
        """Let every later call wait, after it has been recorded, until ``release``."""
        self.script.gate.hold()

    def release(self) -> None:
        """Let the waiting calls through."""
        self.script.gate.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later call stand still at a point of its answer, until ``resume()``.

        Args:
            point: ``asked``: nothing is written yet; ``first_text``: the first piece is sent;
                ``last_text``: all of the text is, but not its end. What is not streamed stands at any of
                them before it is sent.

        Raises:
            ValueError: there is no such point.
        """
        self.pause.set_point(point)

    def resume(self) -> None:
        """Let everything go on that stands at the point."""
        self.pause.release()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` calls have come in; ``TimeoutError`` after ``timeout`` seconds."""
        self.script.wait_for_requests(count, timeout)

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Block until no call is under way: each was answered, or whoever asked has left.

        Raises:
            TimeoutError: one still is, after ``timeout`` seconds.
        """
        if not self._server.wait_idle(timeout):
            raise TimeoutError(f"a call is still under way after {timeout:g} s")

    def assert_complete(self) -> None:
        """Check that what was scripted was asked, and nothing else.

        Raises:
            ScriptMismatchError: it was not.
        """
        self.script.assert_complete()

    def close(self) -> None:
        """Stop serving; calls that hang are cut off."""
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
        self.close()

    def receive(self, request: ModelRequest) -> ServiceStep | None:
        """Record a call and take its step; None when there is none."""
        with self._lock:
            self.requests.append(request)
            step = self.script.take(request.prompt)
        played = request.matching_step(step)
        if isinstance(played, Answer | Crash | Drop | Failure | Hang):
            return played
        if step is not None:
            # An answer for a recording, or the other way round; or it is about a session that is
            # resumed, and nobody has resumed one.
            self.script.record_unscripted(request.prompt)
        return None

    def crash(self, request: ModelRequest) -> None:
        """Let whoever asks come to a sudden end."""
        if self._crash is not None:
            self._crash(request)

    def disconnected_within(self, client: socket.socket, *, seconds: float | None) -> bool:
        """Wait; True as soon as the client (or this server) goes away, False after ``seconds``."""
        ready, _, _ = select.select([client, self._shutdown_reader], [], [], seconds)
        return bool(ready)

    def disconnected_at_gate(self, client: socket.socket) -> bool:
        """Wait until the gate is open; True if the client went away first."""
        return self._disconnected_at(self.script.gate, client)

    def disconnected_at_point(self, point: PausePoint, client: socket.socket) -> bool:
        """Stand still if calls pause at ``point``; True if the client went away first."""
        with self.pause.waiting_at(point) as gate:
            return gate is not None and self._disconnected_at(gate, client)

    def _disconnected_at(self, gate: Gate, client: socket.socket) -> bool:
        waker, waked = socket.socketpair()
        with waker, waked:
            gate.when_open(lambda: _wake(waker))
            ready, _, _ = select.select([client, self._shutdown_reader, waked], [], [])
            return waked not in ready


def _wake(waker: socket.socket) -> None:
    # The client may have left, and the pair with it, before the gate was opened.
    with contextlib.suppress(OSError):
        waker.send(b"!")
