"""Log one record for each turn and each call: duration and tokens, never what was said.

>>> from yemot_ai.providers.provider import Usage
>>> format_tokens(Usage(input_tokens=120, cached_input_tokens=100, output_tokens=9))
'120 tokens in (100 cached), 9 out'
"""

from __future__ import annotations

import logging

from yemot_ai._calls.hooks import EndReason, total_usage
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import Session, Turn, TurnStatus

__all__ = ["format_tokens", "log_call", "log_turn"]

log = logging.getLogger("yemot_ai")

TRANSCRIBER_LABEL = "heard"
"""Logged instead of a provider's name for a recording that was transcribed."""


def log_turn(call_id: str, turn: Turn, provider: str) -> None:
    """Log a turn that asked a model or transcribed a recording.

    Args:
        call_id: the call.
        turn: the turn; one that did neither, and ran no tool, is not logged.
        provider: the name of its provider.
    """
    if turn.tool is not None:
        _log_tool(call_id, turn)
    if not turn.conversation and not turn.is_transcription:
        return
    asked = TRANSCRIBER_LABEL if turn.is_transcription else f"{provider} ({turn.conversation})"
    failed = "failed" if turn.failure is None else f"failed ({turn.failure.kind})"
    result = turn.status.value if turn.status is TurnStatus.ANSWERED else failed
    cost = "" if turn.usage is None else f", {format_tokens(turn.usage)}"
    log.info("call %s: turn %s: %s: %s in %.2f s%s", call_id, turn.id, asked, result, turn.duration, cost)


def _log_tool(call_id: str, turn: Turn) -> None:
    """Log the run of a tool, without its arguments and its result."""
    name = turn.tool.name if turn.tool else ""
    result = "done" if turn.failure is None else turn.failure.kind
    log.info("call %s: turn %s: %s: %s in %.2f s", call_id, turn.id, name, result, turn.duration)


def log_call(session: Session, reason: EndReason, *, now: float) -> None:
    """Log the end of a call, with the sums over its turns.

    Args:
        session: its last session.
        reason: why it has ended.
        now: Unix time in seconds.
    """
    asked = [turn for turn in session.turns if turn.conversation]
    failed = sum(turn.status is TurnStatus.FAILED for turn in asked)
    heard = sum(turn.is_transcription for turn in session.turns)
    log.info(
        "call %s: over (%s) after %.0f s: %d turns (%d failed), %d recordings heard, %s",
        session.call_id,
        reason,
        now - session.started if session.started else 0.0,
        len(asked),
        failed,
        heard,
        format_tokens(total_usage(tuple(asked))),
    )


def format_tokens(usage: Usage) -> str:
    """Return the token counts as text."""
    return (
        f"{usage.input_tokens} tokens in ({usage.cached_input_tokens} cached), {usage.output_tokens} out"
        + (f" ({usage.reasoning_output_tokens} reasoning)" if usage.reasoning_output_tokens else "")
    )
