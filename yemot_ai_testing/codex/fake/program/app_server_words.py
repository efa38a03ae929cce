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

from yemot_ai_testing.codex.fake.program.process import say
from yemot_ai_testing.codex.fake.program.threads import read

__all__ = ["RefusalError", "Words"]

INVALID = -32600
_BESIDE = {"account/rateLimits/updated", "thread/tokenUsage/updated", "warning"}


class RefusalError(Exception):
    """A request is answered with an error."""

    def __init__(self, message: str, code: int = INVALID, data: dict[str, Any] | None = None) -> None:
        self.error: dict[str, Any] = {"code": code, "message": message}
        if data:
            self.error["data"] = data
        super().__init__(message)


class Words:
    """The recorded messages, and the one place where a line is written."""

    __slots__ = ("_asked", "_lock", "_told")

    def __init__(self, state: str) -> None:
        self._told: dict[str, list[dict[str, Any]]] = marshal.loads(read(f"{state}/replies/app_server"))  # noqa: S302 - our own file
        self._lock = threading.Lock()
        self._asked = 0

    def __bool__(self) -> bool:
        """Whether a server of this version was recorded at all."""
        return bool(self._told)

    def say(self, message: dict[str, Any]) -> None:
        """Write one message, in one piece."""
        with self._lock:
            say(1, json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n")

    def notify(self, case: str, method: str, **filled: object) -> None:
        """Tell what was told in a recorded case, with these parameters in place."""
        params = {**self.params(case, method), **filled}
        self.say({"method": method, "params": params, "emittedAtMs": now_ms()})

    def passage(self, case: str) -> list[dict[str, Any]]:
        """What was told in a case between the user's words and the model's: one question, and around it."""
        told = [one for one in self._told[case] if one.get("method") not in _BESIDE and "method" in one]
        ends = [n for n, one in enumerate(told) if _item(one) in {"userMessage", "agentMessage"}]
        return told[ends[1] + 1 : ends[2]]

    def ask(self, method: str, params: dict[str, Any]) -> int:
        """Ask the client; returns the number of the question."""
        with self._lock:
            number, self._asked = self._asked, self._asked + 1
        self.say({"method": method, "id": number, "params": params})
        return number

    def params(self, case: str, method: str) -> dict[str, Any]:
        """The parameters of the last such notification in a case."""
        found = [told["params"] for told in self._told[case] if told.get("method") == method]
        return dict(found[-1])

    def tells(self, case: str, method: str) -> bool:
        """Whether there is such a notification in a case."""
        return any(told.get("method") == method for told in self._told[case])

    def result(self, case: str, name: str) -> dict[str, Any]:
        """The first result in a case that has a field of this name."""
        results = (told["result"] for told in self._told[case] if "result" in told)
        return dict(next(one for one in results if name in one))

    def refusal(self, case: str, part: str, **filled: str) -> RefusalError:
        """The recorded error in which these words stand."""
        errors = [told["error"] for told in self._told[case] if "error" in told]
        message = next(str(one["message"]) for one in errors if part in one["message"])
        for name, value in filled.items():
            message = message.replace(f"{{{name}}}", value)
        return RefusalError(message)


def _item(told: dict[str, Any]) -> str:
    return str(told["params"].get("item", {}).get("type", ""))


def now_ms() -> int:
    """The time in the unit of most of its times."""
    return time.time_ns() // 1_000_000


def die(code: int) -> None:
    """End at once: a thread may be waiting at the gate, and would be waited for."""
    os._exit(code)
