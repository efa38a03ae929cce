"""What the fake app-server says: the recorded words of a real one, with places to fill in.

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
    """The recorded messages, and the one place where a line is written."""

    __slots__ = ("_by_case", "_lock", "_request_count")

    def __init__(self, state: str) -> None:
        recorded = read_bytes(f"{state}/replies/app_server")
        self._by_case: dict[str, list[dict[str, Any]]] = marshal.loads(recorded)  # noqa: S302 - written by the test
        self._lock = threading.Lock()
        self._request_count = 0

    def __bool__(self) -> bool:
        """Whether a server of this version was recorded at all."""
        return bool(self._by_case)

    def send(self, message: dict[str, Any]) -> None:
        """Write one message, in one piece."""
        with self._lock:
            write_text(1, json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n")

    def notify(self, case: str, method: str, **filled: object) -> None:
        """Tell what was told in a recorded case, with these parameters in place."""
        params = {**self.params(case, method), **filled}
        self.send({"method": method, "params": params, "emittedAtMs": now_ms()})

    def request_sequence(self, case: str) -> list[dict[str, Any]]:
        """What was told in a case between the user's words and the model's: one question, and around it."""
        told = [
            one
            for one in self._by_case[case]
            if one.get("method") not in _IGNORED_METHODS and "method" in one
        ]
        ends = [n for n, one in enumerate(told) if _item_type(one) in {"userMessage", "agentMessage"}]
        return told[ends[1] + 1 : ends[2]]

    def send_request(self, method: str, params: dict[str, Any]) -> int:
        """Ask the client; returns the number of the question."""
        with self._lock:
            number, self._request_count = self._request_count, self._request_count + 1
        self.send({"method": method, "id": number, "params": params})
        return number

    def params(self, case: str, method: str) -> dict[str, Any]:
        """The parameters of the last such notification in a case."""
        found = [told["params"] for told in self._by_case[case] if told.get("method") == method]
        return dict(found[-1])

    def has_notification(self, case: str, method: str) -> bool:
        """Whether there is such a notification in a case."""
        return any(told.get("method") == method for told in self._by_case[case])

    def result(self, case: str, name: str) -> dict[str, Any]:
        """The first result in a case that has a field of this name."""
        results = (told["result"] for told in self._by_case[case] if "result" in told)
        return dict(next(one for one in results if name in one))

    def recorded_error(self, case: str, text: str, **filled: str) -> RequestError:
        """The recorded error in which these words stand."""
        errors = [told["error"] for told in self._by_case[case] if "error" in told]
        message = next(str(one["message"]) for one in errors if text in one["message"])
        for name, value in filled.items():
            message = message.replace(f"{{{name}}}", value)
        return RequestError(message)


def _item_type(message: dict[str, Any]) -> str:
    return str(message["params"].get("item", {}).get("type", ""))


def now_ms() -> int:
    """The time in the unit of most of its times."""
    return time.time_ns() // 1_000_000


def exit_now(exit_code: int) -> None:
    """End at once: a thread may be waiting at the gate, and would be waited for."""
    os._exit(exit_code)
