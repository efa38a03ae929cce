"""Rules about model calls: once an utterance, in the right conversation, with everything said before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from yemot_ai.protocol.request import KEYS_PREFIX
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import CallView, ModelCallView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = [
    "asked_at_most_once",
    "asked_in_time",
    "conversation_is_remembered",
    "no_unspoken_prompts",
    "sessions_are_isolated",
    "single_writer",
    "transient_failures_are_retried",
]

TRANSIENT_ERRORS = frozenset({"overloaded", "crashed"})
"""Failures of a model that may pass at once; a service that counts requests asks for a wait instead."""


def no_unspoken_prompts(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """The model is only asked what a caller has said, and not about polls, menu keys or empty input."""
    for model_call in index.unmatched_model_calls:
        message = f"the model was asked {model_call.event.prompt[:60]!r}, which no caller has said"
        # The prompt does not say which call it belongs to; the open requests may.
        open_requests = index.open_requests_at(model_call.asked_index)
        calls = {request.event.call for request in open_requests}
        call = calls.pop() if len(calls) == 1 else ""
        related = [request.sent_index for request in open_requests]
        yield index.violation("asked_unsaid", message, model_call.asked_index, (call, ""), *related)
    for model_call in index.model_calls.values():
        if model_call.utterance is not None and KEYS_PREFIX in model_call.event.prompt:
            message = (
                f"the model was asked {model_call.event.prompt[:60]!r}: {KEYS_PREFIX} is how the line marks "
                f"keys, and {model_call.subject[0]} has pressed {model_call.event.utterance_id}"
            )
            yield index.violation("asked_unsaid", message, model_call.asked_index, model_call.subject)


def asked_in_time(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model is asked soon after a caller has spoken, also while it answers other callers."""
    for utterance in index.utterances:
        if not utterance.model_calls:
            continue
        first = utterance.model_calls[0]
        sent = _last_request(index, utterance, first)
        if sent is None:
            continue
        seconds = index.seconds_between(sent, first.asked_index, "", first.event.worker)
        excused = index.had_fault(utterance.call, sent, first.asked_index) or any(
            sent <= at <= first.asked_index for at, _ in index.restarts
        )
        if seconds > budget.asking and not excused:
            asked = f"the model was asked {utterance.utterance_id}"
            message = f"{asked} only {seconds:g} s after {utterance.call} had said it"
            others = [
                other.asked_index
                for other in index.model_calls.values()
                if other.subject[0] != utterance.call and sent <= other.ended_index <= first.asked_index
            ]
            yield index.violation("kept_waiting", message, first.asked_index, utterance.subject, *others[-3:])


def _last_request(index: HistoryIndex, utterance: UtteranceView, asked: ModelCallView) -> int | None:
    """Return the position of the request that carries an utterance, or the key that confirmed it."""
    call = index.call(utterance.call)
    keys = (at for at, _ in call.keys if at < asked.asked_index)
    since = max(utterance.spoken_index, max(keys, default=-1))
    positions = (one.sent_index for one in call.requests if not one.event.is_repeat)
    return next((at for at in positions if at > since), None)


def transient_failures_are_retried(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """After a transient failure the model is asked again ``budget.retries`` times before an apology."""
    for utterance, settled in index.settled_utterances():
        end = settled.received_index
        asked = _newest_tries(utterance, end)
        errors = [model_call.result.error for model_call in asked if model_call.result is not None]
        transient = len(errors) == len(asked) and TRANSIENT_ERRORS.issuperset(errors)
        if asked and transient and len(asked) <= budget.retries:
            message = (
                f"the model failed with {errors[-1]} when it was asked {utterance.utterance_id}, and "
                f"{utterance.call} heard no answer: {len(asked)} of {budget.retries + 1} tries were made"
            )
            yield index.violation("gave_up", message, end, utterance.subject, settled.sent_index)


def _newest_tries(utterance: UtteranceView, end: int) -> list[ModelCallView]:
    """Return the model calls before ``end`` with the same results of tools as the last of them."""
    asked = [model_call for model_call in utterance.model_calls if model_call.asked_index < end]
    return [model_call for model_call in asked if model_call.result_ids == asked[-1].result_ids]


def asked_at_most_once(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model is asked once for an utterance; again only if there is no answer and none will come.

    After it has called tools it is asked again with their results.
    """
    for utterance in index.utterances:
        for number, model_call in enumerate(utterance.model_calls):
            earlier, at = utterance.model_calls[:number], model_call.asked_index
            forbidding = (old for old in earlier if _forbids_retry(index, utterance, old, model_call, budget))
            tries = sum(
                not index.presumed_dead(old, at, budget)
                for old in earlier
                if old.result_ids == model_call.result_ids
            )
            if (prior := next(forbidding, None)) is not None:
                how = "had answered" if prior.ended_index >= 0 else "was still running"
                message = f"the model was asked {utterance.utterance_id} again, though it {how}"
            elif tries >= budget.tries:
                message = f"the model was asked {utterance.utterance_id} {tries + 1} times"
            else:
                continue
            yield index.violation("asked_twice", message, at, utterance.subject)
            break


def _forbids_retry(
    index: HistoryIndex,
    utterance: UtteranceView,
    prior: ModelCallView,
    model_call: ModelCallView,
    budget: Budget,
) -> bool:
    """Whether ``prior`` forbids another model call: it has an answer, or may still get one."""
    if model_call.continues(prior):
        return False
    if index.presumed_dead(model_call, prior.asked_index, budget):
        return False  # it does not know yet that it has lost the turn
    heard = any(
        call_id == prior.event.model_call_id and request.received_index < model_call.asked_index
        for request, call_id in utterance.spoken_answers
    )
    if prior.ended_index >= 0 and prior.ended_index < model_call.asked_index and not prior.completed:
        return heard  # an answer of which sentences were heard must not be started again
    # An answer that was neither heard nor saved is lost with its worker.
    return heard or not index.presumed_dead(prior, model_call.asked_index, budget)


def conversation_is_remembered(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """The model knows all answers that the caller has heard in this call."""
    memory: dict[str, set[str]] = defaultdict(set)
    owners = _conversation_owners(index)
    for model_call in index.model_calls.values():
        remembered = memory[model_call.event.session] if model_call.event.session else set()
        remembered = remembered | set(model_call.event.prior_utterance_ids)
        if model_call.answered and model_call.result is not None:
            memory[model_call.result.session] |= remembered | {model_call.event.utterance_id}
        utterance = model_call.utterance
        if utterance is None or owners[model_call.event.model_call_id] != utterance.call:
            continue
        call = index.call(utterance.call)
        missing = [
            old for old in _heard_before(call, utterance, model_call) if old.utterance_id not in remembered
        ]
        if missing:
            at, forgotten = model_call.asked_index, missing[0]
            message = (
                f"when it was asked {utterance.utterance_id}, the model did not know of "
                f"{forgotten.utterance_id}"
            )
            yield index.violation("forgot", message, at, utterance.subject, forgotten.spoken_index)


def _heard_before(
    call: CallView, utterance: UtteranceView, model_call: ModelCallView
) -> Iterator[UtteranceView]:
    """Iterate over the utterances since the last reset whose answers the caller has heard."""
    since = max((at for at in call.resets if at < model_call.asked_index), default=-1)
    for old in call.utterances:
        if old is not utterance and since < old.spoken_index < utterance.spoken_index:
            answered = any(
                prior.answered and prior.ended_index < model_call.asked_index for prior in old.model_calls
            )
            heard = any(
                0 <= request.received_index < model_call.asked_index for request, _ in old.spoken_answers
            )
            partly_heard = any(
                0 <= request.received_index < model_call.asked_index for request, _ in old.spoken_sentences
            )
            if partly_heard or (answered and heard):  # a part of an incomplete answer counts
                yield old


def _conversation_owners(index: HistoryIndex) -> dict[str, str]:
    """Return, for each model call, the call that owns its conversation: the first one that used it."""
    owner_of_session: dict[str, str] = {}
    owners = {}
    for model_call in index.model_calls.values():
        utterance = model_call.utterance
        if utterance is not None:
            owners[model_call.event.model_call_id] = owner_of_session.get(
                model_call.event.session, utterance.call
            )
            if model_call.result is not None and model_call.result.session:
                owner_of_session.setdefault(model_call.result.session, owners[model_call.event.model_call_id])
    return owners


def sessions_are_isolated(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """No call is answered in the conversation of another."""
    for name, owner in _conversation_owners(index).items():
        model_call = index.model_calls[name]
        utterance = model_call.utterance
        if utterance is not None and owner != utterance.call:
            message = (
                f"{utterance.call} was answered in {model_call.event.session}, the conversation of {owner}"
            )
            first = _first_model_call(index, model_call.event.session)
            at, related = model_call.asked_index, (first.asked_index, first.ended_index) if first else ()
            yield index.violation("crossed_sessions", message, at, utterance.subject, *related)


def _first_model_call(index: HistoryIndex, session: str) -> ModelCallView | None:
    """Return the first model call of a conversation."""
    return next(
        (call for call in index.model_calls.values() if call.result and call.result.session == session), None
    )


def single_writer(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """A call has no concurrent model calls, and no save overwrites another."""
    for call in index.calls.values():
        yield from _concurrent_model_calls(index, call, budget)
        yield from _conflicting_saves(index, call)


def _concurrent_model_calls(index: HistoryIndex, call: CallView, budget: Budget) -> Iterator[Violation]:
    for number, model_call in enumerate(call.model_calls):
        for prior in call.model_calls[:number]:
            same = prior.event.utterance_id == model_call.event.utterance_id
            if same or not prior.is_running_at(model_call.asked_index):
                continue
            at = model_call.asked_index
            if index.presumed_dead(prior, at, budget):
                continue
            if index.presumed_dead(model_call, prior.asked_index, budget):
                continue
            asked, running = model_call.event.utterance_id, prior.event.utterance_id
            message = f"the model was asked {asked} while {running} was still running"
            yield index.violation("two_writers", message, at, model_call.subject, prior.asked_index)
            return


def _conflicting_saves(index: HistoryIndex, call: CallView) -> Iterator[Violation]:
    bases: dict[int, int] = {}
    for position, saved in call.saves:
        if saved.base_version == 0:  # a new session starts with version 0
            bases.clear()
        elif saved.base_version in bases:
            message = f"two versions of {call.name} were made from version {saved.base_version}: one is lost"
            yield index.violation("two_writers", message, position, call.subject, bases[saved.base_version])
            return
        bases[saved.base_version] = position
