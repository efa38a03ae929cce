"""JSON-RPC as ``codex app-server`` uses it: one object per line, without the key ``jsonrpc``.

No I/O: ``feed`` takes lines, and the ``send`` argument writes them. Requests of the server are answered at
once from ``REQUEST_ANSWERS``: no user is on the phone line to approve anything, so approvals are declined,
and all other requests are errors.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from yemot_ai._runtime.tasks import retrieve_exception
from yemot_ai.providers.codex.events import parse_object

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["REQUEST_ANSWERS", "JsonRpc", "NotRpcError", "RpcError"]

Params: TypeAlias = Mapping[str, Any]

_DENIED: Final = {"denied": {"rejection": "there is no user to ask"}}

REQUEST_ANSWERS: Final[Mapping[str, Params]] = {
    "item/commandExecution/requestApproval": {"decision": "decline"},
    "item/fileChange/requestApproval": {"decision": "decline"},
    "execCommandApproval": {"decision": _DENIED},
    "applyPatchApproval": {"decision": _DENIED},
    "mcpServer/elicitation/request": {"action": "decline"},
}
"""Requests of the server and their answers (schema of 0.169); all others are refused with an error."""

_METHOD_NOT_FOUND: Final = -32601


class RpcError(Exception):
    """The server refused a request.

    Attributes:
        method: the method of the request.
        code: the error code.
        message: the error message.
    """

    def __init__(self, method: str, code: int, message: str) -> None:
        self.method = method
        self.code = code
        self.message = message
        super().__init__(f"{method}: {message} ({code})")


class NotRpcError(ValueError):
    """A line is not a message; ``size`` is its length in bytes (its text may quote a caller)."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"a line of {size} bytes that is no message")


class JsonRpc:
    """The client side of a connection.

    Args:
        send: writes bytes to the server.
        on_notification: called with the method and the parameters of each notification.
    """

    def __init__(self, send: Callable[[bytes], None], on_notification: Callable[[str, Params], None]) -> None:
        self._send = send
        self._on_notification = on_notification
        self._pending: dict[int, tuple[str, asyncio.Future[Params]]] = {}
        self._last_id = 0

    def request(self, method: str, params: Params) -> asyncio.Future[Params]:
        """Send a request; the future gets the result, ``RpcError``, or the error of ``close``."""
        self._last_id += 1
        future: asyncio.Future[Params] = asyncio.get_running_loop().create_future()
        # The caller may have been cancelled by then, and never await the future.
        future.add_done_callback(retrieve_exception)
        self._pending[self._last_id] = (method, future)
        self._write({"id": self._last_id, "method": method, "params": params})
        return future

    def notify(self, method: str) -> None:
        """Send a notification."""
        self._write({"method": method})

    def feed(self, line: bytes) -> None:
        r"""Read one line (split at ``\n`` only: U+2028 may stand inside a string).

        Raises:
            NotRpcError: it is not a message.
        """
        if not line.strip():
            return
        message = parse_object(line) or {}
        match message:
            case {"id": None | int() | float() | str() as request_id, "method": str(method)}:
                self._answer(request_id, method)
            case {"method": str(method)} if "id" not in message:
                self._on_notification(method, _mapping(message.get("params")))
            case {"id": int(request_id)} if type(request_id) is int:  # true would count as 1
                self._resolve(request_id, message)
            case _:
                raise NotRpcError(len(line))

    def close(self, error: Callable[[], Exception]) -> None:
        """Fail each pending request with a new ``error()``."""
        pending, self._pending = self._pending, {}
        for _method, future in pending.values():
            if not future.done():
                future.set_exception(error())

    def _answer(self, request_id: object, method: str) -> None:
        if method in REQUEST_ANSWERS:
            self._write({"id": request_id, "result": REQUEST_ANSWERS[method]})
            return
        refused = {"code": _METHOD_NOT_FOUND, "message": f"{method} is not supported"}
        self._write({"id": request_id, "error": refused})

    def _resolve(self, request_id: int, answer: Params) -> None:
        method, future = self._pending.pop(request_id, ("", None))
        if future is None or future.done():
            return
        if "error" in answer:
            error = _mapping(answer["error"])
            code, text = error.get("code"), error.get("message")
            future.set_exception(
                RpcError(method, code if isinstance(code, int) else 0, text if isinstance(text, str) else "")
            )
        else:
            future.set_result(_mapping(answer.get("result")))

    def _write(self, message: Params) -> None:
        # A single surrogate would make the whole line unreadable for the server.
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        self._send(line.encode("utf-8", "replace") + b"\n")


def _mapping(value: object) -> Params:
    return value if isinstance(value, Mapping) else {}
