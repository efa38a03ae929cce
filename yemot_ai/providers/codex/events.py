r"""Read the output of ``codex exec --json``.

Pure: lines in, a ``TurnOutcome`` or an error out::

    >>> reader = EventReader()
    >>> reader.feed(b'{"type":"thread.started","thread_id":"01a2"}')
    >>> reader.feed(b'{"type":"item.completed","item":{"type":"agent_message","text":"hello"}}')
    >>> reader.feed(b'{"type":"turn.completed","usage":{"input_tokens":3,"output_tokens":1}}')
    >>> reader.finish(exit_code=0).text
    'hello'

Unknown events and items are ignored: versions differ, and only what is used is required.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from yemot_ai.errors import AnswerEmptyError, MalformedStreamError, ProviderError, SessionLostError
from yemot_ai.providers.answer_filter import AnswerFilter
from yemot_ai.providers.codex.faults import cut_reason, error_from_text, with_details
from yemot_ai.providers.provider import Usage
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["EventReader", "TurnOutcome", "parse_object", "usage_delta"]

_COUNTERS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """A turn that has an answer.

    Attributes:
        text: the last message of the agent, without thoughts and the like; earlier ones say what it is
            about to do.
        thread_id: Codex's id of the conversation.
        usage: Codex's counters for the whole conversation so far; None if it has not reported them.
        cut: why the model stopped before its answer was whole; empty for a whole answer.
    """

    text: str
    thread_id: str
    usage: Mapping[str, int] | None
    cut: str = ""


@dataclass(slots=True)
class EventReader:
    """Read the event lines of one turn.

    Attributes:
        thread_id: the thread that the stream names; empty until it does.
    """

    thread_id: str = ""
    _answer: str = ""
    _usage: dict[str, int] | None = None
    _failure: str | None = None
    _last_error: str = ""
    _malformed: bytes | None = None

    @property
    def turn_failed(self) -> bool:
        """Whether Codex has reported that the turn failed."""
        return self._failure is not None

    def feed(self, line: bytes) -> None:
        r"""Read one line (split at ``\n`` only: U+2028 may stand inside a string)."""
        if not line.strip():
            return
        event = parse_object(line)
        if event is None:
            # Only the first one is reported; the lines after it may be fragments.
            self._malformed = self._malformed or line
            return
        self._read(event)

    def _read(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"type": "thread.started", "thread_id": str(thread_id)}:
                self.thread_id = thread_id
            case {"type": "item.completed", "item": {"type": "agent_message", "text": str(text)}}:
                self._add_message(replace_surrogates(text))
            case {"type": "turn.completed"}:
                self._usage = _counters(event.get("usage"))
            case {"type": "turn.failed"}:
                self._failure = _error_message(event.get("error"))
            case {"type": "error", "message": str(message)}:
                # Not fatal ("Reconnecting… 1/5"), but the best explanation if the turn fails.
                self._last_error = replace_surrogates(message)
            case _:
                pass

    def _add_message(self, text: str) -> None:
        answer_filter = AnswerFilter()
        answer = answer_filter.feed(text) + answer_filter.finish()
        # A message may be a call of a tool only, which is no answer.
        self._answer = answer if answer.strip() else self._answer

    def finish(self, *, exit_code: int, stderr_tail: str = "", expected: str = "") -> TurnOutcome:
        """Return the outcome of the turn after the process has ended; also that of a cut answer.

        Args:
            exit_code: the process's exit code (negative: the signal).
            stderr_tail: the end of standard error; read only if the turn failed.
            expected: the thread that was resumed; empty for a new one.

        Raises:
            SessionLostError: the stream names another thread than the one resumed (for an unknown name
                Codex silently starts a new one), or Codex does not know the thread.
            AnswerEmptyError: the turn was completed without an answer.
            MalformedStreamError: a line is not of the protocol.
            ProviderError: any other failure, from ``faults.error_from_text``.
        """
        error = self._error(exit_code, stderr_tail, expected)
        cut = cut_reason(error) if error is not None and self._answer and self.thread_id else ""
        if error is not None and not cut:
            raise with_details(error, exit_code, stderr_tail, expected or self.thread_id)
        return TurnOutcome(self._answer, self.thread_id, self._usage, cut)

    def _error(self, exit_code: int, stderr_tail: str, expected: str) -> ProviderError | None:
        if expected and self.thread_id not in {"", expected}:
            message = (
                f"Codex answered in thread {self.thread_id} instead of {expected}: the answer is dropped"
            )
            return SessionLostError(message, thread_id=expected, provider="codex")
        if self._malformed is not None:
            # The length, not the text: it may quote the caller, and the message is logged.
            what = f"a line that is not an event: {len(self._malformed)} bytes, see stderr_tail"
            return MalformedStreamError(f"Codex wrote {what}", provider="codex")
        if text := self._failure_text(exit_code, stderr_tail):
            return error_from_text(text, thread_id=self.thread_id or expected)
        if not self._answer.strip():
            return AnswerEmptyError("Codex completed the turn without an answer", provider="codex")
        if not self.thread_id:
            return MalformedStreamError("Codex answered without naming the thread", provider="codex")
        return None

    def _failure_text(self, exit_code: int, stderr_tail: str) -> str:
        """Return what explains the failure of the turn; "" if there is no failure, or no explanation."""
        if exit_code == 0 and self._failure is None and self._usage is not None:
            return "" if self._answer.strip() else self._last_error
        text = self._failure or self._last_error or _last_error_line(stderr_tail)
        return text or f"Codex ended (exit code {exit_code}) before the turn was completed"


def parse_object(line: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object in a line of Codex; None if it has none."""
    try:
        # Decoded here: json would guess UTF-16 for bytes that contain zeros.
        value = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def usage_delta(before: Mapping[str, int] | None, after: Mapping[str, int]) -> Usage | None:
    """Return the usage of one turn from counters that cover the whole conversation.

    Args:
        before: the counters after the previous turn; empty for a first turn, None if they are not known.
        after: the counters now.

    Returns:
        The difference; the counters themselves if they were reset in between; None without ``before``.
    """
    if before is None:
        return None
    previous = _counters(before)  # a store may have returned anything
    spent = [after.get(name, 0) - previous.get(name, 0) for name in _COUNTERS]
    if any(tokens < 0 for tokens in spent):
        spent = [after.get(name, 0) for name in _COUNTERS]
    return Usage.from_counts(*spent)


def _counters(usage: object) -> dict[str, int]:
    if not isinstance(usage, Mapping):
        return {}
    return {name: usage[name] for name in _COUNTERS if type(usage.get(name)) is int}


def _error_message(error: object) -> str:
    text = error.get("message") if isinstance(error, Mapping) else error
    return replace_surrogates(text) if isinstance(text, str) and text else "the turn failed"


def _last_error_line(stderr_tail: str) -> str:
    """Return the line of standard error that explains a failure: the last one that is not a warning."""
    lines = [line.strip() for line in stderr_tail.split("\n") if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    candidates = errors or [line for line in lines if not line.startswith("WARNING")]
    return candidates[-1] if candidates else ""
