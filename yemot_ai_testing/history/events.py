"""What can happen in an evening of calls, as far as anybody can see it from outside.

Every event has ``at``, the seconds of the history's clock. An utterance is named by its *mark*, a number
that nobody else says: it is found again in what the model is asked and in what the line speaks, whatever
stands around it. An answer of the model is named by the number of its *ask*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "CallerInterrupted",
    "CallerSpoke",
    "ConversationReset",
    "FaultInjected",
    "HistoryEvent",
    "LoopDetected",
    "ModelAnswered",
    "ModelAsked",
    "ModelWrote",
    "OpenCallsCounted",
    "ProcessStalled",
    "RequestSent",
    "ResponseReceived",
    "SessionSaved",
    "WorkerRestarted",
]


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """A caller said, pressed or recorded something that is to be answered.

    Attributes:
        call: which call.
        utterance_id: its mark.
    """

    at: float
    call: str
    utterance_id: str


@dataclass(frozen=True, slots=True)
class RequestSent:
    """The line sent a request.

    Attributes:
        request_id: numbers the requests of a history.
        call: which call.
        fingerprint: what makes it the same request when it comes again.
        is_hangup: it told that the caller is gone.
        is_repeat: it came again, or late, and nobody waits for its answer.
        worker: who got it, where there are several.
    """

    at: float
    request_id: int
    call: str
    fingerprint: str
    is_hangup: bool = False
    is_repeat: bool = False
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A request came back.

    Attributes:
        request_id: its number.
        body: the answer, byte for byte.
        fault: why there is no answer that could be read: ``late``, ``exception: …``; "" if there is.
        spoken_answers: the utterances that the answer speaks of, each with the ask whose answer that is ("" if
            the application says so by itself).
        awaits_caller: the line now waits for the caller, or the call has left: nothing more is to come by itself.
        spoken_sentences: those that the answer speaks, in their order, where an answer is spoken piece by piece:
            each as (utterance, ask, number from 1, how many the whole answer has).
    """

    at: float
    request_id: int
    body: str
    fault: str = ""
    spoken_answers: tuple[tuple[str, str], ...] = ()
    awaits_caller: bool = False
    spoken_sentences: tuple[tuple[str, str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """The model was asked.

    Attributes:
        model_call_id: names the question.
        prompt: what it was asked.
        utterance_id: whose mark is in it; "" for none.
        session: the conversation that it goes on with; "" for a new one.
        prior_utterance_ids: the marks of what it was told of earlier, for a conversation that is rebuilt.
        worker: who asked, where there are several.
    """

    at: float
    model_call_id: str
    prompt: str
    utterance_id: str = ""
    session: str = ""
    prior_utterance_ids: tuple[str, ...] = ()
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ModelWrote:
    """The model handed over a piece of its answer, before the whole was there.

    Attributes:
        model_call_id: which question it answers.
        text: the piece.
    """

    at: float
    model_call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """What came of a question to the model.

    Attributes:
        model_call_id: which question.
        session: the conversation that it is now part of.
        error: why there is no answer, ``cancelled`` among others; "" if there is one.
    """

    at: float
    model_call_id: str
    session: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SessionSaved:
    """A session was stored.

    Attributes:
        call: whose it is.
        base_version: the version that it was made from.
        version: the version that it is.
        call_ended: it says that the call is over, and nothing else.
        worker: who stored it.
    """

    at: float
    call: str
    base_version: int
    version: int
    call_ended: bool = False
    worker: str = ""


@dataclass(frozen=True, slots=True)
class FaultInjected:
    """A fault was put in on purpose: what it touches is excused.

    Attributes:
        kind: what was done, such as ``store away`` or ``overloaded``.
        call: to which call; "" to all.
    """

    at: float
    kind: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class WorkerRestarted:
    """A worker ended and another began in its place; questions that it was asking are lost.

    Attributes:
        worker: its name; "" for all.
    """

    at: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ProcessStalled:
    """A process stood still: the machine had no time for it. What it took meanwhile is not its fault.

    Attributes:
        seconds: for how long, until now.
        worker: its name; "" for the one that sends the requests, and all where there are no others.
    """

    at: float
    seconds: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ConversationReset:
    """A caller asked for a conversation that begins anew.

    Attributes:
        call: which call.
    """

    at: float
    call: str


@dataclass(frozen=True, slots=True)
class CallerInterrupted:
    """A caller pressed a key while an answer was spoken: the next request brings it.

    Attributes:
        call: which call.
        utterance_id: the mark of what is being answered.
    """

    at: float
    call: str
    utterance_id: str


@dataclass(frozen=True, slots=True)
class LoopDetected:
    """The line went round and round, and came to no end.

    Attributes:
        call: which call.
        reason: what was seen.
    """

    at: float
    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class OpenCallsCounted:
    """What was left in the application.

    Attributes:
        open_sessions: calls that it holds for open.
        open_calls: calls that are.
    """

    at: float
    open_sessions: int
    open_calls: int


HistoryEvent: TypeAlias = (
    "CallerSpoke | RequestSent | ResponseReceived | ModelAsked | ModelWrote | ModelAnswered | SessionSaved"
    " | FaultInjected | WorkerRestarted | ProcessStalled | ConversationReset | CallerInterrupted | LoopDetected"
    " | OpenCallsCounted"
)
