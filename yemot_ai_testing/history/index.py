"""An index of a history by request, model call, utterance and call; built in one pass."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from yemot_ai_testing.history.correlation import SpokenSentence
from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    ConversationReset,
    EffectRecorded,
    FaultInjected,
    HistoryEvent,
    KeyPressed,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    ToolCalled,
    ToolReturned,
    WorkerRestarted,
)
from yemot_ai_testing.history.tool_runs import ToolRuns
from yemot_ai_testing.history.trace import event_lines
from yemot_ai_testing.history.views import CallView, ModelCallView, RequestView, Subject, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation, ViolationKind

__all__ = ["HistoryIndex"]

SPEAKING_SECONDS: Final = 1.0
"""Seconds for saving an answer and speaking it, on a machine that is not overloaded."""


class HistoryIndex:
    """The index of a history.

    Args:
        events: the events of the history.
    """

    def __init__(self, events: Sequence[HistoryEvent]) -> None:
        self.events = events
        self.requests: dict[int, RequestView] = {}
        self.model_calls: dict[str, ModelCallView] = {}
        self.utterances: list[UtteranceView] = []
        self.calls: dict[str, CallView] = {}
        self.unmatched_model_calls: list[ModelCallView] = []
        self.tools = ToolRuns()
        self._fault_indexes: dict[str, list[int]] = defaultdict(list)
        self.restarts: list[tuple[int, WorkerRestarted]] = []
        self._stalls: dict[str, list[ProcessStalled]] = defaultdict(list)
        self._utterances_by_id: dict[str, list[UtteranceView]] = defaultdict(list)
        self._open_requests: Counter[str] = Counter()
        self._call_indexes: dict[str, list[int]] = defaultdict(list)
        for position, event in enumerate(events):
            self._read_event(position, event)

    def call(self, name: str) -> CallView:
        """Return the view of a call."""
        return self.calls.setdefault(name, CallView(name))

    def utterance(self, utterance_id: str, call: str) -> UtteranceView | None:
        """Return the last utterance with that ID of ``call``, else of any call."""
        same_id = self._utterances_by_id.get(utterance_id, [])
        own = (utterance for utterance in reversed(same_id) if utterance.call == call)
        return next(own, same_id[-1] if same_id else None)

    def answered_utterance(self, utterance_id: str, model_call_id: str, call: str) -> UtteranceView | None:
        """Return the utterance that an answer in ``call`` is about.

        A caller may say the same twice: then the model call decides which of the two was answered.
        """
        asked = self.model_calls.get(model_call_id)
        if asked is not None and asked.utterance is not None and asked.subject == (call, utterance_id):
            return asked.utterance
        return self.utterance(utterance_id, call)

    def hangup_known_index(self, call: CallView) -> int | None:
        """Return the position after which every worker can know that ``call`` is over; None if not yet.

        During a store outage, a hang-up cannot be saved.
        """
        hangup = next(
            (request for request in call.requests if request.event.is_hangup and request.received_index >= 0),
            None,
        )
        if hangup is None or self.had_fault(call.name, hangup.sent_index, hangup.received_index):
            return None
        return hangup.received_index

    def ended_calls(self) -> Iterator[tuple[CallView, int]]:
        """Iterate over the calls that every worker knows to be over; see ``hangup_known_index``."""
        for call in self.calls.values():
            if (over := self.hangup_known_index(call)) is not None:
                yield call, over

    def settled_utterances(self) -> Iterator[tuple[UtteranceView, RequestView]]:
        """Iterate over the utterances without a fault, with the request that ended their answer."""
        for call in self.calls.values():
            for utterance in call.utterances:
                settled = self._final_request(utterance)
                if settled and not self.had_fault(call.name, utterance.spoken_index, settled.received_index):
                    yield utterance, settled

    def _final_request(self, utterance: UtteranceView) -> RequestView | None:
        """Return the request after which the line waited for the caller again, before any hang-up.

        A question for a key does not count, and none for digits after speech, or for speech after digits.
        """
        requests = self.call(utterance.call).requests
        hangup_index = next((request.sent_index for request in requests if request.event.is_hangup), None)
        for request in requests:
            if (
                request.sent_index < utterance.spoken_index
                or request.event.is_repeat
                or request.response is None
            ):
                continue
            if hangup_index is not None and hangup_index < request.received_index:
                return None
            if request.response.awaits_caller and _asks_the_same(utterance, request.response):
                return request
        return None

    def was_answered_by_keys(self, utterance: UtteranceView, end: int) -> bool:
        """Whether the caller answered another question between an utterance and ``end``.

        The application may have let the caller correct what was said; not if a key confirmed it.
        """
        call, since = self.call(utterance.call), utterance.spoken_index
        keys = [key for at, key in call.keys if since < at < end]
        spoke = any(
            since < other.spoken_index < end and other.asked_for != utterance.asked_for
            for other in call.utterances
        )
        return spoke or any(not key.confirms for key in keys)

    def open_requests_at(self, position: int) -> list[RequestView]:
        """Return the requests without a response at a position."""
        requests = self.requests.values()
        return [
            request
            for request in requests
            if request.sent_index < position and not 0 <= request.received_index < position
        ]

    def had_fault(self, call: str, begin: int, end: int) -> bool:
        """Whether a fault was injected into ``call`` between two positions."""
        return any(_any_between(self._fault_indexes[name], begin, end) for name in ("", call))

    def had_restart(self, worker: str, begin: int, end: int) -> bool:
        """Whether ``worker`` was replaced between two positions."""
        return any(begin <= at <= end and restart.worker in {"", worker} for at, restart in self.restarts)

    def seconds_between(self, begin: int, end: int, *workers: str) -> float:
        """Return the seconds between two positions, without those in which ``workers`` did not run."""
        since, until = self.events[begin].at, self.events[end].at
        return until - since - sum(self._stalled_seconds(worker, since, until) for worker in {*workers})

    def end_of(self, model_call: ModelCallView) -> int:
        """Return the position of the end of a model call; that of the last event if it still runs."""
        return model_call.ended_index if model_call.ended_index >= 0 else len(self.events) - 1

    def seconds_after(self, position: int, model_call: ModelCallView) -> float | None:
        """Return for how long a model call ran after ``position``.

        None if it did not, or if its worker was replaced.
        """
        end, worker = self.end_of(model_call), model_call.event.worker
        if end <= position or self.had_restart(worker, model_call.asked_index, len(self.events)):
            return None
        return self.seconds_between(position, end, worker)

    def presumed_dead(self, model_call: ModelCallView, end: int, budget: Budget) -> bool:
        """Whether, before ``end``, the worker that asked was replaced, or did not run for too long."""
        utterance = model_call.utterance
        # It may have lost its lease before it asked.
        since = model_call.asked_index if utterance is None else utterance.spoken_index
        worker = model_call.event.worker
        return self.stalled_too_long(worker, since, end, budget) or self.had_restart(
            worker, model_call.asked_index, end
        )

    def stalled_too_long(self, worker: str, begin: int, end: int, budget: Budget) -> bool:
        """Whether ``worker`` did not run for so long that it may have lost its leases."""
        stalled = self._stalled_seconds(worker, self.events[begin].at, self.events[end].at)
        return stalled > budget.lease / 2  # it renews them in time if it stalls for less

    def was_usable(
        self, model_call: ModelCallView, utterance: UtteranceView, end: int, budget: Budget
    ) -> bool:
        """Whether a model call had ended before ``end``, and the worker that asked could use its result."""
        if not 0 <= model_call.ended_index < end or self.presumed_dead(model_call, end, budget):
            return False
        turn_over = self.events[utterance.spoken_index].at + budget.turn
        ended_at = self.events[model_call.ended_index].at
        stalled = self._stalled_seconds(model_call.event.worker, ended_at, turn_over)
        return self.events[end].at < turn_over or turn_over - ended_at - stalled >= SPEAKING_SECONDS

    def _stalled_seconds(self, worker: str, since: float, until: float) -> float:
        stalls = self._stalls[worker]
        first = bisect_right(stalls, since, key=lambda stall: stall.at)
        total = 0.0
        for stall in itertools.islice(stalls, first, None):
            total += max(0.0, min(stall.at, until) - max(stall.at - stall.seconds, since))
            if stall.at >= until:
                break
        return total

    def violation(
        self, kind: ViolationKind, message: str, at: int, subject: Subject = ("", ""), *related: int
    ) -> Violation:
        """Return a violation with its trace.

        Args:
            kind: its kind.
            message: one sentence.
            at: the position of the event that violates the rule.
            subject: what it is about.
            related: positions of further events of the trace.
        """
        call, utterance_id = subject
        required = {at, *related, *self._utterance_indexes(utterance_id, call, at)}
        indexes = {position for position in self._call_indexes[call] if position <= at}
        trace = event_lines(self.events, indexes, required=required)
        return Violation(kind, message, self.events[at].at, call, utterance_id, trace)

    def _utterance_indexes(self, utterance_id: str, call: str, until: int) -> Iterator[int]:
        utterance = self.utterance(utterance_id, call)
        if utterance is not None:
            yield utterance.spoken_index
            for model_call in utterance.model_calls:
                yield from (
                    position
                    for position in (model_call.asked_index, model_call.ended_index)
                    if 0 <= position <= until
                )

    def _read_event(self, position: int, event: HistoryEvent) -> None:  # noqa: C901, PLR0912 - one case an event
        call: str | None = None
        match event:
            case CallerSpoke(call=call, utterance_id=utterance_id, typed=typed):
                utterance = UtteranceView(
                    utterance_id, call, position, typed=typed, asked_for=self.call(call).asked_for
                )
                self.utterances.append(utterance)
                self._utterances_by_id[utterance_id].append(utterance)
                self.call(call).utterances.append(utterance)
            case RequestSent(call=call):
                request = self.requests[event.request_id] = RequestView(event, position)
                self.call(call).requests.append(request)
                self._open_requests[call] += 1
            case ResponseReceived():
                call = self._read_response(position, event)
            case ModelAsked():
                call = self._read_model_asked(position, event)
            case ModelWrote():
                self.model_calls[event.model_call_id].pieces.append(event.text)
            case ModelAnswered():
                model_call = self.model_calls[event.model_call_id]
                model_call.ended_index, model_call.result = position, event
                self.tools.read_model_call(model_call)
                call = model_call.utterance.call if model_call.utterance else None
            case SessionSaved(call=call):
                self.call(call).saves.append((position, event))
            case ConversationReset(call=call):
                self.call(call).resets.append(position)
            case EffectRecorded(call=call):
                self.call(call).effects.append((position, event))
            case ToolCalled(call=call):
                self.tools.read_called(position, event, self.call(call))
            case ToolReturned():
                call = self.tools.read_returned(position, event)
            case KeyPressed(call=call):
                self.call(call).keys.append((position, event))
            case CallerInterrupted(call=call):
                if (interrupted := self.utterance(event.utterance_id, call)) is not None:
                    interrupted.interrupted_index = position
            case FaultInjected(call=call):
                self._fault_indexes[call].append(position)
            case WorkerRestarted():
                self.restarts.append((position, event))
            case ProcessStalled(worker=worker):
                self._stalls[worker].append(event)
            case _:
                pass
        if call is not None:
            self._call_indexes[call].append(position)

    def _read_response(self, position: int, event: ResponseReceived) -> str:
        """Read a response and return its call."""
        request = self.requests[event.request_id]
        call = request.event.call
        request.received_index, request.response = position, event
        if event.awaits_caller and not request.event.is_repeat:
            self.call(call).asked_for = event.asked_for
        self._open_requests[call] -= 1
        for utterance_id, model_call_id in event.spoken_answers:
            if (utterance := self.answered_utterance(utterance_id, model_call_id, call)) is not None:
                utterance.spoken_answers.append((request, model_call_id))
        for fields in event.spoken_sentences:
            sentence = SpokenSentence(*fields)
            if (utterance := self.utterance(sentence.utterance_id, call)) is not None:
                utterance.spoken_sentences.append((request, sentence))
        return call

    def _read_model_asked(self, position: int, event: ModelAsked) -> str | None:
        """Read a model call and return its call; None if no caller has said its prompt."""
        utterance = self._utterance_of(event.utterance_id)
        model_call = self.model_calls[event.model_call_id] = ModelCallView(event, position, utterance)
        if utterance is None:
            self.unmatched_model_calls.append(model_call)
            return None
        utterance.model_calls.append(model_call)
        self.call(utterance.call).model_calls.append(model_call)
        return utterance.call

    def _utterance_of(self, utterance_id: str) -> UtteranceView | None:
        """Return the utterance with that ID; of several, one whose call has an open request."""
        same_id = self._utterances_by_id.get(utterance_id, [])
        waiting = (utterance for utterance in reversed(same_id) if self._open_requests[utterance.call])
        return next(waiting, same_id[-1] if same_id else None)


def _asks_the_same(utterance: UtteranceView, response: ResponseReceived) -> bool:
    """Whether a response asks again for what the utterance was an answer to; or the call has left."""
    return response.asked_for in {"", utterance.asked_for} or (
        not utterance.asked_for and response.asked_for != "key"
    )


def _any_between(positions: Sequence[int], begin: int, end: int) -> bool:
    """Whether one of the sorted positions is from ``begin`` to ``end``."""
    first = bisect_left(positions, begin)
    return first < len(positions) and positions[first] <= end
