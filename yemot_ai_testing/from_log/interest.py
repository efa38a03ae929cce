"""Which calls of a log are worth a look: those in which something went wrong, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from yemot_ai.flow import DialogSettings
from yemot_ai.protocol import lint
from yemot_ai.protocol.explain import printable
from yemot_ai_testing.from_log.entries import LogExchange, LoggedCall
from yemot_ai_testing.line.exchange import final_read
from yemot_ai_testing.line.verbs.keypad import is_poll

__all__ = ["LONG_WAIT", "Reason", "reasons_of"]

LONG_WAIT: Final = 5.0
"""Seconds from what the caller said to the answer."""

SENTENCES: Final = DialogSettings()
_APOLOGIES: Final = {
    getattr(SENTENCES, name): name
    for name in ("apology", "internal_error", "store_unavailable", "answer_cut_off", "request_refused",
                 "call_too_long", "limit_reached", "unknown_extension", "access_denied", "no_call_id")
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why a call is interesting.

    Attributes:
        rank: the lower, the worse.
        text: for people, without anything that was said.
    """

    rank: int
    text: str


def reasons_of(call: LoggedCall) -> list[Reason]:
    """Return why a call is interesting, the worst reason first; none if nothing happened."""
    found = [
        *(reason for exchange in call.exchanges for reason in _failures(exchange)),
        *(Reason(1, f"the model failed: {printable(turn.failure)}") for turn in call.turns if turn.failure),
        *_waits(call.exchanges),
        *_hang_up(call.exchanges),
        *_repetitions(call.exchanges),
        *_silences(call.exchanges),
    ]
    return sorted(dict.fromkeys(found))


def _failures(exchange: LogExchange) -> Iterator[Reason]:
    if exchange.request.hangup:
        return
    if exchange.is_failed:
        yield Reason(0, f"status {exchange.status}")
        return
    if exchange.body is None:
        return
    for problem in lint(exchange.body):
        if problem.level == "error":
            yield Reason(0, f"the line does not understand a response: {problem.code}")
            return
    for sentence, name in _APOLOGIES.items():
        if f"t-{sentence}" in exchange.body:
            yield Reason(1, f"the caller heard {name}")


def _waits(exchanges: tuple[LogExchange, ...]) -> Iterator[Reason]:
    """Yield the long waits: from a request that is no poll's to the first response that is no poll."""
    since: float | None = None
    for exchange in exchanges:
        if exchange.at is None or exchange.request.hangup:
            continue
        since = exchange.at if since is None else since
        if _is_poll(exchange):
            continue
        waited = exchange.at + (exchange.seconds or 0.0) - since
        if waited >= LONG_WAIT:
            yield Reason(2, f"a wait of {waited:.0f} s")
        since = None


def _hang_up(exchanges: tuple[LogExchange, ...]) -> Iterator[Reason]:
    for before, exchange in pairwise(exchanges):
        if not exchange.request.hangup or before.request.hangup:
            continue
        if _is_poll(before) or (before.body is None and before.status is None and before.has_turns):
            yield Reason(3, "the caller hung up during a wait")
        elif before.values and before.values[-1][1].strip() in {"", "None"}:
            yield Reason(3, "the caller hung up after a silence")


def _repetitions(exchanges: tuple[LogExchange, ...]) -> Iterator[Reason]:
    if any(one.repeats(other) and _expects_value(one) for one, other in pairwise(exchanges)):
        yield Reason(4, "the line repeated a request")


def _silences(exchanges: tuple[LogExchange, ...]) -> Iterator[Reason]:
    questions = [exchange for exchange in exchanges[1:] if not exchange.request.hangup]
    silent = sum(
        exchange.values[-1][1].strip() == ""
        for before, exchange in zip(exchanges, questions, strict=False)
        if exchange.values and not exchange.repeats(before)
    )
    if silent > 1:
        yield Reason(5, f"the caller was silent {silent} times")


def _expects_value(exchange: LogExchange) -> bool:
    return exchange.body is None or final_read(exchange.body) is not None


def _is_poll(exchange: LogExchange) -> bool:
    read = None if exchange.body is None else final_read(exchange.body)
    return read is not None and is_poll(read.mode)
