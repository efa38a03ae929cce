"""Load plans: random calls, generated from a seed, for load tests.

A call is a generator: it yields the next requests of the line (``LoadStep``) and receives the response.
Threads, tasks and processes run the same calls; the seed determines utterances, repeated requests, hang-ups
and failing model calls, not how they overlap.

>>> call = plan_call(seed=1, number=3, first_utterance_id=7009, history=History(now=lambda: 0.0))
>>> next(call).pairs[0]
('ApiCallId', '0000000000000000000000000000000000000003')
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from yemot_ai_testing.doubles.steps import Crash, Drop, Failure, Hang, Step, UnknownSession
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
from yemot_ai_testing.history.recorders.sans_io_call import SansIOCall
from yemot_ai_testing.history.violation import Violation
from yemot_ai_testing.line.requests import Values

__all__ = ["FAULT_RATE", "TABLE_HEADER", "LoadPlan", "LoadStep", "model_fault", "plan_call", "table_row"]

FAULT_RATE: Final = 0.2
"""The share of utterances with a fault."""

MAX_TURNS: Final = 3
"""The most utterances of a call."""

DOUBLE_POLL_RATE: Final = 0.05
"""The share of polls that the line sends twice at once."""

MODEL_FAULTS: Final[Sequence[Step]] = (
    Failure("overloaded"),
    Failure("rate_limited"),
    Drop(),
    Crash(),
    UnknownSession(),
    Hang(),
)
LINE_FAULTS: Final = ("comes again", "comes twice", "hangs up", "store away", "interrupts")

TABLE_HEADER: Final = "load: how | calls | turns | faults by kind | violations"


@dataclass(frozen=True, slots=True)
class LoadStep:
    """One request of the line, with the requests and failures around it.

    Attributes:
        pairs: the request whose response is awaited.
        concurrent: requests to send at the same time; their responses are ignored.
        delayed: requests to send afterwards; their responses are ignored.
        store_failures: how often the store fails during the request.
    """

    pairs: Values
    concurrent: tuple[Values, ...] = ()
    delayed: tuple[Values, ...] = ()
    store_failures: int = 0


LoadPlan: TypeAlias = Generator[LoadStep, str, None]


def model_fault(seed: int, utterance_id: str) -> Step | None:
    """Return the failure of the first model call for an utterance; None if it answers."""
    rng = random.Random(f"{seed} {utterance_id} model")  # noqa: S311 - not for security
    return rng.choice(MODEL_FAULTS) if rng.random() < FAULT_RATE / 2 else None


def plan_call(*, seed: int, number: int, first_utterance_id: int, history: History) -> LoadPlan:
    """Return the plan of one call.

    Args:
        seed: the seed of the load.
        number: the number of the call, from 1.
        first_utterance_id: the ID of its first utterance; the next two IDs belong to the call as well.
        history: records the utterances and faults.
    """
    rng = random.Random(f"{seed} {number} line")  # noqa: S311 - not for security
    # A separate generator: the number of polls depends on timing, the utterances must not.
    poll_rng = random.Random(f"{seed} {number} polls")  # noqa: S311 - not for security
    phone = SansIOCall(f"{number:040x}")
    yield from _send_and_poll(phone, LoadStep(phone.next_request()), _PollingCaller(history, poll_rng))
    for index in range(rng.randrange(MAX_TURNS + 1)):
        if not phone.awaits_caller:
            break
        fault = rng.choice(LINE_FAULTS) if rng.random() < FAULT_RATE / 2 else ""
        yield from _speak_and_wait(
            phone, _PollingCaller(history, poll_rng, str(first_utterance_id + index), fault)
        )
    yield LoadStep(
        phone.hangup_request(), delayed=(phone.next_request(),) if rng.random() < FAULT_RATE / 2 else ()
    )


@dataclass(slots=True)
class _PollingCaller:
    """A caller who waits for an answer while the line polls."""

    history: History
    rng: random.Random
    utterance_id: str = ""
    fault: str = ""

    def poll_value(self, body: str, call: str) -> str:
        """Return the value of a poll: a key, once, if this caller interrupts and hears an answer."""
        if self.fault != "interrupts" or not spoken_sentences(body):
            return "None"
        self.fault = ""
        self.history.add(CallerInterrupted(self.history.now(), call, self.utterance_id))
        return "5"

    def poll(self, request: Values, call: str) -> LoadStep:
        """Return the next poll; sometimes the line sends it twice at once."""
        if self.rng.random() >= DOUBLE_POLL_RATE:
            return LoadStep(request)
        self.history.add(FaultInjected(self.history.now(), "the line: polls twice", f"not {call}"))
        return LoadStep(request, concurrent=(request,))


def _speak_and_wait(phone: SansIOCall, caller: _PollingCaller) -> LoadPlan:
    """Send an utterance and wait for its answer."""
    call, history, fault = call_name(phone.call_id), caller.history, caller.fault
    history.add(CallerSpoke(history.now(), call, caller.utterance_id))
    before = phone.next_request()
    phone.submit(utterance_text(caller.utterance_id))
    request = phone.next_request()
    if fault in {"comes again", "comes twice", "hangs up", "interrupts"}:
        # Recorded to be counted only ("not <call>"): these faults must not excuse a violation.
        history.add(FaultInjected(history.now(), f"the line: {fault}", f"not {call}"))
    steps = {
        "": LoadStep(request),
        "comes again": LoadStep(request, delayed=(request, before)),
        "comes twice": LoadStep(request, concurrent=(request,)),
        "hangs up": LoadStep(request, concurrent=(phone.hangup_request(),)),
        "store away": LoadStep(request, store_failures=2),
        "interrupts": LoadStep(request),
    }
    yield from _send_and_poll(phone, steps[fault], caller)
    if fault == "hangs up":
        phone.hang_up()


def _send_and_poll(phone: SansIOCall, step: LoadStep, caller: _PollingCaller) -> LoadPlan:
    """Send a request, then poll until the line waits for the caller."""
    call = call_name(phone.call_id)
    body = yield step
    phone.receive_response(body)
    while phone.is_polling:
        phone.submit(caller.poll_value(body, call))
        body = yield caller.poll(phone.next_request(), call)
        phone.receive_response(body)


def table_row(label: str, history: History, violations: Sequence[Violation]) -> tuple[str, ...]:
    """Return the counts of a history as a row under ``TABLE_HEADER``."""
    faults: Counter[str] = Counter()
    turns, calls = 0, set()
    for event in history.events:
        match event:
            case CallerSpoke(call=call):
                turns += 1
                calls.add(call)
            case FaultInjected(kind=kind):
                faults[kind] += 1
            case WorkerRestarted():
                faults["worker replaced"] += 1
            case ModelAnswered(error=error) if error not in {"", "cancelled"}:
                faults[f"the model: {error}"] += 1
            case _:
                calls |= {event.call} if hasattr(event, "call") else set()
    fault_counts = ", ".join(f"{kind} {count}" for kind, count in sorted(faults.items()))
    return label, str(len(calls)), str(turns), fault_counts, str(len(violations))
