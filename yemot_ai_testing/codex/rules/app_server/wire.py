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

__all__ = ["Said", "SilenceError", "Wire"]

_PATIENCE: Final = 15.0
"""Seconds that a server may be silent."""

_CLIENT: Final = {"clientInfo": {"name": "yemot-ai", "title": "yemot-ai", "version": "1"}}


class SilenceError(Breach):
    """What was waited for never came."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line.

    Attributes:
        by: ``client`` or ``server``.
        message: what it said.
    """

    by: str
    message: dict[str, Any]


@dataclass(slots=True)
class Wire:
    """A server's standard input and output.

    Attributes:
        process: the server.
        said: everything that was said so far, in the order in which it was sent and heard.
    """

    process: subprocess.Popen[bytes]
    said: list[Said] = field(default_factory=list)
    _heard: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    _asked: int = 0
    _listeners: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def open(cls, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Wire:
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
        listener = threading.Thread(target=wire._listen, args=(process.stdout,), daemon=True)
        wire._listeners.append(listener)
        listener.start()
        return wire

    def write(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        self.said.append(Said("client", dict(message)))
        self.write_line(json.dumps(message, ensure_ascii=False).encode())

    def write_line(self, line: bytes) -> None:
        """Send one line, whatever it is."""
        self.process.stdin.write(line + b"\n")  # type: ignore[union-attr]  # a pipe was asked for
        self.process.stdin.flush()  # type: ignore[union-attr]  # as above

    def send(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Ask, without waiting; returns the number of the question."""
        self._asked += 1
        self.write({"id": self._asked, "method": method, "params": dict(params or {})})
        return self._asked

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask, and wait for the answer: the whole message, result or error."""
        number = self.send(method, params)
        return self.until(lambda told: told.get("id") == number and "method" not in told)

    def until(self, ends: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next message for which ``ends`` is true; those before it are heard, and stay in ``said``.

        Raises:
            SilenceError: the server went, or said nothing for too long.
        """
        while True:
            told = self.hear()
            if ends(told):
                return told

    def told(self, method: str) -> dict[str, Any]:
        """The parameters of the next notification of this kind."""
        params: dict[str, Any] = self.until(lambda told: told.get("method") == method)["params"]
        return params

    def hear(self) -> dict[str, Any]:
        """The next message.

        Raises:
            SilenceError: there is none.
        """
        try:
            told = self._heard.get(timeout=_PATIENCE)
        except queue.Empty:
            raise SilenceError("a message", f"nothing, for {_PATIENCE:g} s") from None
        if told is None:
            raise SilenceError("a message", "the server is gone, or wrote what is no message")
        self.said.append(Said("server", told))
        return told

    def asked(self, method: str) -> dict[str, Any]:
        """The next question of the server of this kind: the whole message, to be answered by its id."""
        return self.until(lambda told: told.get("method") == method and "id" in told)

    def shake_hands(self, *, experimental: bool = False) -> dict[str, Any]:
        """What every client begins with; returns the answer.

        Args:
            experimental: whether to ask for what the schema calls experimental.
        """
        capabilities = {"capabilities": {"experimentalApi": True}} if experimental else {}
        answer = self.ask("initialize", {**_CLIENT, **capabilities})
        self.write({"method": "initialized"})
        return answer

    def leave(self) -> int:
        """Close its standard input, and wait for its end; returns the exit code."""
        self.process.stdin.close()  # type: ignore[union-attr]  # a pipe was asked for
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise SilenceError(f"an end within {_PATIENCE:g} s", "it still runs") from None

    def close(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait(_PATIENCE)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # type: ignore[union-attr]  # as above
        for listener in self._listeners:
            listener.join(_PATIENCE)
        self.process.stdout.close()  # type: ignore[union-attr]  # as above

    def _listen(self, pipe: Iterable[bytes]) -> None:
        with contextlib.suppress(ValueError):
            for line in pipe:
                self._heard.put(json.loads(line))
        self._heard.put(None)
