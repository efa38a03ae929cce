"""A scripted model service on the loopback.

It serves OpenAI's Responses, Chat Completions and transcription, and Anthropic's Messages, to any client
of these APIs; the real Codex binary works against it without a key and without a network::

    >>> import json, urllib.request
    >>> with ModelServer().answers("hello") as model:
    ...     request = urllib.request.Request(
    ...         model.base_url + "/responses", data=json.dumps({"input": "who is there?"}).encode()
    ...     )
    ...     with urllib.request.urlopen(request) as response:
    ...         print(json.load(response)["output"][0]["content"][0]["text"])
    hello
    >>> model.requests[0].prompt
    'who is there?'
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.doubles.model_service.http import ModelHTTPServer, ServiceStep
from yemot_ai_testing.doubles.model_service.issued_calls import IssuedCalls
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.model_service.servers.registry import find_server
from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.doubles.scriptable import ScriptableService
from yemot_ai_testing.doubles.scripted_double import CheckedContext, ScriptedDouble
from yemot_ai_testing.doubles.steps import (
    API_STEPS,
    SERVICE_STEPS,
    Answer,
    Crash,
    Reconnect,
    UnknownSession,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from yemot_ai_testing.doubles.model_service.served import Ending
    from yemot_ai_testing.doubles.steps import Step

__all__ = ["CODEX_KEY_VARIABLE", "ModelRequest", "ModelServer"]

CODEX_KEY_VARIABLE: Final = "YEMOT_AI_MODEL_SERVER_KEY"
"""The environment variable in which ``codex_config`` lets Codex look for a key (any value works)."""


class ModelServer(ScriptedDouble, ScriptableService, CheckedContext):
    """A scripted model service; a context manager that serves until its block ends.

    The script is checked when the block ends without an exception; ``close`` does not check it.

    Args:
        crash: kills the client of a request, for ``Crash`` steps; without it there is no such step.
        quirks: the server whose shapes it has (``"vllm"``, ``"ollama"``, ``"openrouter"``, …; an unknown
            name raises an error that lists them all).
        ending: what it does after the last event of a stream: ``"clean"`` ends the response, ``"open"``
            leaves the connection open until the client closes it, ``"unclean"`` closes it without the end
            of the response; by default what the server does.
        keep_alive: whether a connection serves more than one request.
        port: where it listens; 0 for a free port.

    Raises:
        ValueError: there is no such server, or no such ending.
        OSError: the port is in use.

    Attributes:
        quirks: the table of the server.
        keep_alive: whether a connection serves more than one request.
        requests: the model calls so far, oldest first.
    """

    def __init__(
        self,
        crash: Callable[[ModelRequest], object] | None = None,
        *,
        quirks: str = "openai",
        ending: Ending | None = None,
        keep_alive: bool = True,
        port: int = 0,
    ) -> None:
        self._crash = crash
        self.keep_alive = keep_alive
        super().__init__()
        server = find_server(quirks)
        self.quirks = server if ending is None else server.ending(ending)
        self.requests: list[ModelRequest] = []
        self._lock = threading.Lock()
        self._issued_calls = IssuedCalls()
        self._server = ModelHTTPServer(self, port)

    @property
    def base_url(self) -> str:
        """The address for a client, with ``/v1``."""
        return f"{self.root_url}/v1"

    @property
    def root_url(self) -> str:
        """The address without ``/v1``, for Anthropic's SDK."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def codex_config(self, *, stream_retries: int = 0) -> dict[str, str]:
        """Return the ``-c`` keys, with TOML values, that point a real Codex binary at this server.

        The binary also needs *some* key in the environment variable ``CODEX_KEY_VARIABLE``.

        Args:
            stream_retries: how often Codex asks again after a stream that broke off.
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
            f"{provider}.stream_max_retries": f"{stream_retries}",
            f"{provider}.supports_websockets": "false",
        }

    def codex_options(self, *, stream_retries: int = 0) -> list[str]:
        """Return ``codex_config`` as options of Codex: ``-c key=value`` for each key."""
        config = self.codex_config(stream_retries=stream_retries)
        return [part for item in config.items() for part in ("-c", "=".join(item))]

    def add(self, step: Step) -> None:
        """Append a step to the script.

        Raises:
            FakeOnlyError: the step is about a process, or about a conversation and the server keeps none.
        """
        if not isinstance(step, SERVICE_STEPS):
            raise FakeOnlyError(f"a model service cannot run {step!r}: script it on a Codex double")
        if isinstance(step, UnknownSession) and not self.quirks.keeps_conversations:
            raise FakeOnlyError(f"{self.quirks.name} keeps no conversations: none can be unknown")
        self.script.add(step)

    def emits(self, *items: Mapping[str, Any], text: str | None = None, after: float = 0.0) -> Self:
        """Answer the next call with output items (see ``model_service.responses``), then ``text``."""
        self.script.add(Answer(() if text is None else (text,), after, items))
        return self

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Block until no call is in flight: each was answered, or its client has disconnected.

        Raises:
            TimeoutError: one still is, after ``timeout`` seconds.
        """
        if not self._server.wait_idle(timeout):
            raise TimeoutError(f"a call is still in flight after {timeout:g} s")

    def close(self) -> None:
        """Stop serving; disconnect calls that hang. Does not check the script."""
        self._server.stop()

    def receive(self, request: ModelRequest) -> ServiceStep | None:
        """Record a call and take its step; None if there is none."""
        with self._lock:
            self.requests.append(request)
            step = self.script.take(request.prompt)
        played = request.matching_step(step)
        if isinstance(played, (*API_STEPS, Crash, Reconnect, UnknownSession)):
            return played
        if step is not None:
            # A transcription for a prompt, or an answer for a recording; or a step about a resumed session
            # in a call that resumes none; or calls of tools for a request without tools.
            self.script.record_unscripted(request.prompt_for_mismatch(step))
        return None

    def check(self, request: ModelRequest) -> None:
        """Check the results in a request that continues a response.

        Raises:
            MalformedRequestError: a result has no call there, or a call has no result.
        """
        self._issued_calls.check(request.body)

    def note(self, body: Mapping[str, Any]) -> None:
        """Remember an answer that a later request can continue."""
        self._issued_calls.note(body)

    def refuse(self, request: str) -> None:
        """Record a malformed request, which takes no step."""
        self.script.record_refused(request)

    def crash(self, request: ModelRequest) -> None:
        """Kill the client."""
        if self._crash is not None:
            self._crash(request)
