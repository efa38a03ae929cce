"""Lets a simulated caller hear a logged call: the line asks, and the log answers.

So polls, chains of extensions, confirmations and what is heard are those of the line that will play the
scenario. Time is virtual, and takes no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from yemot_ai.protocol import Read
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.from_log.actions import HANGS_UP, REPEATS, action_at
from yemot_ai_testing.from_log.entries import LogExchange, LoggedCall
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.clock import EngineClock
from yemot_ai_testing.line.exchange import LineExchange, final_read
from yemot_ai_testing.line.states import Confirming, RecordingMenu
from yemot_ai_testing.line.transports.transport import Pairs, TransportFault, TransportResponse
from yemot_ai_testing.line.verbs.keypad import is_poll
from yemot_ai_testing.scenario.format.model import CallerAction, InterruptionSpec
from yemot_ai_testing.scenario.play.ending import Ender, who_ended
from yemot_ai_testing.scenario.play.runner import perform_action

__all__ = ["Replay", "ReplayedTurn", "replay_call"]

MAX_AFTER = 5.0
"""Seconds at most until an interruption: that the caller did not wait matters, not how long."""

DEFAULT_AFTER = 1.0


@dataclass(frozen=True, slots=True)
class ReplayedTurn:
    """What the caller did, and what came of it.

    Attributes:
        action: None where the caller only listens.
        interruption: what the caller did before the response was complete.
        logged: the requests and responses of the log.
        exchanges: the same, as the line understood them.
        heard: what was heard.
        question: the read that waits for the caller then.
        ender: who has ended the call; None if it continues, or if the log does not say.
        waits: whether the line waits for the caller, if the log says so.
    """

    action: CallerAction | None
    interruption: InterruptionSpec | None
    logged: tuple[LogExchange, ...]
    exchanges: tuple[LineExchange, ...]
    heard: str
    question: Read | None
    ender: Ender | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """A replayed call.

    Attributes:
        turns: what the caller did, in order.
        rest: the requests that the replay did not reach.
        notes: what a reader of the scenario should know.
        lenient: whether the line ignores what it does not understand in optional fields.
    """

    turns: tuple[ReplayedTurn, ...]
    rest: tuple[LogExchange, ...]
    notes: tuple[str, ...]
    lenient: bool


def replay_call(call: LoggedCall) -> Replay:
    """Replay a call; on a lenient line, if the log continues where a strict one stops."""
    strict = _Replayer(call.exchanges, lenient=False).run()
    if not strict.rest:
        return strict
    lenient = _Replayer(call.exchanges, lenient=True).run()
    return lenient if len(lenient.rest) < len(strict.rest) else strict


class _StoppedTime:
    """A clock that only moves when the line plays or waits."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


@dataclass(slots=True)
class _Replayer:
    logged: Sequence[LogExchange]
    lenient: bool
    position: int = 0
    notes: list[str] = field(default_factory=list)
    turns: list[ReplayedTurn] = field(default_factory=list)
    _caller: Any = None
    _stopped: bool = False
    _last: LogExchange | None = None

    def run(self) -> Replay:
        first = self.logged[0]
        caller = self._caller = Caller(
            self._answer,
            first.request.phone,
            first.request.extension,
            first.method,
            clock=EngineClock(_StoppedTime()),
            strict=False,
            lenient=self.lenient,
        )
        with caller:
            self._take_turn(None)
            while not self._stopped and not caller.ended and self.position < len(self.logged):
                action = self._next_action()
                if action is None:
                    break
                self._take_turn(action)
            rest = tuple(self.logged[self.position :])
            self._stopped = True
        has_response = self._last is not None and self._last.body is not None
        if has_response and all(one.request.hangup or self._is_repeated(one) for one in rest):
            rest = ()
        return Replay(tuple(self.turns), rest, tuple(dict.fromkeys(self.notes)), self.lenient)

    def _is_repeated(self, exchange: LogExchange) -> bool:
        return self._last is not None and exchange.repeats(self._last)

    def _take_turn(self, action: CallerAction | None) -> None:
        caller, start, exchange_count = self._caller, self.position, len(self._caller.exchanges)
        interruption = None if action in {HANGS_UP, REPEATS} else self._interruption(start)
        try:
            if action is None:
                caller.dial()
            else:
                perform_action(caller, action)
        except (WrongVerbError, EndlessLineError) as error:
            self.notes.append(f"a caller of the simulated line cannot do the next thing of the log: {error}")
            self._stopped = True
            if self.position == start:
                return
        exchanges = caller.exchanges[exchange_count:]
        if self._stopped:
            exchanges = exchanges[: self.position - start]
        over = caller.ended and not self._stopped
        self.turns.append(
            ReplayedTurn(
                action,
                interruption,
                tuple(self.logged[start : self.position]),
                tuple(exchanges),
                "" if self._stopped else caller.heard,
                None if self._stopped else caller.question,
                who_ended(caller.transcript) if over else None,
                waits=not self._stopped and not caller.ended,
            )
        )

    def _next_action(self) -> CallerAction | None:
        """Return what the caller does next, or None if the replay cannot continue."""
        exchange, caller = self.logged[self.position], self._caller
        if exchange.request.hangup:
            return HANGS_UP
        if self._is_repeated(exchange):
            return REPEATS
        if isinstance(caller.state, Confirming):
            return CallerAction("presses", "1")
        if isinstance(caller.state, RecordingMenu):
            return CallerAction("presses", "2")
        if caller.question is None:
            self.notes.append(f"the log continues where a scenario cannot: {caller.waits_for}")
            return None
        value = exchange.request.newest(caller.question.name)
        action = None if value is None else action_at(caller.question, value)
        if action is None:
            self.notes.append("the log continues with a request that does not answer the question before it")
        return action

    # -- the application

    def _answer(self, pairs: Pairs) -> str | TransportResponse:
        """Answer a request of the simulated line with the next response of the log."""
        sent = dict(pairs)
        if self._stopped:
            return _fault("the log ends here")
        self._skip_repetitions(pairs)
        exchange = self.logged[self.position] if self.position < len(self.logged) else None
        if sent.get("hangup") == "yes":
            if exchange is not None and exchange.request.hangup:
                self.position += 1
            return "noop=x"
        if exchange is None or not _is_same_request(exchange, pairs):
            self._stopped = True
            return _fault("the log ends here")
        self.position += 1
        self._last = exchange
        if exchange.body is None and self._hangs_up_at(self.position):
            self._caller.hangs_up()
        if exchange.is_failed:
            return _fault(f"status {exchange.status}")
        return exchange.body if exchange.body is not None else self._stop()

    def _stop(self) -> TransportResponse:
        self._stopped = not self._caller.ended
        return _fault("the log has no response")

    def _skip_repetitions(self, pairs: Pairs) -> None:
        while self.position < len(self.logged):
            exchange = self.logged[self.position]
            if not self._is_repeated(exchange) or _is_same_request(exchange, pairs):
                return
            self.notes.append("the line sent a request of a poll twice")
            self.position += 1

    # -- what the caller does during a wait

    def _hangs_up_at(self, index: int) -> bool:
        return index < len(self.logged) and self.logged[index].request.hangup

    def _interruption(self, start: int) -> InterruptionSpec | None:
        """Return what the caller does before the line waits again, and prepare the caller for it."""
        for index in range(start, len(self.logged) - 1):
            here, following = self.logged[index], self.logged[index + 1]
            if here.body is None:
                return self._interrupts(None, start, index + 1) if following.request.hangup else None
            read = final_read(here.body)
            if read is not None and not is_poll(read.mode):
                return None
            keys = None if read is None else _keys_at_poll(read, following)
            if keys or (read is not None and following.request.hangup):
                return self._interrupts(keys, start, index + 1)
        return None

    def _interrupts(self, keys: str | None, start: int, at: int) -> InterruptionSpec:
        if self.logged[at - 1].body is not None:
            self._caller.interrupts(keys, when=lambda: self.position >= at)
        return InterruptionSpec(keys, _seconds_between(self.logged[start], self.logged[at]))


def _is_same_request(exchange: LogExchange, pairs: Pairs) -> bool:
    """Return whether the line of the log sent what the simulated one sends, apart from constants."""
    if exchange.request.hangup:
        return False
    own = [pair for pair in pairs if not pair[0].startswith("Api")]
    return not own or exchange.request.newest(own[-1][0]) == own[-1][1]


def _keys_at_poll(poll: Read, following: LogExchange) -> str | None:
    value = following.request.newest(poll.name)
    action = None if value is None else action_at(poll, value)
    return action.text if action is not None and action.verb == "presses" else None


def _seconds_between(one: LogExchange, other: LogExchange) -> float:
    if one.time is None or other.time is None:
        return DEFAULT_AFTER
    return round(min(max(other.time - one.time, 0.5), MAX_AFTER), 1)


def _fault(text: str) -> TransportResponse:
    return TransportResponse(fault=TransportFault("exception", text))
