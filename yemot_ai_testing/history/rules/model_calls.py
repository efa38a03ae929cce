"""Rules about the model: asked once, in the right conversation, with all that was said before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from yemot_ai_testing.history.index import Ask, CallView, Index, Utterance
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["asked_once", "asked_what_was_said", "remembered", "sessions_kept_apart", "written_by_one"]


def asked_what_was_said(index: Index, _budget: Budget) -> Iterator[Violation]:
    """Nobody asks the model what no caller has said: a poll, a key of the menu, nothing."""
    for ask in index.unsaid:
        message = f"the model was asked {ask.event.prompt[:60]!r}, which nobody has said"
        # Nothing in the question tells whose it is; the requests that were being answered may.
        open_ones = index.open_at(ask.asked)
        calls = {one.event.call for one in open_ones}
        yield index.violation(
            "asked_unsaid",
            message,
            ask.asked,
            call=calls.pop() if len(calls) == 1 else "",
            also=[one.sent for one in open_ones],
        )


def asked_once(index: Index, budget: Budget) -> Iterator[Violation]:
    """The model is asked once for an utterance; again only where there is no answer and none will come."""
    for utterance in index.utterances:
        for number, ask in enumerate(utterance.asks):
            prior = next(
                (old for old in utterance.asks[:number] if _stands(index, utterance, old, ask, budget)), None
            )
            if prior is not None:
                how = "had answered" if prior.told >= 0 else "was still thinking"
                message = f"the model was asked {utterance.mark} again, though it {how}"
                yield _twice(index, utterance, ask, message)
                break
            tries = sum(not index.taken_for_dead(old, ask.asked, budget) for old in utterance.asks[:number])
            if tries >= budget.tries:
                message = f"the model was asked {utterance.mark} {tries + 1} times"
                yield _twice(index, utterance, ask, message)
                break


def _twice(index: Index, utterance: Utterance, ask: Ask, message: str) -> Violation:
    return index.violation("asked_twice", message, ask.asked, call=utterance.call, utterance=utterance.mark)


def _stands(index: Index, utterance: Utterance, prior: Ask, ask: Ask, budget: Budget) -> bool:
    """Tell whether ``prior`` forbids ``ask``: it has an answer, or may still get one."""
    if index.taken_for_dead(ask, prior.asked, budget):
        return False  # it does not know yet that the turn is not its own any more
    heard = any(said == prior.event.ask and request.got < ask.asked for request, said in utterance.spoken)
    if prior.told >= 0 and prior.told < ask.asked and not prior.answered:
        return heard  # sentences of it: an answer that has begun is not begun anew
    # What a worker knew that nobody has heard and that it did not get to write down is lost with it.
    return heard or not index.taken_for_dead(prior, ask.asked, budget)


def remembered(index: Index, _budget: Budget) -> Iterator[Violation]:
    """Whoever is asked knows all that the caller has heard answered in this call."""
    memory: dict[str, set[str]] = defaultdict(set)
    owners = _owners(index)
    for ask in index.asks.values():
        known = memory[ask.event.session] if ask.event.session else set()
        known = known | set(ask.event.history)
        if ask.answered and ask.outcome is not None:
            memory[ask.outcome.session] |= known | {ask.event.utterance}
        utterance = ask.utterance
        if utterance is None or owners[ask.event.ask] != utterance.call:
            continue
        call = index.call(utterance.call)
        missing = [old for old in _heard_before(call, utterance, ask) if old.mark not in known]
        if missing:
            message = f"when it was asked {utterance.mark}, the model did not know of {missing[0].mark}"
            yield index.violation(
                "forgot", message, ask.asked, call=call.name, utterance=utterance.mark, also=[missing[0].said]
            )


def _heard_before(call: CallView, utterance: Utterance, ask: Ask) -> Iterator[Utterance]:
    """Iterate over what the model has answered, and the caller has heard, since the call began anew."""
    since = max((at for at in call.resets if at < ask.asked), default=-1)
    for old in call.utterances:
        if old is not utterance and since < old.said < utterance.said:
            asked = any(one.answered and one.told < ask.asked for one in old.asks)
            heard = any(0 <= request.got < ask.asked for request, _ in old.spoken)
            begun = any(0 <= request.got < ask.asked for request, _ in old.sentences)
            if begun or (asked and heard):  # what was heard of one that broke off counts
                yield old


def _owners(index: Index) -> dict[str, str]:
    """Return, for each question, the call whose conversation it goes on with: its own, if nobody else's."""
    of_session: dict[str, str] = {}
    owners = {}
    for ask in index.asks.values():
        utterance = ask.utterance
        if utterance is not None:
            owners[ask.event.ask] = of_session.get(ask.event.session, utterance.call)
            if ask.outcome is not None and ask.outcome.session:
                of_session.setdefault(ask.outcome.session, owners[ask.event.ask])
    return owners


def sessions_kept_apart(index: Index, _budget: Budget) -> Iterator[Violation]:
    """No call is answered in the conversation of another."""
    for name, owner in _owners(index).items():
        ask = index.asks[name]
        utterance = ask.utterance
        if utterance is not None and owner != utterance.call:
            message = f"{utterance.call} was answered in {ask.event.session}, the conversation of {owner}"
            begun = _begun(index, ask.event.session)
            yield index.violation(
                "crossed_sessions",
                message,
                ask.asked,
                call=utterance.call,
                utterance=utterance.mark,
                also=[begun.asked, begun.told] if begun else (),
            )


def _begun(index: Index, session: str) -> Ask | None:
    """Return the question that a conversation began with."""
    return next((one for one in index.asks.values() if one.outcome and one.outcome.session == session), None)


def written_by_one(index: Index, budget: Budget) -> Iterator[Violation]:
    """Nobody asks in a call while another question of it runs, or stores over what somebody stored."""
    for call in index.calls.values():
        yield from _asked_at_once(index, call, budget)
        yield from _stored_over(index, call)


def _asked_at_once(index: Index, call: CallView, budget: Budget) -> Iterator[Violation]:
    for number, ask in enumerate(call.asks):
        for prior in call.asks[:number]:
            same = prior.event.utterance == ask.event.utterance
            if same or not prior.runs_at(ask.asked):
                continue
            if index.taken_for_dead(prior, ask.asked, budget):
                continue
            if index.taken_for_dead(ask, prior.asked, budget):
                continue
            message = f"the model was asked {ask.event.utterance} while {prior.event.utterance} still ran"
            yield index.violation(
                "two_writers",
                message,
                ask.asked,
                call=call.name,
                utterance=ask.event.utterance,
                also=[prior.asked],
            )
            return


def _stored_over(index: Index, call: CallView) -> Iterator[Violation]:
    bases: dict[int, int] = {}
    for position, saved in call.saved:
        if saved.base == 0:  # a session that begins anew counts anew
            bases.clear()
        elif saved.base in bases:
            message = f"two versions of {call.name} were made from version {saved.base}: one is lost"
            yield index.violation("two_writers", message, position, call=call.name, also=[bases[saved.base]])
            return
        bases[saved.base] = position
