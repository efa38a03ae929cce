"""An evening of random calls, each written out from a seed, for whoever carries their requests.

A call is a generator: it yields what the line does next (``Deed``), and is sent what came of it. Threads,
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
from yemot_ai_testing.history.correlation import sentences, utterance
from yemot_ai_testing.history.events import Faulted, Interrupted, Restarted, Said, Told
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.history.recorders.sans_io_call import Pairs, Phone
from yemot_ai_testing.history.violation import Violation

__all__ = ["FAULTS", "HEADS", "Deed", "Plan", "fault_of", "plan", "row"]

FAULTS: Final = 0.2
"""Which part of all utterances meets a fault."""

TURNS: Final = 3
"""The most that is said in a call."""

TWICE: Final = 0.05
"""Which part of all polls the line sends twice at once."""

MODEL: Final[Sequence[Step]] = (
    Failure("overloaded"),
    Failure("rate_limited"),
    Drop(),
    Crash(),
    UnknownSession(),
    Hang(),
)
LINE: Final = ("comes again", "comes twice", "hangs up", "store away", "interrupts")

HEADS: Final = "evening: how | calls | turns | faults by kind | violations"


@dataclass(frozen=True, slots=True)
class Deed:
    """What the line does.

    Attributes:
        pairs: a request; its answer is awaited.
        beside: requests that go out at the same time; nobody waits for their answers.
        late: requests that go out afterwards; likewise.
        away: how often the store fails in it.
    """

    pairs: Pairs
    beside: tuple[Pairs, ...] = ()
    late: tuple[Pairs, ...] = ()
    away: int = 0


Plan: TypeAlias = Generator[Deed, str, None]


def fault_of(seed: int, mark: str) -> Step | None:
    """Return what the model does when it is first asked for an utterance; None: it answers."""
    chance = random.Random(f"{seed} {mark} model")  # noqa: S311 - chance, no secret
    return chance.choice(MODEL) if chance.random() < FAULTS / 2 else None


def plan(*, seed: int, number: int, mark: int, history: History) -> Plan:
    """Write a call out.

    Args:
        seed: of the evening.
        number: of the call, from 1.
        mark: of its first utterance; the next two are its own, too.
        history: what is said is written there.
    """
    chance = random.Random(f"{seed} {number} line")  # noqa: S311 - chance, no secret
    # By themselves: how many polls there are is not the seed's to say, and what is said is.
    polls = random.Random(f"{seed} {number} polls")  # noqa: S311 - as above
    phone = Phone(f"{number:040x}")
    yield from _heard(phone, Deed(phone.request()), _Listener(history, polls))
    for said in range(chance.randrange(TURNS + 1)):
        if not phone.is_asked:
            break
        fault = chance.choice(LINE) if chance.random() < FAULTS / 2 else ""
        yield from _spoken(phone, _Listener(history, polls, str(mark + said), fault))
    yield Deed(phone.goodbye(), late=(phone.request(),) if chance.random() < FAULTS / 2 else ())


@dataclass(slots=True)
class _Listener:
    """A caller who waits for an answer, and the line's way to poll for it."""

    history: History
    polls: random.Random
    mark: str = ""
    fault: str = ""

    def key(self, body: str, call: str) -> str:
        """Return what the line sends for a poll: a key, once, if this caller interrupts and is spoken to."""
        if self.fault != "interrupts" or not sentences(body):
            return "None"
        self.fault = ""
        self.history.add(Interrupted(self.history.now(), call, self.mark))
        return "5"

    def poll(self, request: Pairs, call: str) -> Deed:
        """Return how the line polls: now and then by two requests at once."""
        if self.polls.random() >= TWICE:
            return Deed(request)
        self.history.add(Faulted(self.history.now(), "the line: polls twice", f"not {call}"))
        return Deed(request, beside=(request,))


def _spoken(phone: Phone, listener: _Listener) -> Plan:
    """Say something, and wait for its answer."""
    call, history, fault = call_name(phone.call_id), listener.history, listener.fault
    history.add(Said(history.now(), call, listener.mark))
    before = phone.request()
    phone.gives(utterance(listener.mark))
    request = phone.request()
    if fault in {"comes again", "comes twice", "hangs up", "interrupts"}:
        # What the line does is no fault of the application's to be excused: it is only counted.
        history.add(Faulted(history.now(), f"the line: {fault}", f"not {call}"))
    deeds = {
        "": Deed(request),
        "comes again": Deed(request, late=(request, before)),
        "comes twice": Deed(request, beside=(request,)),
        "hangs up": Deed(request, beside=(phone.goodbye(),)),
        "store away": Deed(request, away=2),
        "interrupts": Deed(request),
    }
    yield from _heard(phone, deeds[fault], listener)
    if fault == "hangs up":
        phone.hangs_up()


def _heard(phone: Phone, deed: Deed, listener: _Listener) -> Plan:
    """Do it, and let the line ask again until it waits for the caller."""
    call = call_name(phone.call_id)
    body = yield deed
    phone.hears(body)
    while phone.polls:
        phone.gives(listener.key(body, call))
        body = yield listener.poll(phone.request(), call)
        phone.hears(body)


def row(how: str, history: History, violations: Sequence[Violation]) -> tuple[str, ...]:
    """Return what happened as a row under ``HEADS``."""
    faults: Counter[str] = Counter()
    said, calls = 0, set()
    for event in history.events:
        match event:
            case Said(call=call):
                said += 1
                calls.add(call)
            case Faulted(kind=kind):
                faults[kind] += 1
            case Restarted():
                faults["worker replaced"] += 1
            case Told(error=error) if error not in {"", "cancelled"}:
                faults[f"the model: {error}"] += 1
            case _:
                calls |= {event.call} if hasattr(event, "call") else set()
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(faults.items()))
    return how, str(len(calls)), str(said), told, str(len(violations))
