"""What an app-server tells of one turn → what came of it.

Notifications and items that are not known are passed over: versions differ, and only what is used is
required. Measured on 0.169.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from yemot_ai.errors import AnswerEmptyError, ProviderCrashError, ProviderError
from yemot_ai.providers.codex.events import Outcome
from yemot_ai.providers.codex.faults import fault
from yemot_ai.providers.surrogates import writable

__all__ = ["Turn", "fault_of"]

_COUNTERS: Final = {
    "inputTokens": "input_tokens",
    "cachedInputTokens": "cached_input_tokens",
    "outputTokens": "output_tokens",
    "reasoningOutputTokens": "reasoning_output_tokens",
}


class Turn:
    """One turn of one thread, as its notifications tell it; needs a running loop.

    Attributes:
        thread_id: whose turn it is.
        told: is told each piece of text that the model writes, in order; commentary is left out.
        begun: the turn's id, once it runs; before that it cannot be interrupted (measured, 0.169).
        ended: what came of it, or the error that tells what went wrong.
    """

    def __init__(self, thread_id: str, told: Callable[[str], object]) -> None:
        loop = asyncio.get_running_loop()
        self.thread_id = thread_id
        self.told = told
        self.begun: asyncio.Future[str] = loop.create_future()
        self.ended: asyncio.Future[Outcome] = loop.create_future()
        # A turn that was given up still ends, and nobody asks how.
        self.ended.add_done_callback(_look_at)
        self._aside: set[str] = set()
        self._said = ""
        self._final = ""
        self._usage: dict[str, int] = {}

    def hear(self, method: str, params: Mapping[str, Any]) -> None:
        """Read one notification about the thread."""
        match method, params:
            case "turn/started", {"turn": {"id": str(turn_id)}} if not self.begun.done():
                self.begun.set_result(turn_id)
            case "item/started", {"item": {"type": "agentMessage", "phase": "commentary", "id": str(aside)}}:
                self._aside.add(aside)
            case "item/agentMessage/delta", {"delta": str(delta), **of} if not self._is_aside(
                of.get("itemId")
            ):
                self.told(writable(delta))
            case "item/completed", {"item": {"type": "agentMessage", "text": str(text)} as item}:
                self._said = writable(text)
                if item.get("phase") == "final_answer":
                    self._final = self._said
            case "thread/tokenUsage/updated", {"tokenUsage": {"total": Mapping() as total}}:
                self._usage = {
                    ours: total[name] for name, ours in _COUNTERS.items() if type(total.get(name)) is int
                }
            case "turn/completed", {"turn": Mapping() as turn} if not self.ended.done():
                self._conclude(turn)
            case _:
                pass

    def _is_aside(self, item: object) -> bool:
        return isinstance(item, str) and item in self._aside

    def fail(self, error: Exception) -> None:
        """Let it end with ``error``, if it has not ended yet."""
        if not self.ended.done():
            self.ended.set_exception(error)

    def _conclude(self, turn: Mapping[str, Any]) -> None:
        text = self._final or self._said
        if turn.get("status") != "completed":
            status = turn.get("status")
            told = status if isinstance(status, str) else "not completed"
            self.ended.set_exception(fault_of(turn.get("error"), told, self.thread_id))
        elif not text.strip():
            empty = AnswerEmptyError("Codex completed the turn without an answer", provider="codex")
            empty.thread_id = self.thread_id
            self.ended.set_exception(empty)
        else:
            self.ended.set_result(Outcome(text, self.thread_id, self._usage))


def fault_of(error: object, status: str, thread_id: str) -> ProviderError:
    """The error for a turn that did not complete.

    Args:
        error: what the server says of it: a message, and often a word for the class of error.
        status: ``failed`` or ``interrupted``.
        thread_id: whose turn it was.
    """
    told = error if isinstance(error, Mapping) else {}
    message = told.get("message")
    said = message if isinstance(message, str) and message else f"the turn was {status}"
    found = fault(said, thread_id=thread_id)
    if type(found) is ProviderCrashError:
        # The sentence tells no class; what stands beside it may: "rateLimitExceeded", or a status.
        return fault(f"{said} ({_words(told.get('codexErrorInfo'))})", thread_id=thread_id)
    return found


def _words(info: object) -> str:
    match info:
        case str():
            return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", info).lower()
        case Mapping():
            inner = [value for value in info.values() if isinstance(value, Mapping)]
            status = [f"status {value.get('httpStatusCode')}" for value in inner]
            return ", ".join([*map(_words, info), *status])
    return "unclassed"


def _look_at(future: asyncio.Future[Outcome]) -> None:
    if not future.cancelled():
        future.exception()
