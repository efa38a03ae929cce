"""A client of one ``codex app-server`` process, which records all messages."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.conformance.rule import Breach
from yemot_ai_testing.processes.child import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["AppServerClient", "WireMessage"]

_TIMEOUT: Final = 15.0
"""Seconds to wait for a message."""

_CLIENT_INFO: Final = {"clientInfo": {"name": "yemot-ai", "title": "yemot-ai", "version": "1"}}


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One line.

    Attributes:
        sender: ``client`` or ``server``.
        message: the decoded message.
    """

    sender: str
    message: dict[str, Any]


@dataclass(slots=True)
class AppServerClient:
    """A client that speaks JSON-RPC over a server's standard input and output.

    Attributes:
        process: the server.
        messages: all messages so far, in the order in which they were sent and received.
    """

    process: ChildProcess
    messages: list[WireMessage] = field(default_factory=list)
    _last_request_id: int = 0

    @classmethod
    def open(cls, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> AppServerClient:
        """Start a server."""
        return cls(ChildProcess(command, env=env, cwd=cwd))

    def send_message(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        self.messages.append(WireMessage("client", dict(message)))
        self.send_line(json.dumps(message, ensure_ascii=False).encode())

    def send_line(self, line: bytes) -> None:
        """Send one line, valid or not."""
        self.process.write_stdin(line + b"\n")

    def send_request(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Send a request without waiting for its answer; return its id."""
        self._last_request_id += 1
        self.send_message({"id": self._last_request_id, "method": method, "params": dict(params or {})})
        return self._last_request_id

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and wait for its answer; return the whole message, with a result or an error."""
        request_id = self.send_request(method, params)
        return self.read_until(lambda message: message.get("id") == request_id and "method" not in message)

    def read_until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the next message for which ``condition`` is true; earlier ones are only recorded.

        Raises:
            Breach: if the server ends, or sends nothing for too long.
        """
        while True:
            message = self.read_message()
            if condition(message):
                return message

    def wait_notification(self, method: str) -> dict[str, Any]:
        """Wait for the next notification of this method; return its parameters."""
        params: dict[str, Any] = self.read_until(lambda message: message.get("method") == method)["params"]
        return params

    def read_message(self) -> dict[str, Any]:
        """Return the next message.

        Raises:
            Breach: if there is none.
        """
        try:
            message: dict[str, Any] = json.loads(self.process.read_line(_TIMEOUT))
        except TimeoutError:
            raise Breach("a message", f"nothing, for {_TIMEOUT:g} s") from None
        except ValueError:
            raise Breach("a message", "the server has ended, or wrote an invalid line") from None
        self.messages.append(WireMessage("server", message))
        return message

    def wait_request(self, method: str) -> dict[str, Any]:
        """Wait for the server's next request of this method; return the whole message."""
        return self.read_until(lambda message: message.get("method") == method and "id" in message)

    def initialize(self, *, experimental: bool = False) -> dict[str, Any]:
        """Do the handshake; return the answer of the server.

        Args:
            experimental: enable the experimental part of the API.
        """
        capabilities = {"capabilities": {"experimentalApi": True}} if experimental else {}
        answer = self.request("initialize", {**_CLIENT_INFO, **capabilities})
        self.send_message({"method": "initialized"})
        return answer

    def shut_down(self) -> int:
        """Close the server's standard input and wait for its end; return the exit code."""
        self.process.close_stdin()
        return self.wait_exit()

    def wait_exit(self) -> int:
        """Wait for the server's end; return the exit code."""
        try:
            return self.process.wait(_TIMEOUT)
        except TimeoutError:
            raise Breach(f"an end within {_TIMEOUT:g} s", "it still runs") from None

    def close(self) -> None:
        """Kill the server if it still runs."""
        self.process.close()
