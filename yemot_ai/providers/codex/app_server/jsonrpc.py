"""JSON-RPC as ``codex app-server`` speaks it: one object a line, without the word ``jsonrpc``.

Pure but for the futures: lines go in by ``feed``, lines go out by the ``send`` it is given. What the other
side *asks* is answered at once, out of ``REQUEST_ANSWERS``: a phone line has nobody to ask, so approvals are
declined, and everything else is an error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["REQUEST_ANSWERS", "JsonRpc", "NotRpcError", "RpcError"]

Params: TypeAlias = Mapping[str, Any]

_DENIED: Final = {"denied": {"rejection": "nobody is there to be asked"}}

REQUEST_ANSWERS: Final[Mapping[str, Params]] = {
    "item/commandExecution/requestApproval": {"decision": "decline"},
    "item/fileChange/requestApproval": {"decision": "decline"},
    "execCommandApproval": {"decision": _DENIED},
    "applyPatchApproval": {"decision": _DENIED},
    "mcpServer/elicitation/request": {"action": "decline"},
}
"""What the server may ask, and hears (schema of 0.169); whatever is not here is refused with an error."""

_METHOD_NOT_FOUND: Final = -32601


class RpcError(Exception):
    """The server refused a request.

    Attributes:
        method: what was asked.
        code: the number it gave.
        message: its words.
    """

    def __init__(self, method: str, code: int, message: str) -> None:
        self.method = method
        self.code = code
        self.message = message
        super().__init__(f"{method}: {message} ({code})")


class NotRpcError(ValueError):
    """A line is no message; ``size`` is its length in bytes (its words may be a caller's)."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"a line of {size} bytes that is no message")


class JsonRpc:
    """One end of the wire.

    Args:
        send: writes bytes to the other side.
        on_notification: is told each notification: its method and its parameters.
    """

    def __init__(self, send: Callable[[bytes], None], on_notification: Callable[[str, Params], None]) -> None:
        self._send = send
        self._on_notification = on_notification
        self._pending: dict[int, tuple[str, asyncio.Future[Params]]] = {}
        self._last_id = 0

    def request(self, method: str, params: Params) -> asyncio.Future[Params]:
        """Ask; the future brings the result, or ``RpcError``, or what ``close`` is given."""
        self._last_id += 1
        future: asyncio.Future[Params] = asyncio.get_running_loop().create_future()
        # Whoever asked may be gone by then; an answer that nobody reads is no accident.
        future.add_done_callback(_retrieve_exception)
        self._pending[self._last_id] = (method, future)
        self._write({"id": self._last_id, "method": method, "params": params})
        return future

    def notify(self, method: str) -> None:
        """Tell, without waiting for anything."""
        self._write({"method": method})

    def feed(self, line: bytes) -> None:
        r"""Read one line (split at ``\n`` only: U+2028 may stand inside a string).

        Raises:
            NotRpcError: it is no message.
        """
        if not line.strip():
            return
        message = _parse(line)
        match message:
            case {"id": None | int() | float() | str() as number, "method": str(method)}:
                self._answer(number, method)
            case {"method": str(method)} if "id" not in message:
                self._on_notification(method, _mapping(message.get("params")))
            case {"id": int(number)} if type(number) is int:  # true would be taken for 1
                self._resolve(number, message)
            case _:
                raise NotRpcError(len(line))

    def close(self, error: Callable[[], Exception]) -> None:
        """Let everybody who still waits have an error of their own."""
        waiting, self._pending = self._pending, {}
        for _method, future in waiting.values():
            if not future.done():
                future.set_exception(error())

    def _answer(self, number: object, method: str) -> None:
        if method in REQUEST_ANSWERS:
            self._write({"id": number, "result": REQUEST_ANSWERS[method]})
            return
        refused = {"code": _METHOD_NOT_FOUND, "message": f"nobody here can answer {method}"}
        self._write({"id": number, "error": refused})

    def _resolve(self, number: int, answer: Params) -> None:
        method, future = self._pending.pop(number, ("", None))
        if future is None or future.done():
            return
        if "error" in answer:
            error = _mapping(answer["error"])
            code, said = error.get("code"), error.get("message")
            known = code if isinstance(code, int) else 0
            future.set_exception(RpcError(method, known, said if isinstance(said, str) else ""))
        else:
            future.set_result(_mapping(answer.get("result")))

    def _write(self, message: Params) -> None:
        # Half of a surrogate pair would make the whole line unreadable for the server.
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        self._send(line.encode("utf-8", "replace") + b"\n")


def _retrieve_exception(future: asyncio.Future[Params]) -> None:
    if not future.cancelled():
        future.exception()


def _mapping(found: object) -> Params:
    return found if isinstance(found, Mapping) else {}


def _parse(line: bytes) -> Params:
    try:
        # Decoded here: left to guess, json would try UTF-16 on bytes that hold zeros.
        return _mapping(json.loads(line.decode()))
    except (ValueError, RecursionError):
        return {}
