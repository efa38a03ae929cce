"""What can happen in an evening of calls, as far as anybody can see it from outside.

Every event has ``at``, the seconds of the history's clock. An utterance is named by its *mark*, a number
that nobody else says: it is found again in what the model is asked and in what the line speaks, whatever
stands around it. An answer of the model is named by the number of its *ask*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Asked",
    "Circled",
    "Counted",
    "Event",
    "Faulted",
    "Got",
    "Interrupted",
    "Reset",
    "Restarted",
    "Said",
    "Saved",
    "Sent",
    "Stalled",
    "Told",
    "Wrote",
]


@dataclass(frozen=True, slots=True)
class Said:
    """A caller said, pressed or recorded something that is to be answered.

    Attributes:
        call: which call.
        utterance: its mark.
    """

    at: float
    call: str
    utterance: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The line sent a request.

    Attributes:
        request: numbers the requests of a history.
        call: which call.
        content: what makes it the same request when it comes again.
        hangup: it told that the caller is gone.
        copy: it came again, or late, and nobody waits for its answer.
        worker: who got it, where there are several.
    """

    at: float
    request: int
    call: str
    content: str
    hangup: bool = False
    copy: bool = False
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Got:
    """A request came back.

    Attributes:
        request: its number.
        body: the answer, byte for byte.
        fault: why there is no answer that could be read: ``late``, ``exception: …``; "" if there is.
        spoken: the utterances that the answer speaks of, each with the ask whose answer that is ("" if
            the application says so by itself).
        waits: the line now waits for the caller, or the call has left: nothing more is to come by itself.
        sentences: those that the answer speaks, in their order, where an answer is spoken piece by piece:
            each as (utterance, ask, number from 1, how many the whole answer has).
    """

    at: float
    request: int
    body: str
    fault: str = ""
    spoken: tuple[tuple[str, str], ...] = ()
    waits: bool = False
    sentences: tuple[tuple[str, str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The model was asked.

    Attributes:
        ask: names the question.
        prompt: what it was asked.
        utterance: whose mark is in it; "" for none.
        session: the conversation that it goes on with; "" for a new one.
        history: the marks of what it was told of earlier, for a conversation that is rebuilt.
        worker: who asked, where there are several.
    """

    at: float
    ask: str
    prompt: str
    utterance: str = ""
    session: str = ""
    history: tuple[str, ...] = ()
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Wrote:
    """The model handed over a piece of its answer, before the whole was there.

    Attributes:
        ask: which question it answers.
        text: the piece.
    """

    at: float
    ask: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a question to the model.

    Attributes:
        ask: which question.
        session: the conversation that it is now part of.
        error: why there is no answer, ``cancelled`` among others; "" if there is one.
    """

    at: float
    ask: str
    session: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A session was stored.

    Attributes:
        call: whose it is.
        base: the version that it was made from.
        version: the version that it is.
        ended: it says that the call is over, and nothing else.
        worker: who stored it.
    """

    at: float
    call: str
    base: int
    version: int
    ended: bool = False
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Faulted:
    """A fault was put in on purpose: what it touches is excused.

    Attributes:
        kind: what was done, such as ``store away`` or ``overloaded``.
        call: to which call; "" to all.
    """

    at: float
    kind: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class Restarted:
    """A worker ended and another began in its place; questions that it was asking are lost.

    Attributes:
        worker: its name; "" for all.
    """

    at: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Stalled:
    """A process stood still: the machine had no time for it. What it took meanwhile is not its fault.

    Attributes:
        seconds: for how long, until now.
        worker: its name; "" for the one that sends the requests, and all where there are no others.
    """

    at: float
    seconds: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """A caller asked for a conversation that begins anew.

    Attributes:
        call: which call.
    """

    at: float
    call: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A caller pressed a key while an answer was spoken: the next request brings it.

    Attributes:
        call: which call.
        utterance: the mark of what is being answered.
    """

    at: float
    call: str
    utterance: str


@dataclass(frozen=True, slots=True)
class Circled:
    """The line went round and round, and came to no end.

    Attributes:
        call: which call.
        why: what was seen.
    """

    at: float
    call: str
    why: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What was left in the application.

    Attributes:
        sessions: calls that it holds for open.
        calls: calls that are.
    """

    at: float
    sessions: int
    calls: int


Event: TypeAlias = (
    "Said | Sent | Got | Asked | Wrote | Told | Saved | Faulted | Restarted | Stalled | Reset"
    " | Interrupted | Circled | Counted"
)
