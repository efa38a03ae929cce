"""One ``codex app-server`` process, talked with line by line, and everything that was said."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.conformance.rule import Breach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["AppServerClient", "NoMessageError", "WireMessage"]

_TIMEOUT: Final = 15.0
"""Seconds that a server may be silent."""

_CLIENT_INFO: Final = {"clientInfo": {"name": "yemot-ai", "title": "yemot-ai", "version": "1"}}


class NoMessageError(Breach):
    """What was waited for never came."""


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One line.

    Attributes:
        sender: ``client`` or ``server``.
        message: what it said.
    """

    sender: str
    message: dict[str, Any]


@dataclass(slots=True)
class AppServerClient:
    """A server's standard input and output.

    Attributes:
        process: the server.
        messages: everything that was said so far, in the order in which it was sent and heard.
    """

    process: subprocess.Popen[bytes]
    messages: list[WireMessage] = field(default_factory=list)
    _incoming: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    _last_request_id: int = 0
    _reader_threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def open(cls, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> AppServerClient:
        """Start a server."""
        process = subprocess.Popen(  # noqa: S603 - the binary under test
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
        wire = cls(process)
        listener = threading.Thread(target=wire._read_messages, args=(process.stdout,), daemon=True)
        wire._reader_threads.append(listener)
        listener.start()
        return wire

    def send_message(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        self.messages.append(WireMessage("client", dict(message)))
        self.send_line(json.dumps(message, ensure_ascii=False).encode())

    def send_line(self, line: bytes) -> None:
        """Send one line, whatever it is."""
        self.process.stdin.write(line + b"\n")  # type: ignore[union-attr]  # a pipe was asked for
        self.process.stdin.flush()  # type: ignore[union-attr]  # as above

    def send_request(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Ask, without waiting; returns the number of the question."""
        self._last_request_id += 1
        self.send_message({"id": self._last_request_id, "method": method, "params": dict(params or {})})
        return self._last_request_id

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask, and wait for the answer: the whole message, result or error."""
        number = self.send_request(method, params)
        return self.read_until(lambda told: told.get("id") == number and "method" not in told)

    def read_until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next message for which ``condition`` is true; those before it are heard, and stay in ``messages``.

        Raises:
            SilenceError: the server went, or said nothing for too long.
        """
        while True:
            told = self.read_message()
            if condition(told):
                return told

    def wait_notification(self, method: str) -> dict[str, Any]:
        """The parameters of the next notification of this kind."""
        params: dict[str, Any] = self.read_until(lambda told: told.get("method") == method)["params"]
        return params

    def read_message(self) -> dict[str, Any]:
        """The next message.

        Raises:
            SilenceError: there is none.
        """
        try:
            told = self._incoming.get(timeout=_TIMEOUT)
        except queue.Empty:
            raise NoMessageError("a message", f"nothing, for {_TIMEOUT:g} s") from None
        if told is None:
            raise NoMessageError("a message", "the server is gone, or wrote what is no message")
        self.messages.append(WireMessage("server", told))
        return told

    def wait_request(self, method: str) -> dict[str, Any]:
        """The next question of the server of this kind: the whole message, to be answered by its id."""
        return self.read_until(lambda told: told.get("method") == method and "id" in told)

    def initialize(self, *, experimental: bool = False) -> dict[str, Any]:
        """What every client begins with; returns the answer.

        Args:
            experimental: whether to ask for what the schema calls experimental.
        """
        capabilities = {"capabilities": {"experimentalApi": True}} if experimental else {}
        answer = self.request("initialize", {**_CLIENT_INFO, **capabilities})
        self.send_message({"method": "initialized"})
        return answer

    def shut_down(self) -> int:
        """Close its standard input, and wait for its end; returns the exit code."""
        self.process.stdin.close()  # type: ignore[union-attr]  # a pipe was asked for
        return self.wait_exit()

    def wait_exit(self) -> int:
        """Wait for its end; returns the exit code."""
        try:
            return self.process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise NoMessageError(f"an end within {_TIMEOUT:g} s", "it still runs") from None

    def close(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait(_TIMEOUT)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # type: ignore[union-attr]  # as above
        for listener in self._reader_threads:
            listener.join(_TIMEOUT)
        self.process.stdout.close()  # type: ignore[union-attr]  # as above

    def _read_messages(self, pipe: Iterable[bytes]) -> None:
        with contextlib.suppress(ValueError):
            for line in pipe:
                self._incoming.put(json.loads(line))
        self._incoming.put(None)
