"""The events of a history: what can be observed of many calls from outside.

Every event has ``at``, the seconds of the history's clock. The ID of an utterance is a number that is
unique in the history and occurs in the prompts to the model and in the responses to the line. The ID of
an answer is that of its model call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from yemot_ai_testing.history.questions import AskedFor
from yemot_ai_testing.history.tool_events import ToolCalled, ToolReturned

__all__ = [
    "CallerInterrupted",
    "CallerSpoke",
    "ConversationReset",
    "EffectRecorded",
    "FaultInjected",
    "HistoryEvent",
    "KeyPressed",
    "LeftoversCounted",
    "LoopDetected",
    "ModelAnswered",
    "ModelAsked",
    "ModelWrote",
    "OpenCallsCounted",
    "ProcessStalled",
    "RequestSent",
    "ResponseReceived",
    "SessionSaved",
    "ToolCalled",
    "ToolReturned",
    "WorkerRestarted",
]


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """A caller said, pressed or recorded something that needs an answer.

    Attributes:
        call: the name of the call.
        utterance_id: the ID of the utterance.
        typed: it was pressed on the keys where the line listens to speech: an application may also take it
            for a command, and then no answer is expected.
    """

    at: float
    call: str
    utterance_id: str
    typed: bool = False


@dataclass(frozen=True, slots=True)
class RequestSent:
    """The line sent a request.

    Attributes:
        request_id: the number of the request in the history.
        call: the name of the call.
        fingerprint: equal for a request and its repetitions.
        is_hangup: it is the request of a hang-up.
        is_repeat: it is a repetition, or late, and no caller waits for its response.
        worker: the worker that got it, if there are several.
        phone: the caller's number; "" if it is withheld or not known.
    """

    at: float
    request_id: int
    call: str
    fingerprint: str
    is_hangup: bool = False
    is_repeat: bool = False
    worker: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The response to a request was received.

    Attributes:
        request_id: the number of the request.
        body: the response, byte for byte.
        fault: why there is no usable response: ``late``, ``exception: …``; "" if there is one.
        spoken_answers: the answers in the response, each as (utterance ID, model call ID); the latter is
            "" for text of the application itself.
        awaits_caller: the line waits for the caller now, or the call has left the application.
        spoken_sentences: the sentences of answers that are spoken piece by piece, in order: each as
            (utterance ID, model call ID, number from 1, total).
        asked_for: what the line asks the caller for now: ``speech``, a ``number`` or a ``key``; "" if
            it is not known, or nothing.
    """

    at: float
    request_id: int
    body: str
    fault: str = ""
    spoken_answers: tuple[tuple[str, str], ...] = ()
    awaits_caller: bool = False
    spoken_sentences: tuple[tuple[str, str, int, int], ...] = ()
    asked_for: AskedFor = ""


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """The model was asked.

    Attributes:
        model_call_id: the ID of the model call.
        prompt: the prompt.
        utterance_id: the utterance in the prompt; "" for none.
        session: the conversation that it continues; "" for a new one.
        prior_utterance_ids: the earlier utterances in the history of a rebuilt conversation.
        worker: the worker that asked, if there are several.
        tool_results: the results of the tools that it has called for this prompt, each as (ID of the call,
            result), oldest first.
    """

    at: float
    model_call_id: str
    prompt: str
    utterance_id: str = ""
    session: str = ""
    prior_utterance_ids: tuple[str, ...] = ()
    worker: str = ""
    tool_results: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelWrote:
    """The model wrote a piece of its answer.

    Attributes:
        model_call_id: the model call that it answers.
        text: the piece.
    """

    at: float
    model_call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """A model call ended.

    Attributes:
        model_call_id: the model call.
        session: the conversation that it is part of now.
        error: why there is no answer, such as ``cancelled``; "" if there is one.
        text: the answer; "" if it is not known.
        tool_calls: the model has called tools, and waits for their results: each call as (ID, name,
            arguments as JSON). ``text`` is no answer then.
    """

    at: float
    model_call_id: str
    session: str = ""
    error: str = ""
    text: str = ""
    tool_calls: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionSaved:
    """A session was saved.

    Attributes:
        call: the name of the call.
        base_version: the version that it was made from.
        version: its version.
        call_ended: it is the tombstone of an ended call.
        worker: the worker that saved it.
    """

    at: float
    call: str
    base_version: int
    version: int
    call_ended: bool = False
    worker: str = ""


@dataclass(frozen=True, slots=True)
class FaultInjected:
    """A fault was injected: what it affects is excused.

    Attributes:
        kind: which fault, such as ``store away`` or ``overloaded``.
        call: the name of the call; "" for all calls.
    """

    at: float
    kind: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class WorkerRestarted:
    """A worker was replaced; its running model calls are lost.

    Attributes:
        worker: its name; "" for all.
    """

    at: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ProcessStalled:
    """The machine did not run a process: that time is excused.

    Attributes:
        seconds: for how long, until now.
        worker: its name; "" for the process that sends the requests, or for the only one.
    """

    at: float
    seconds: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ConversationReset:
    """A caller asked for a new conversation.

    Attributes:
        call: the name of the call.
    """

    at: float
    call: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A caller answered a question for a key: a menu, or whether an utterance is right.

    Attributes:
        call: the name of the call.
        keys: the keys; "" for silence.
        confirms: it confirms what the caller has said, which now needs an answer.
    """

    at: float
    call: str
    keys: str
    confirms: bool = False


@dataclass(frozen=True, slots=True)
class CallerInterrupted:
    """A caller pressed a key while an answer was spoken: the next request carries it.

    Attributes:
        call: the name of the call.
        utterance_id: the utterance that is being answered.
    """

    at: float
    call: str
    utterance_id: str


@dataclass(frozen=True, slots=True)
class LoopDetected:
    """The requests of a call did not end.

    Attributes:
        call: the name of the call.
        reason: what was observed.
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


@dataclass(frozen=True, slots=True)
class LeftoversCounted:
    """Calls came and ended one after the other; what they left in the process was counted.

    Attributes:
        calls: how many of them spoke.
        threads: how many more threads run than before.
        tasks: how many more tasks.
    """

    at: float
    calls: int
    threads: int
    tasks: int


@dataclass(frozen=True, slots=True)
class EffectRecorded:
    """The application did something outside of the call: it wrote an order, or sent a message.

    Attributes:
        call: the name of the call.
        effect: what it did; it contains the ID of the utterance that it was done for, if there is one.
    """

    at: float
    call: str
    effect: str


HistoryEvent: TypeAlias = (
    "CallerSpoke | RequestSent | ResponseReceived | ModelAsked | ModelWrote | ModelAnswered | SessionSaved"
    " | FaultInjected | WorkerRestarted | ProcessStalled | ConversationReset | CallerInterrupted"
    " | KeyPressed | LoopDetected | OpenCallsCounted | LeftoversCounted | EffectRecorded"
    " | ToolCalled | ToolReturned"
)
