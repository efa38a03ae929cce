"""The messages of the fake app-server: recordings of a real one, with values filled in.

Run inside the fake executable.
"""

from __future__ import annotations

import json
import marshal
import os
import threading
import time
from typing import Any

from yemot_ai_testing.codex.fake.program.process import write_text
from yemot_ai_testing.codex.fake.program.threads import read_bytes

__all__ = ["RecordedMessages", "RequestError"]

INVALID_REQUEST = -32600
_IGNORED_METHODS = {"account/rateLimits/updated", "thread/tokenUsage/updated", "warning"}


class RequestError(Exception):
    """A request is answered with an error."""

    def __init__(self, message: str, code: int = INVALID_REQUEST, data: dict[str, Any] | None = None) -> None:
        self.error: dict[str, Any] = {"code": code, "message": message}
        if data:
            self.error["data"] = data
        super().__init__(message)


class RecordedMessages:
    """The recorded messages, and the only writer of lines."""

    __slots__ = ("_by_case", "_lock", "_request_count")

    def __init__(self, state: str) -> None:
        recorded = read_bytes(f"{state}/replies/app_server")
        self._by_case: dict[str, list[dict[str, Any]]] = marshal.loads(recorded)  # noqa: S302 - written by the test
        self._lock = threading.Lock()
        self._request_count = 0

    def __bool__(self) -> bool:
        """Return whether a server of this version was recorded."""
        return bool(self._by_case)

    def send(self, message: dict[str, Any]) -> None:
        """Write one message atomically."""
        with self._lock:
            write_text(1, json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n")

    def notify(self, case: str, method: str, **filled: object) -> None:
        """Send the notification of a recorded case with these parameters."""
        params = {**self.params(case, method), **filled}
        self.send({"method": method, "params": params, "emittedAtMs": now_ms()})

    def request_sequence(self, case: str) -> list[dict[str, Any]]:
        """Return the messages of a case between the prompt and the answer: a request and those around it."""
        messages = [
            message
            for message in self._by_case[case]
            if message.get("method") not in _IGNORED_METHODS and "method" in message
        ]
        kinds = [_item_type(message) for message in messages]
        ends = [index for index, kind in enumerate(kinds) if kind in {"userMessage", "agentMessage"}]
        return messages[ends[1] + 1 : ends[2]]

    def send_request(self, method: str, params: dict[str, Any]) -> int:
        """Send a request to the client; return its id."""
        with self._lock:
            number, self._request_count = self._request_count, self._request_count + 1
        self.send({"method": method, "id": number, "params": params})
        return number

    def params(self, case: str, method: str) -> dict[str, Any]:
        """Return the parameters of the last such notification in a case."""
        found = [message["params"] for message in self._by_case[case] if message.get("method") == method]
        return dict(found[-1])

    def has_notification(self, case: str, method: str) -> bool:
        """Return whether there is such a notification in a case."""
        return any(message.get("method") == method for message in self._by_case[case])

    def result(self, case: str, name: str) -> dict[str, Any]:
        """Return the first result in a case that has a field of this name."""
        results = (message["result"] for message in self._by_case[case] if "result" in message)
        return dict(next(result for result in results if name in result))

    def recorded_error(self, case: str, text: str, **filled: str) -> RequestError:
        """Return the recorded error whose message contains ``text``."""
        errors = [message["error"] for message in self._by_case[case] if "error" in message]
        message = next(str(error["message"]) for error in errors if text in error["message"])
        for name, value in filled.items():
            message = message.replace(f"{{{name}}}", value)
        return RequestError(message)


def _item_type(message: dict[str, Any]) -> str:
    return str(message["params"].get("item", {}).get("type", ""))


def now_ms() -> int:
    """Return the time in milliseconds, the unit of most fields."""
    return time.time_ns() // 1_000_000


def exit_now(exit_code: int) -> None:
    """Exit without waiting for threads, which may be blocked at the gate."""
    os._exit(exit_code)
