"""An evening of random calls, each written out from a seed, for whoever carries their requests.

A call is a generator: it yields what the line does next (``LoadStep``), and is sent what came of it. Threads,
tasks and processes carry the same calls; the seed decides what is said, what comes again, who hangs up
when, and which questions the model fails; not how all that meets.

>>> call = plan(seed=1, number=3, mark=7009, history=History(now=lambda: 0.0))
>>> next(call).pairs[0]
('ApiCallId', '0000000000000000000000000000000000000003')
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from yemot_ai_testing.doubles.script import Crash, Drop, Failure, Hang, Step, UnknownSession
from yemot_ai_testing.history.correlation import spoken_sentences, utterance_text
from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    FaultInjected,
    ModelAnswered,
    WorkerRestarted,
)
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.history.recorders.sans_io_call import Pairs, SansIOCall
from yemot_ai_testing.history.violation import Violation

__all__ = ["FAULT_RATE", "TABLE_HEADER", "LoadPlan", "LoadStep", "model_fault", "plan_call", "table_row"]

FAULT_RATE: Final = 0.2
"""Which part of all utterances meets a fault."""

MAX_TURNS: Final = 3
"""The most that is said in a call."""

DOUBLE_POLL_RATE: Final = 0.05
"""Which part of all polls the line sends twice at once."""

MODEL_FAULTS: Final[Sequence[Step]] = (
    Failure("overloaded"),
    Failure("rate_limited"),
    Drop(),
    Crash(),
    UnknownSession(),
    Hang(),
)
LINE_FAULTS: Final = ("comes again", "comes twice", "hangs up", "store away", "interrupts")

TABLE_HEADER: Final = "evening: how | calls | turns | faults by kind | violations"


@dataclass(frozen=True, slots=True)
class LoadStep:
    """What the line does.

    Attributes:
        pairs: a request; its answer is awaited.
        concurrent: requests that go out at the same time; nobody waits for their answers.
        delayed: requests that go out afterwards; likewise.
        store_failures: how often the store fails in it.
    """

    pairs: Pairs
    concurrent: tuple[Pairs, ...] = ()
    delayed: tuple[Pairs, ...] = ()
    store_failures: int = 0


LoadPlan: TypeAlias = Generator[LoadStep, str, None]


def model_fault(seed: int, utterance_id: str) -> Step | None:
    """Return what the model does when it is first asked for an utterance; None: it answers."""
    chance = random.Random(f"{seed} {utterance_id} model")  # noqa: S311 - chance, no secret
    return chance.choice(MODEL_FAULTS) if chance.random() < FAULT_RATE / 2 else None


def plan_call(*, seed: int, number: int, first_utterance_id: int, history: History) -> LoadPlan:
    """Write a call out.

    Args:
        seed: of the evening.
        number: of the call, from 1.
        first_utterance_id: of its first utterance; the next two are its own, too.
        history: what is said is written there.
    """
    chance = random.Random(f"{seed} {number} line")  # noqa: S311 - chance, no secret
    # By themselves: how many polls there are is not the seed's to say, and what is said is.
    polls = random.Random(f"{seed} {number} polls")  # noqa: S311 - as above
    phone = SansIOCall(f"{number:040x}")
    yield from _send_and_poll(phone, LoadStep(phone.next_request()), _PollingCaller(history, polls))
    for said in range(chance.randrange(MAX_TURNS + 1)):
        if not phone.awaits_caller:
            break
        fault = chance.choice(LINE_FAULTS) if chance.random() < FAULT_RATE / 2 else ""
        yield from _speak_and_wait(
            phone, _PollingCaller(history, polls, str(first_utterance_id + said), fault)
        )
    yield LoadStep(
        phone.hangup_request(), delayed=(phone.next_request(),) if chance.random() < FAULT_RATE / 2 else ()
    )


@dataclass(slots=True)
class _PollingCaller:
    """A caller who waits for an answer, and the line's way to poll for it."""

    history: History
    polls: random.Random
    utterance_id: str = ""
    fault: str = ""

    def poll_value(self, body: str, call: str) -> str:
        """Return what the line sends for a poll: a key, once, if this caller interrupts and is spoken to."""
        if self.fault != "interrupts" or not spoken_sentences(body):
            return "None"
        self.fault = ""
        self.history.add(CallerInterrupted(self.history.now(), call, self.utterance_id))
        return "5"

    def poll(self, request: Pairs, call: str) -> LoadStep:
        """Return how the line polls: now and then by two requests at once."""
        if self.polls.random() >= DOUBLE_POLL_RATE:
            return LoadStep(request)
        self.history.add(FaultInjected(self.history.now(), "the line: polls twice", f"not {call}"))
        return LoadStep(request, concurrent=(request,))


def _speak_and_wait(phone: SansIOCall, caller: _PollingCaller) -> LoadPlan:
    """Say something, and wait for its answer."""
    call, history, fault = call_name(phone.call_id), caller.history, caller.fault
    history.add(CallerSpoke(history.now(), call, caller.utterance_id))
    before = phone.next_request()
    phone.submit(utterance_text(caller.utterance_id))
    request = phone.next_request()
    if fault in {"comes again", "comes twice", "hangs up", "interrupts"}:
        # What the line does is no fault of the application's to be excused: it is only counted.
        history.add(FaultInjected(history.now(), f"the line: {fault}", f"not {call}"))
    deeds = {
        "": LoadStep(request),
        "comes again": LoadStep(request, delayed=(request, before)),
        "comes twice": LoadStep(request, concurrent=(request,)),
        "hangs up": LoadStep(request, concurrent=(phone.hangup_request(),)),
        "store away": LoadStep(request, store_failures=2),
        "interrupts": LoadStep(request),
    }
    yield from _send_and_poll(phone, deeds[fault], caller)
    if fault == "hangs up":
        phone.hang_up()


def _send_and_poll(phone: SansIOCall, step: LoadStep, caller: _PollingCaller) -> LoadPlan:
    """Do it, and let the line ask again until it waits for the caller."""
    call = call_name(phone.call_id)
    body = yield step
    phone.receive_response(body)
    while phone.is_polling:
        phone.submit(caller.poll_value(body, call))
        body = yield caller.poll(phone.next_request(), call)
        phone.receive_response(body)


def table_row(label: str, history: History, violations: Sequence[Violation]) -> tuple[str, ...]:
    """Return what happened as a row under ``TABLE_HEADER``."""
    faults: Counter[str] = Counter()
    said, calls = 0, set()
    for event in history.events:
        match event:
            case CallerSpoke(call=call):
                said += 1
                calls.add(call)
            case FaultInjected(kind=kind):
                faults[kind] += 1
            case WorkerRestarted():
                faults["worker replaced"] += 1
            case ModelAnswered(error=error) if error not in {"", "cancelled"}:
                faults[f"the model: {error}"] += 1
            case _:
                calls |= {event.call} if hasattr(event, "call") else set()
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(faults.items()))
    return label, str(len(calls)), str(said), told, str(len(violations))
