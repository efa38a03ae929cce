"""Rules about answers that are spoken sentence by sentence, while the model still writes them."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.correlation import Sentence, sentences
from yemot_ai_testing.history.index import Ask, Index, Request, Utterance
from yemot_ai_testing.history.violation import Budget, Kind, Violation

__all__ = ["all_sentences", "nothing_after_an_interruption", "sentences_once_and_in_order"]


def sentences_once_and_in_order(index: Index, _budget: Budget) -> Iterator[Violation]:
    """Each sentence of an answer is heard once, after those before it; copies of a request may repeat it."""
    for utterance in index.utterances:
        heard: dict[str, int] = {}
        for request, sentence in _heard(utterance):
            last = heard.get(sentence.ask, 0)
            heard[sentence.ask] = max(last, sentence.number)
            which = f"sentence {sentence.number} of the answer to {utterance.mark}"
            if sentence.number <= last:
                yield _about(index, utterance, request, "answered_twice", f"{which} was spoken again")
                break
            if sentence.number > last + 1:
                message = f"{which} is heard, and sentence {last + 1} was not"
                yield _about(index, utterance, request, "out_of_order", message)
                break


def _heard(utterance: Utterance) -> Iterator[tuple[Request, Sentence]]:
    """Iterate over what its caller heard, in order, without what a repeated request has repeated."""
    first: dict[str, int] = {}
    for request, sentence in utterance.sentences:
        own = request.event.call == utterance.call and not request.event.copy
        if own and first.setdefault(request.event.content, request.event.request) == request.event.request:
            yield request, sentence


def all_sentences(index: Index, budget: Budget) -> Iterator[Violation]:
    """When the line waits for the caller again, every sentence that the model has finished was heard."""
    for call in index.calls.values():
        for utterance in call.utterances:
            settled = index.settled(utterance)
            if settled is None or 0 <= utterance.interrupted < settled.got:
                continue
            if index.faulted(call.name, utterance.said, settled.got):
                continue
            heard = {
                (one.ask, one.number) for request, one in _heard(utterance) if request.got <= settled.got
            }
            missing = next((one for one in _due(index, utterance, settled, budget) if one not in heard), None)
            if missing is not None:
                message = f"sentence {missing[1]} of the answer to {utterance.mark} was never heard"
                yield _about(index, utterance, settled, "unheard", message)


def _due(index: Index, utterance: Utterance, settled: Request, budget: Budget) -> Iterator[tuple[str, int]]:
    """Iterate over the sentences that the caller should have heard: (ask, number)."""
    for ask in utterance.asks:
        if not 0 <= ask.told < settled.got or index.taken_for_dead(ask, settled.got, budget):
            continue
        if index.given_up(ask, utterance.said, settled.got, budget):
            continue
        for one in sentences(_whole(ask)):
            yield ask.event.ask, one.number


def _whole(ask: Ask) -> str:
    """Return what the model wrote, without a sentence that it has not finished."""
    text = "".join(ask.written)
    if ask.answered:
        return text
    if ask.outcome is not None and ask.outcome.error == "cancelled":
        return ""  # somebody has stopped it; who, and whether rightly, is for other rules
    return text[: text.rfind(". ") + 1]


def nothing_after_an_interruption(index: Index, budget: Budget) -> Iterator[Violation]:
    """A key that interrupts ends the answer: nothing more of it is heard, and the model stops."""
    for utterance in index.utterances:
        if utterance.interrupted < 0:
            continue
        answered = _answered(index, utterance)
        if answered is None:
            continue
        for request, _ in _heard(utterance):
            if request.sent >= answered.sent:
                message = f"the answer to {utterance.mark} was interrupted, and more of it is heard"
                yield _about(index, utterance, request, "spoke_after_interruption", message)
                break
        for ask in utterance.asks:
            if ask.runs_at(answered.got) and _runs_on(index, ask, answered, budget):
                end = ask.told if ask.told >= 0 else len(index.events) - 1
                message = f"the model goes on with {utterance.mark} after the caller has interrupted"
                yield index.violation(
                    "ran_after_interruption", message, end, call=utterance.call, utterance=utterance.mark
                )


def _answered(index: Index, utterance: Utterance) -> Request | None:
    """Return the request that brought the key, once it is answered."""
    for request in index.call(utterance.call).requests:
        if request.sent > utterance.interrupted and not request.event.copy:
            return request if request.got >= 0 and not request.event.hangup else None
    return None


def _runs_on(index: Index, ask: Ask, answered: Request, budget: Budget) -> bool:
    if index.faulted(index.call(answered.event.call).name, answered.sent, answered.got):
        return False
    if index.restarted(ask.event.worker, ask.asked, len(index.events)):
        return False
    last = ask.told if ask.told >= 0 else len(index.events) - 1
    return index.seconds(answered.got, last, ask.event.worker) > budget.interruption


def _about(index: Index, utterance: Utterance, request: Request, kind: Kind, message: str) -> Violation:
    return index.violation(
        kind, message, request.got, call=utterance.call, utterance=utterance.mark, also=[request.sent]
    )
