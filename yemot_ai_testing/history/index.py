"""A history looked up: what belongs to a request, a question, an utterance, a call; read once, in order."""

from __future__ import annotations

import bisect
import itertools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from yemot_ai_testing.history.correlation import Sentence
from yemot_ai_testing.history.events import (
    Asked,
    Event,
    Faulted,
    Got,
    Interrupted,
    Reset,
    Restarted,
    Said,
    Saved,
    Sent,
    Stalled,
    Told,
    Wrote,
)
from yemot_ai_testing.history.trace import told
from yemot_ai_testing.history.violation import Budget, Kind, Violation

__all__ = ["Ask", "CallView", "Index", "Request", "Utterance"]

USING: Final = 1.0
"""Seconds that it may take to write an answer down, and to speak it, on a machine that has time for it."""


@dataclass(slots=True)
class Request:
    """A request; ``sent`` and ``got`` are positions in the history, -1 where there is none."""

    event: Sent
    sent: int
    got: int = -1
    answer: Got | None = None


@dataclass(slots=True)
class Ask:
    """A question to the model, likewise."""

    event: Asked
    asked: int
    utterance: Utterance | None = None
    told: int = -1
    outcome: Told | None = None
    written: list[str] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Whether there is an answer."""
        return self.outcome is not None and not self.outcome.error

    def runs_at(self, position: int) -> bool:
        """Whether nothing had come of it by then."""
        return self.asked < position and not 0 <= self.told < position


@dataclass(slots=True)
class Utterance:
    """What was said, and what came of it."""

    mark: str
    call: str
    said: int
    asks: list[Ask] = field(default_factory=list)
    spoken: list[tuple[Request, str]] = field(default_factory=list)
    sentences: list[tuple[Request, Sentence]] = field(default_factory=list)
    interrupted: int = -1


@dataclass(slots=True)
class CallView:
    """A call."""

    name: str
    utterances: list[Utterance] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    saved: list[tuple[int, Saved]] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)


class Index:
    """A history looked up.

    Args:
        events: the history.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.requests: dict[int, Request] = {}
        self.asks: dict[str, Ask] = {}
        self.utterances: list[Utterance] = []
        self.calls: dict[str, CallView] = {}
        self.unsaid: list[Ask] = []
        self._faults: dict[str, list[int]] = defaultdict(list)
        self.restarts: list[tuple[int, Restarted]] = []
        self._stalls: dict[str, list[Stalled]] = defaultdict(list)
        self._said: dict[str, list[Utterance]] = defaultdict(list)
        self._open: Counter[str] = Counter()
        self._in_calls: dict[str, list[int]] = defaultdict(list)
        for position, event in enumerate(events):
            self._read(position, event)

    def call(self, name: str) -> CallView:
        """Return a call's view."""
        return self.calls.setdefault(name, CallView(name))

    def utterance(self, mark: str, call: str) -> Utterance | None:
        """Return what was said: by ``call``, if it has said that; else by whoever has said it last."""
        said = self._said.get(mark, [])
        return next((one for one in reversed(said) if one.call == call), said[-1] if said else None)

    def over(self, call: CallView) -> int | None:
        """Return the position from which on everybody knows that ``call`` is over; None if not yet.

        While the store is away, a hang-up cannot be written down.
        """
        goodbye = next((one for one in call.requests if one.event.hangup and one.got >= 0), None)
        if goodbye is None or self.faulted(call.name, goodbye.sent, goodbye.got):
            return None
        return goodbye.got

    def settled(self, utterance: Utterance) -> Request | None:
        """Return the request after which the line waited for the caller again, who was still there."""
        requests = self.call(utterance.call).requests
        gone = next((one.sent for one in requests if one.event.hangup), None)
        for request in requests:
            if request.sent < utterance.said or request.event.copy or request.answer is None:
                continue
            if gone is not None and gone < request.got:
                return None
            if request.answer.waits:
                return request
        return None

    def open_at(self, position: int) -> list[Request]:
        """Return the requests that were being answered at a position."""
        requests = self.requests.values()
        return [one for one in requests if one.sent < position and not 0 <= one.got < position]

    def faulted(self, call: str, begin: int, end: int) -> bool:
        """Tell whether a fault was put into ``call`` between two positions."""
        return any(_any_between(self._faults[name], begin, end) for name in ("", call))

    def restarted(self, worker: str, begin: int, end: int) -> bool:
        """Tell whether ``worker`` was replaced between two positions."""
        return any(begin <= at <= end and one.worker in {"", worker} for at, one in self.restarts)

    def seconds(self, begin: int, end: int, *workers: str) -> float:
        """Return the seconds from one position to another, without those that ``workers`` stood still."""
        since, until = self.events[begin].at, self.events[end].at
        return until - since - sum(self._stood(worker, since, until) for worker in {*workers})

    def taken_for_dead(self, ask: Ask, end: int, budget: Budget) -> bool:
        """Tell whether, before ``end``, the worker that asked was replaced, or stood still for too long."""
        worker, utterance = ask.event.worker, ask.utterance
        # It may have lost its lease before it came to ask.
        since = self.events[ask.asked if utterance is None else utterance.said].at
        # It renews its leases in time as long as it stands still for less than most of one.
        too_long = self._stood(worker, since, self.events[end].at) > budget.lease / 2
        return too_long or self.restarted(worker, ask.asked, end)

    def given_up(self, ask: Ask, said: int, end: int, budget: Budget) -> bool:
        """Tell whether the turn's time was over before the worker that asked could use its answer."""
        over = self.events[said].at + budget.turn
        if ask.told < 0 or self.events[end].at < over:
            return False
        told = self.events[ask.told].at
        return over - told - self._stood(ask.event.worker, told, over) < USING

    def _stood(self, worker: str, since: float, until: float) -> float:
        stalls = self._stalls[worker]
        first = bisect.bisect_right(stalls, since, key=lambda stall: stall.at)
        total = 0.0
        for stall in itertools.islice(stalls, first, None):
            total += max(0.0, min(stall.at, until) - max(stall.at - stall.seconds, since))
            if stall.at >= until:
                break
        return total

    def violation(  # noqa: PLR0913 - what a violation is
        self,
        kind: Kind,
        message: str,
        at: int,
        *,
        call: str = "",
        utterance: str = "",
        also: Sequence[int] = (),
    ) -> Violation:
        """Make a violation, with its story.

        Args:
            kind: what is wrong.
            message: in one sentence.
            at: the position of the event that it became wrong with.
            call: whose it is.
            utterance: what it is about.
            also: positions of further events that belong to it.
        """
        subject = {at, *also, *self._about(utterance, call, at)}
        chosen = {position for position in self._in_calls[call] if position <= at}
        story = told(self.events, chosen, subject=subject)
        return Violation(kind, message, self.events[at].at, call, utterance, story)

    def _about(self, mark: str, call: str, until: int) -> Iterator[int]:
        utterance = self.utterance(mark, call)
        if utterance is not None:
            yield utterance.said
            for ask in utterance.asks:
                yield from (position for position in (ask.asked, ask.told) if 0 <= position <= until)

    def _read(self, position: int, event: Event) -> None:
        match event:
            case Said(call=call, utterance=mark):
                utterance = Utterance(mark, call, position)
                self.utterances.append(utterance)
                self._said[mark].append(utterance)
                self.call(call).utterances.append(utterance)
                self._in_calls[call].append(position)
            case Sent(call=call):
                request = self.requests[event.request] = Request(event, position)
                self.call(call).requests.append(request)
                self._open[call] += 1
                self._in_calls[call].append(position)
            case Got():
                self._read_answer(position, event)
            case Asked() | Wrote() | Told():
                self._read_model(position, event)
            case Saved(call=call):
                self.call(call).saved.append((position, event))
                self._in_calls[call].append(position)
            case Reset(call=call):
                self.call(call).resets.append(position)
                self._in_calls[call].append(position)
            case Interrupted(call=call):
                self._read_interruption(position, event)
            case Faulted() | Restarted() | Stalled():
                self._read_excuse(position, event)
            case _:
                pass

    def _read_excuse(self, position: int, event: Faulted | Restarted | Stalled) -> None:
        match event:
            case Faulted(call=call):
                self._faults[call].append(position)
                self._in_calls[call].append(position)
            case Restarted():
                self.restarts.append((position, event))
            case Stalled(worker=worker):
                self._stalls[worker].append(event)

    def _read_model(self, position: int, event: Asked | Wrote | Told) -> None:
        match event:
            case Asked():
                self._read_question(position, event)
            case Wrote():
                self.asks[event.ask].written.append(event.text)
            case Told():
                self._read_outcome(position, event)

    def _read_answer(self, position: int, event: Got) -> None:
        request = self.requests[event.request]
        request.got, request.answer = position, event
        self._in_calls[request.event.call].append(position)
        self._open[request.event.call] -= 1
        for mark, ask in event.spoken:
            if (utterance := self.utterance(mark, request.event.call)) is not None:
                utterance.spoken.append((request, ask))
        for one in event.sentences:
            sentence = Sentence(*one)
            if (utterance := self.utterance(sentence.utterance, request.event.call)) is not None:
                utterance.sentences.append((request, sentence))

    def _read_interruption(self, position: int, event: Interrupted) -> None:
        self._in_calls[event.call].append(position)
        if (utterance := self.utterance(event.utterance, event.call)) is not None:
            utterance.interrupted = position

    def _read_question(self, position: int, event: Asked) -> None:
        utterance = self._meant(event.utterance)
        ask = self.asks[event.ask] = Ask(event, position, utterance)
        if utterance is None:
            self.unsaid.append(ask)
            return
        utterance.asks.append(ask)
        self.call(utterance.call).asks.append(ask)
        self._in_calls[utterance.call].append(position)

    def _meant(self, mark: str) -> Utterance | None:
        """Return what a question is about: of several who said the same, whoever waits for an answer."""
        said = self._said.get(mark, [])
        return next((one for one in reversed(said) if self._open[one.call]), said[-1] if said else None)

    def _read_outcome(self, position: int, event: Told) -> None:
        ask = self.asks[event.ask]
        ask.told, ask.outcome = position, event
        utterance = ask.utterance
        if utterance is not None:
            self._in_calls[utterance.call].append(position)


def _any_between(positions: Sequence[int], begin: int, end: int) -> bool:
    """Tell whether one of the positions, which are in order, is from ``begin`` to ``end``."""
    first = bisect_left(positions, begin)
    return first < len(positions) and positions[first] <= end
