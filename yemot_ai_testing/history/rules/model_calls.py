"""Rules about the model: asked once, in the right conversation, with all that was said before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from yemot_ai_testing.history.index import CallView, HistoryIndex, ModelCallView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = [
    "asked_at_most_once",
    "conversation_is_remembered",
    "no_unspoken_prompts",
    "sessions_are_isolated",
    "single_writer",
]


def no_unspoken_prompts(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Nobody asks the model what no caller has said: a poll, a key of the menu, nothing."""
    for ask in index.unmatched_model_calls:
        message = f"the model was asked {ask.event.prompt[:60]!r}, which nobody has said"
        # Nothing in the question tells whose it is; the requests that were being answered may.
        open_ones = index.open_requests_at(ask.asked_index)
        calls = {one.event.call for one in open_ones}
        yield index.violation(
            "asked_unsaid",
            message,
            ask.asked_index,
            call=calls.pop() if len(calls) == 1 else "",
            related=[one.sent_index for one in open_ones],
        )


def asked_at_most_once(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model is asked once for an utterance; again only where there is no answer and none will come."""
    for utterance in index.utterances:
        for number, ask in enumerate(utterance.model_calls):
            prior = next(
                (
                    old
                    for old in utterance.model_calls[:number]
                    if _forbids_retry(index, utterance, old, ask, budget)
                ),
                None,
            )
            if prior is not None:
                how = "had answered" if prior.ended_index >= 0 else "was still thinking"
                message = f"the model was asked {utterance.utterance_id} again, though it {how}"
                yield _asked_twice(index, utterance, ask, message)
                break
            tries = sum(
                not index.presumed_dead(old, ask.asked_index, budget)
                for old in utterance.model_calls[:number]
            )
            if tries >= budget.tries:
                message = f"the model was asked {utterance.utterance_id} {tries + 1} times"
                yield _asked_twice(index, utterance, ask, message)
                break


def _asked_twice(
    index: HistoryIndex, utterance: UtteranceView, ask: ModelCallView, message: str
) -> Violation:
    return index.violation(
        "asked_twice", message, ask.asked_index, call=utterance.call, utterance=utterance.utterance_id
    )


def _forbids_retry(
    index: HistoryIndex, utterance: UtteranceView, prior: ModelCallView, ask: ModelCallView, budget: Budget
) -> bool:
    """Tell whether ``prior`` forbids ``ask``: it has an answer, or may still get one."""
    if index.presumed_dead(ask, prior.asked_index, budget):
        return False  # it does not know yet that the turn is not its own any more
    heard = any(
        said == prior.event.model_call_id and request.received_index < ask.asked_index
        for request, said in utterance.spoken_answers
    )
    if prior.ended_index >= 0 and prior.ended_index < ask.asked_index and not prior.answered:
        return heard  # sentences of it: an answer that has begun is not begun anew
    # What a worker knew that nobody has heard and that it did not get to write down is lost with it.
    return heard or not index.presumed_dead(prior, ask.asked_index, budget)


def conversation_is_remembered(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Whoever is asked knows all that the caller has heard answered in this call."""
    memory: dict[str, set[str]] = defaultdict(set)
    owners = _conversation_owners(index)
    for ask in index.model_calls.values():
        known = memory[ask.event.session] if ask.event.session else set()
        known = known | set(ask.event.prior_utterance_ids)
        if ask.answered and ask.result is not None:
            memory[ask.result.session] |= known | {ask.event.utterance_id}
        utterance = ask.utterance
        if utterance is None or owners[ask.event.model_call_id] != utterance.call:
            continue
        call = index.call(utterance.call)
        missing = [old for old in _heard_before(call, utterance, ask) if old.utterance_id not in known]
        if missing:
            message = f"when it was asked {utterance.utterance_id}, the model did not know of {missing[0].utterance_id}"
            yield index.violation(
                "forgot",
                message,
                ask.asked_index,
                call=call.name,
                utterance=utterance.utterance_id,
                related=[missing[0].spoken_index],
            )


def _heard_before(call: CallView, utterance: UtteranceView, ask: ModelCallView) -> Iterator[UtteranceView]:
    """Iterate over what the model has answered, and the caller has heard, since the call began anew."""
    since = max((at for at in call.resets if at < ask.asked_index), default=-1)
    for old in call.utterances:
        if old is not utterance and since < old.spoken_index < utterance.spoken_index:
            asked = any(one.answered and one.ended_index < ask.asked_index for one in old.model_calls)
            heard = any(0 <= request.received_index < ask.asked_index for request, _ in old.spoken_answers)
            begun = any(0 <= request.received_index < ask.asked_index for request, _ in old.spoken_sentences)
            if begun or (asked and heard):  # what was heard of one that broke off counts
                yield old


def _conversation_owners(index: HistoryIndex) -> dict[str, str]:
    """Return, for each question, the call whose conversation it goes on with: its own, if nobody else's."""
    of_session: dict[str, str] = {}
    owners = {}
    for ask in index.model_calls.values():
        utterance = ask.utterance
        if utterance is not None:
            owners[ask.event.model_call_id] = of_session.get(ask.event.session, utterance.call)
            if ask.result is not None and ask.result.session:
                of_session.setdefault(ask.result.session, owners[ask.event.model_call_id])
    return owners


def sessions_are_isolated(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """No call is answered in the conversation of another."""
    for name, owner in _conversation_owners(index).items():
        ask = index.model_calls[name]
        utterance = ask.utterance
        if utterance is not None and owner != utterance.call:
            message = f"{utterance.call} was answered in {ask.event.session}, the conversation of {owner}"
            begun = _first_model_call(index, ask.event.session)
            yield index.violation(
                "crossed_sessions",
                message,
                ask.asked_index,
                call=utterance.call,
                utterance=utterance.utterance_id,
                related=[begun.asked_index, begun.ended_index] if begun else (),
            )


def _first_model_call(index: HistoryIndex, session: str) -> ModelCallView | None:
    """Return the question that a conversation began with."""
    return next(
        (one for one in index.model_calls.values() if one.result and one.result.session == session), None
    )


def single_writer(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """Nobody asks in a call while another question of it runs, or stores over what somebody stored."""
    for call in index.calls.values():
        yield from _concurrent_model_calls(index, call, budget)
        yield from _conflicting_saves(index, call)


def _concurrent_model_calls(index: HistoryIndex, call: CallView, budget: Budget) -> Iterator[Violation]:
    for number, ask in enumerate(call.model_calls):
        for prior in call.model_calls[:number]:
            same = prior.event.utterance_id == ask.event.utterance_id
            if same or not prior.is_running_at(ask.asked_index):
                continue
            if index.presumed_dead(prior, ask.asked_index, budget):
                continue
            if index.presumed_dead(ask, prior.asked_index, budget):
                continue
            message = (
                f"the model was asked {ask.event.utterance_id} while {prior.event.utterance_id} still ran"
            )
            yield index.violation(
                "two_writers",
                message,
                ask.asked_index,
                call=call.name,
                utterance=ask.event.utterance_id,
                related=[prior.asked_index],
            )
            return


def _conflicting_saves(index: HistoryIndex, call: CallView) -> Iterator[Violation]:
    bases: dict[int, int] = {}
    for position, saved in call.saves:
        if saved.base_version == 0:  # a session that begins anew counts anew
            bases.clear()
        elif saved.base_version in bases:
            message = f"two versions of {call.name} were made from version {saved.base_version}: one is lost"
            yield index.violation(
                "two_writers", message, position, call=call.name, related=[bases[saved.base_version]]
            )
            return
        bases[saved.base_version] = position
