"""Histories of calls: recorded events, and a checker that finds violations in them.

A history is a list of events in the order in which they happened: a caller spoke, a request was sent, a
response was received, the model was asked and answered, a tool ran, a session was saved. ``check`` reports
utterances with no answer, two answers or another one's answer, data that crosses from call to call,
concurrent model calls, tools that ran twice or whose results were lost, responses that are invalid or late,
and work after the hang-up::

    >>> from yemot_ai_testing.history import CallerSpoke, History, RequestSent, ResponseReceived, check
    >>> history = History()
    >>> history.add(CallerSpoke(0.0, "call 1", "7001"))
    >>> history.add(RequestSent(0.0, 1, "call 1", "ai_1=7001"))
    >>> history.add(ResponseReceived(12.5, 1, "read=t-7001=ai_2,no,voice"))
    >>> [violation.kind for violation in check(history)]
    ['late']
    >>> print(check(history)[0])
    late: the response took 12.5 s; the line waits 10 s
        0.0 s  call 1 says 7001
        0.0 s  request 1 of call 1 is sent: ai_1=7001
       12.5 s  request 1 gets read=t-7001=ai_2,no,voice

The recorders write histories: ``RecordedApp`` wraps any application, ``RecordedProvider`` a provider,
``RecordedStore`` a session store and ``RecordedTools`` the tools of an agent. All rules except those about
the store and tools need only the first two.
"""

from __future__ import annotations

from yemot_ai_testing.history.check import check
from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    ConversationReset,
    EffectRecorded,
    FaultInjected,
    HistoryEvent,
    KeyPressed,
    LeftoversCounted,
    LoopDetected,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    OpenCallsCounted,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    ToolCalled,
    ToolReturned,
    WorkerRestarted,
)
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import RecordedApp
from yemot_ai_testing.history.recorders.effects import RecordedEffects
from yemot_ai_testing.history.recorders.provider import RecordedProvider
from yemot_ai_testing.history.recorders.sans_io_call import SansIOCall
from yemot_ai_testing.history.recorders.stalls import StallDetector
from yemot_ai_testing.history.recorders.store import RecordedStore
from yemot_ai_testing.history.recorders.tools import RecordedTools
from yemot_ai_testing.history.violation import VIOLATION_KINDS, Budget, Violation, ViolationKind

__all__ = [
    "VIOLATION_KINDS",
    "Budget",
    "CallerInterrupted",
    "CallerSpoke",
    "ConversationReset",
    "EffectRecorded",
    "FaultInjected",
    "History",
    "HistoryEvent",
    "KeyPressed",
    "LeftoversCounted",
    "LoopDetected",
    "ModelAnswered",
    "ModelAsked",
    "ModelWrote",
    "OpenCallsCounted",
    "ProcessStalled",
    "RecordedApp",
    "RecordedEffects",
    "RecordedProvider",
    "RecordedStore",
    "RecordedTools",
    "RequestSent",
    "ResponseReceived",
    "SansIOCall",
    "SessionSaved",
    "StallDetector",
    "ToolCalled",
    "ToolReturned",
    "Violation",
    "ViolationKind",
    "WorkerRestarted",
    "check",
]
