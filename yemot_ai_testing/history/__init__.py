"""What happened, written down, and whether it may have happened: a recorded history and its checker.

A history is a list of events in the order in which they happened: what a caller said, which request went
out and what it brought, when the model was asked and what came of it, what was stored. ``check`` proves of
it that each utterance was answered at most once and by its own answer, that calls never met, that nothing
was done by two at once, that every answer was one the line understands and came in time, and that nothing
went on after the caller had hung up::

    >>> from yemot_ai_testing.history import Got, History, Said, Sent, check
    >>> history = History()
    >>> history.add(Said(0.0, "call 1", "7001"))
    >>> history.add(Sent(0.0, 1, "call 1", "ai_1=7001"))
    >>> history.add(Got(12.5, 1, "read=t-7001=ai_2,no,voice"))
    >>> [violation.kind for violation in check(history)]
    ['late']
    >>> print(check(history)[0])
    late: the answer took 12.5 s; the line waits 10 s
        0.0 s  call 1 says 7001
        0.0 s  request 1 of call 1 goes out: ai_1=7001
       12.5 s  request 1 brings read=t-7001=ai_2,no,voice

The recorders write histories: ``RecordedApp`` in front of any application, ``RecordedProvider`` and
``RecordedStore`` behind one of ours. The first two are enough for every rule but those about the store.
"""

from __future__ import annotations

from yemot_ai_testing.history.check import check
from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    ConversationReset,
    FaultInjected,
    HistoryEvent,
    LoopDetected,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    OpenCallsCounted,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    WorkerRestarted,
)
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import RecordedApp
from yemot_ai_testing.history.recorders.provider import RecordedProvider
from yemot_ai_testing.history.recorders.stalls import StallDetector
from yemot_ai_testing.history.recorders.store import RecordedStore
from yemot_ai_testing.history.violation import VIOLATION_KINDS, Budget, Violation, ViolationKind

__all__ = [
    "VIOLATION_KINDS",
    "Budget",
    "CallerInterrupted",
    "CallerSpoke",
    "ConversationReset",
    "FaultInjected",
    "History",
    "HistoryEvent",
    "LoopDetected",
    "ModelAnswered",
    "ModelAsked",
    "ModelWrote",
    "OpenCallsCounted",
    "ProcessStalled",
    "RecordedApp",
    "RecordedProvider",
    "RecordedStore",
    "RequestSent",
    "ResponseReceived",
    "SessionSaved",
    "StallDetector",
    "Violation",
    "ViolationKind",
    "WorkerRestarted",
    "check",
]
