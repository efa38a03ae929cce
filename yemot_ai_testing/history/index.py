"""A history looked up: what belongs to a request, a question, an utterance, a call; read once, in order."""

from __future__ import annotations

import bisect
import itertools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from yemot_ai_testing.history.correlation import SpokenSentence
from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    ConversationReset,
    FaultInjected,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    WorkerRestarted,
)
from yemot_ai_testing.history.trace import event_lines
from yemot_ai_testing.history.violation import Budget, Violation, ViolationKind

__all__ = ["CallView", "HistoryIndex", "ModelCallView", "RequestView", "UtteranceView"]

SPEAKING_SECONDS: Final = 1.0
"""Seconds that it may take to write an answer down, and to speak it, on a machine that has time for it."""


@dataclass(slots=True)
class RequestView:
    """A request; ``sent_index`` and ``received_index`` are positions in the history, -1 where there is none."""

    event: RequestSent
    sent_index: int
    received_index: int = -1
    response: ResponseReceived | None = None


@dataclass(slots=True)
class ModelCallView:
    """A question to the model, likewise."""

    event: ModelAsked
    asked_index: int
    utterance: UtteranceView | None = None
    ended_index: int = -1
    result: ModelAnswered | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Whether there is an answer."""
        return self.result is not None and not self.result.error

    def is_running_at(self, position: int) -> bool:
        """Whether nothing had come of it by then."""
        return self.asked_index < position and not 0 <= self.ended_index < position


@dataclass(slots=True)
class UtteranceView:
    """What was said, and what came of it."""

    utterance_id: str
    call: str
    spoken_index: int
    model_calls: list[ModelCallView] = field(default_factory=list)
    spoken_answers: list[tuple[RequestView, str]] = field(default_factory=list)
    spoken_sentences: list[tuple[RequestView, SpokenSentence]] = field(default_factory=list)
    interrupted_index: int = -1


@dataclass(slots=True)
class CallView:
    """A call."""

    name: str
    utterances: list[UtteranceView] = field(default_factory=list)
    requests: list[RequestView] = field(default_factory=list)
    model_calls: list[ModelCallView] = field(default_factory=list)
    saves: list[tuple[int, SessionSaved]] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)


class HistoryIndex:
    """A history looked up.

    Args:
        events: the history.
    """

    def __init__(self, events: Sequence[HistoryEvent]) -> None:
        self.events = events
        self.requests: dict[int, RequestView] = {}
        self.model_calls: dict[str, ModelCallView] = {}
        self.utterances: list[UtteranceView] = []
        self.calls: dict[str, CallView] = {}
        self.unmatched_model_calls: list[ModelCallView] = []
        self._fault_indexes: dict[str, list[int]] = defaultdict(list)
        self.restarts: list[tuple[int, WorkerRestarted]] = []
        self._stalls: dict[str, list[ProcessStalled]] = defaultdict(list)
        self._utterances_by_id: dict[str, list[UtteranceView]] = defaultdict(list)
        self._open_requests: Counter[str] = Counter()
        self._call_indexes: dict[str, list[int]] = defaultdict(list)
        for position, event in enumerate(events):
            self._read(position, event)

    def call(self, name: str) -> CallView:
        """Return a call's view."""
        return self.calls.setdefault(name, CallView(name))

    def utterance(self, utterance_id: str, call: str) -> UtteranceView | None:
        """Return what was said: by ``call``, if it has said that; else by whoever has said it last."""
        said = self._utterances_by_id.get(utterance_id, [])
        return next((one for one in reversed(said) if one.call == call), said[-1] if said else None)

    def hangup_known_index(self, call: CallView) -> int | None:
        """Return the position from which on everybody knows that ``call`` is over; None if not yet.

        While the store is away, a hang-up cannot be written down.
        """
        goodbye = next(
            (one for one in call.requests if one.event.is_hangup and one.received_index >= 0), None
        )
        if goodbye is None or self.had_fault(call.name, goodbye.sent_index, goodbye.received_index):
            return None
        return goodbye.received_index

    def final_request(self, utterance: UtteranceView) -> RequestView | None:
        """Return the request after which the line waited for the caller again, who was still there."""
        requests = self.call(utterance.call).requests
        gone = next((one.sent_index for one in requests if one.event.is_hangup), None)
        for request in requests:
            if (
                request.sent_index < utterance.spoken_index
                or request.event.is_repeat
                or request.response is None
            ):
                continue
            if gone is not None and gone < request.received_index:
                return None
            if request.response.awaits_caller:
                return request
        return None

    def open_requests_at(self, position: int) -> list[RequestView]:
        """Return the requests that were being answered at a position."""
        requests = self.requests.values()
        return [
            one for one in requests if one.sent_index < position and not 0 <= one.received_index < position
        ]

    def had_fault(self, call: str, begin: int, end: int) -> bool:
        """Tell whether a fault was put into ``call`` between two positions."""
        return any(_any_between(self._fault_indexes[name], begin, end) for name in ("", call))

    def had_restart(self, worker: str, begin: int, end: int) -> bool:
        """Tell whether ``worker`` was replaced between two positions."""
        return any(begin <= at <= end and one.worker in {"", worker} for at, one in self.restarts)

    def seconds_between(self, begin: int, end: int, *workers: str) -> float:
        """Return the seconds from one position to another, without those that ``workers`` stood still."""
        since, until = self.events[begin].at, self.events[end].at
        return until - since - sum(self._stalled_seconds(worker, since, until) for worker in {*workers})

    def presumed_dead(self, ask: ModelCallView, end: int, budget: Budget) -> bool:
        """Tell whether, before ``end``, the worker that asked was replaced, or stood still for too long."""
        worker, utterance = ask.event.worker, ask.utterance
        # It may have lost its lease before it came to ask.
        since = self.events[ask.asked_index if utterance is None else utterance.spoken_index].at
        # It renews its leases in time as long as it stands still for less than most of one.
        too_long = self._stalled_seconds(worker, since, self.events[end].at) > budget.lease / 2
        return too_long or self.had_restart(worker, ask.asked_index, end)

    def was_given_up(self, ask: ModelCallView, spoken_index: int, end: int, budget: Budget) -> bool:
        """Tell whether the turn's time was over before the worker that asked could use its answer."""
        over = self.events[spoken_index].at + budget.turn
        if ask.ended_index < 0 or self.events[end].at < over:
            return False
        told = self.events[ask.ended_index].at
        return over - told - self._stalled_seconds(ask.event.worker, told, over) < SPEAKING_SECONDS

    def _stalled_seconds(self, worker: str, since: float, until: float) -> float:
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
        kind: ViolationKind,
        message: str,
        at: int,
        *,
        call: str = "",
        utterance: str = "",
        related: Sequence[int] = (),
    ) -> Violation:
        """Make a violation, with its story.

        Args:
            kind: what is wrong.
            message: in one sentence.
            at: the position of the event that it became wrong with.
            call: whose it is.
            utterance: what it is about.
            related: positions of further events that belong to it.
        """
        subject = {at, *related, *self._utterance_indexes(utterance, call, at)}
        chosen = {position for position in self._call_indexes[call] if position <= at}
        story = event_lines(self.events, chosen, required=subject)
        return Violation(kind, message, self.events[at].at, call, utterance, story)

    def _utterance_indexes(self, utterance_id: str, call: str, until: int) -> Iterator[int]:
        utterance = self.utterance(utterance_id, call)
        if utterance is not None:
            yield utterance.spoken_index
            for ask in utterance.model_calls:
                yield from (
                    position for position in (ask.asked_index, ask.ended_index) if 0 <= position <= until
                )

    def _read(self, position: int, event: HistoryEvent) -> None:
        match event:
            case CallerSpoke(call=call, utterance_id=mark):
                utterance = UtteranceView(mark, call, position)
                self.utterances.append(utterance)
                self._utterances_by_id[mark].append(utterance)
                self.call(call).utterances.append(utterance)
                self._call_indexes[call].append(position)
            case RequestSent(call=call):
                request = self.requests[event.request_id] = RequestView(event, position)
                self.call(call).requests.append(request)
                self._open_requests[call] += 1
                self._call_indexes[call].append(position)
            case ResponseReceived():
                self._read_answer(position, event)
            case ModelAsked() | ModelWrote() | ModelAnswered():
                self._read_model(position, event)
            case SessionSaved(call=call):
                self.call(call).saves.append((position, event))
                self._call_indexes[call].append(position)
            case ConversationReset(call=call):
                self.call(call).resets.append(position)
                self._call_indexes[call].append(position)
            case CallerInterrupted(call=call):
                self._read_interruption(position, event)
            case FaultInjected() | WorkerRestarted() | ProcessStalled():
                self._read_excuse(position, event)
            case _:
                pass

    def _read_excuse(self, position: int, event: FaultInjected | WorkerRestarted | ProcessStalled) -> None:
        match event:
            case FaultInjected(call=call):
                self._fault_indexes[call].append(position)
                self._call_indexes[call].append(position)
            case WorkerRestarted():
                self.restarts.append((position, event))
            case ProcessStalled(worker=worker):
                self._stalls[worker].append(event)

    def _read_model(self, position: int, event: ModelAsked | ModelWrote | ModelAnswered) -> None:
        match event:
            case ModelAsked():
                self._read_question(position, event)
            case ModelWrote():
                self.model_calls[event.model_call_id].pieces.append(event.text)
            case ModelAnswered():
                self._read_outcome(position, event)

    def _read_answer(self, position: int, event: ResponseReceived) -> None:
        request = self.requests[event.request_id]
        request.received_index, request.response = position, event
        self._call_indexes[request.event.call].append(position)
        self._open_requests[request.event.call] -= 1
        for mark, ask in event.spoken_answers:
            if (utterance := self.utterance(mark, request.event.call)) is not None:
                utterance.spoken_answers.append((request, ask))
        for one in event.spoken_sentences:
            sentence = SpokenSentence(*one)
            if (utterance := self.utterance(sentence.utterance_id, request.event.call)) is not None:
                utterance.spoken_sentences.append((request, sentence))

    def _read_interruption(self, position: int, event: CallerInterrupted) -> None:
        self._call_indexes[event.call].append(position)
        if (utterance := self.utterance(event.utterance_id, event.call)) is not None:
            utterance.interrupted_index = position

    def _read_question(self, position: int, event: ModelAsked) -> None:
        utterance = self._utterance_of(event.utterance_id)
        ask = self.model_calls[event.model_call_id] = ModelCallView(event, position, utterance)
        if utterance is None:
            self.unmatched_model_calls.append(ask)
            return
        utterance.model_calls.append(ask)
        self.call(utterance.call).model_calls.append(ask)
        self._call_indexes[utterance.call].append(position)

    def _utterance_of(self, utterance_id: str) -> UtteranceView | None:
        """Return what a question is about: of several who said the same, whoever waits for an answer."""
        said = self._utterances_by_id.get(utterance_id, [])
        return next(
            (one for one in reversed(said) if self._open_requests[one.call]), said[-1] if said else None
        )

    def _read_outcome(self, position: int, event: ModelAnswered) -> None:
        ask = self.model_calls[event.model_call_id]
        ask.ended_index, ask.result = position, event
        utterance = ask.utterance
        if utterance is not None:
            self._call_indexes[utterance.call].append(position)


def _any_between(positions: Sequence[int], begin: int, end: int) -> bool:
    """Tell whether one of the positions, which are in order, is from ``begin`` to ``end``."""
    first = bisect_left(positions, begin)
    return first < len(positions) and positions[first] <= end
