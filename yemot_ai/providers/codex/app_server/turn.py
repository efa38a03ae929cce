"""Read the notifications of one turn of an app-server.

Unknown notifications and items are ignored: versions differ, and only what is used is required. Measured on
0.169.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from yemot_ai._runtime.tasks import retrieve_exception
from yemot_ai.errors import AnswerCutError, AnswerEmptyError, ProviderCrashError, ProviderError
from yemot_ai.providers.codex.app_server.answer_text import AnswerText
from yemot_ai.providers.codex.events import TurnOutcome
from yemot_ai.providers.codex.faults import cut_reason, error_from_text
from yemot_ai.providers.codex.request_limit import excess_error
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["AppServerTurn", "turn_error"]

_COUNTERS: Final = {
    "inputTokens": "input_tokens",
    "cachedInputTokens": "cached_input_tokens",
    "outputTokens": "output_tokens",
    "reasoningOutputTokens": "reasoning_output_tokens",
}


class AppServerTurn:
    """One turn of one thread; needs a running event loop.

    Args:
        thread_id: the thread.
        on_text: called with each piece of the answer, in order; see ``AnswerText``.
        thought_end: as for ``AnswerText``.
        max_requests: maximum requests to the model; None for no maximum.

    Attributes:
        thread_id: the thread.
        answer: the text of the answer, without commentary and thoughts.
        started: gets the turn's id when the turn runs; before that it cannot be interrupted (measured,
            0.169).
        outcome: gets the outcome, or the error.
        excess: gets the error to raise when there have been more requests to the model than allowed; the
            turn still runs.
    """

    def __init__(
        self,
        thread_id: str,
        on_text: Callable[[str], object] | None,
        *,
        thought_end: str = "",
        max_requests: int | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.thread_id = thread_id
        self.answer = AnswerText(on_text, thought_end=thought_end)
        self.started: asyncio.Future[str] = loop.create_future()
        self.outcome: asyncio.Future[TurnOutcome] = loop.create_future()
        self.excess: asyncio.Future[AnswerCutError] = loop.create_future()
        # A cancelled turn ends later, and its outcome is not awaited.
        self.outcome.add_done_callback(retrieve_exception)
        self._commentary_ids: set[str] = set()
        self._usage: dict[str, int] | None = None
        self._requests = 0
        self._max_requests = max_requests

    def handle(self, method: str, params: Mapping[str, Any]) -> None:
        """Read one notification about the thread."""
        match method, params:
            case "turn/started", {"turn": {"id": str(turn_id)}} if not self.started.done():
                self.started.set_result(turn_id)
            case "item/started", {"item": {"type": "agentMessage"} as item}:
                self._start_message(item)
            case "item/agentMessage/delta", {"delta": str(delta), **rest}:
                if (item_id := _text(rest.get("itemId"))) not in self._commentary_ids:
                    self.answer.add(item_id, replace_surrogates(delta))
            case "item/completed", {"item": {"type": "agentMessage", "text": str(text)} as item}:
                if not self._is_commentary(item):
                    self.answer.complete(_text(item.get("id")), replace_surrogates(text))
            case "error", {"willRetry": True}:
                self.answer.restart()
            case "thread/tokenUsage/updated", {"tokenUsage": {"total": Mapping() as total}}:
                self._count_request()
                self._usage = {
                    ours: total[name] for name, ours in _COUNTERS.items() if type(total.get(name)) is int
                }
            case "turn/completed", {"turn": Mapping() as turn} if not self.outcome.done():
                self._finish(turn)
            case _:
                pass

    def _count_request(self) -> None:
        """Count a request to the model: Codex reports the tokens after each (measured, 0.142 to 0.171)."""
        self._requests += 1
        most = self._max_requests
        if most is not None and self._requests > most and not self.excess.done():
            self.excess.set_result(excess_error(most, self.answer.text))

    def _start_message(self, item: Mapping[str, Any]) -> None:
        if self.answer.is_open:
            # Messages do not overlap, so the stream was restarted: not every restart sends an "error".
            self.answer.restart()
        self._commentary_ids.discard(_text(item.get("id")))
        if self._is_commentary(item):
            self._commentary_ids.add(_text(item.get("id")))

    def _is_commentary(self, item: Mapping[str, Any]) -> bool:
        return _text(item.get("id")) in self._commentary_ids or item.get("phase") == "commentary"

    def fail(self, error: Exception) -> None:
        """End the turn with ``error``, if it has not ended yet."""
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def _finish(self, turn: Mapping[str, Any]) -> None:
        error = self._error(turn)
        cut = cut_reason(error) if error is not None else ""
        if error is None or cut:
            self.answer.end(cut=bool(cut))
        if (error is None or cut) and self.answer.text.strip():
            self.outcome.set_result(TurnOutcome(self.answer.text, self.thread_id, self._usage, cut))
        else:
            self.outcome.set_exception(error or self._empty_error())

    def _error(self, turn: Mapping[str, Any]) -> ProviderError | None:
        status = turn.get("status")
        if status == "completed":
            return None
        how = status if isinstance(status, str) else "not completed"
        return turn_error(turn.get("error"), how, self.thread_id)

    def _empty_error(self) -> ProviderError:
        empty = AnswerEmptyError("Codex completed the turn without an answer", provider="codex")
        empty.thread_id = self.thread_id
        return empty


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def turn_error(error: object, status: str, thread_id: str) -> ProviderError:
    """Return the error for a turn that did not complete.

    Args:
        error: the server's error: a message, and often an error code.
        status: ``failed`` or ``interrupted``.
        thread_id: the thread.
    """
    fields = error if isinstance(error, Mapping) else {}
    message = fields.get("message")
    text = message if isinstance(message, str) and message else f"the turn was {status}"
    by_message = error_from_text(text, thread_id=thread_id)
    if type(by_message) is not ProviderCrashError:
        return by_message
    # No word of the message matches; the code or status may: "rateLimitExceeded".
    info = _error_info_text(fields.get("codexErrorInfo"))
    by_info = error_from_text(f"{text} ({info})", thread_id=thread_id)
    return by_message if type(by_info) is ProviderCrashError else by_info


def _error_info_text(info: object) -> str:
    match info:
        case str():
            return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", info).lower()
        case Mapping():
            inner = [value for value in info.values() if isinstance(value, Mapping)]
            status = [f"status {value.get('httpStatusCode')}" for value in inner]
            return ", ".join([*map(_error_info_text, info), *status])
    return "unclassed"
