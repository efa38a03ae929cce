"""The protocol of the line: requests, responses, actions and messages. No I/O.

>>> request = Request.parse([("ApiCallId", "c1"), ("ApiExtension", "1"), ("choice", "2")])
>>> request.call_id, request.newest("choice")
('c1', '2')
>>> str(Response([Read([Text("מה תרצו")], "wish_1", Voice())]))
'read=t-מה תרצו=wish_1,no,voice'
"""

from __future__ import annotations

from yemot_ai.protocol.actions import (
    Action,
    CreditCard,
    GoToFolder,
    GoToFolderAndPlay,
    MusicOnHold,
    Noop,
    Play,
    Read,
    Routing,
    RoutingYemot,
    SimpleAnswer,
)
from yemot_ai.protocol.explain import ExplainedPart, Explanation, explain
from yemot_ai.protocol.lint import lint
from yemot_ai.protocol.lint_rules import Level, Problem
from yemot_ai.protocol.messages import (
    Comment,
    Date,
    Digits,
    File,
    GoTo,
    HebrewDate,
    Letters,
    Message,
    MusicOnHoldMessage,
    Number,
    SpeechFile,
    SystemMessage,
    Text,
    Zmanim,
)
from yemot_ai.protocol.normalizer.speakable import speakable
from yemot_ai.protocol.read_modes import Keyboard, Mode, Record, Tap, Voice
from yemot_ai.protocol.request import Params, Request, normalize_speech, pressed_keys
from yemot_ai.protocol.response import Response

__all__ = [
    "Action",
    "Comment",
    "CreditCard",
    "Date",
    "Digits",
    "ExplainedPart",
    "Explanation",
    "File",
    "GoTo",
    "GoToFolder",
    "GoToFolderAndPlay",
    "HebrewDate",
    "Keyboard",
    "Letters",
    "Level",
    "Message",
    "Mode",
    "MusicOnHold",
    "MusicOnHoldMessage",
    "Noop",
    "Number",
    "Params",
    "Play",
    "Problem",
    "Read",
    "Record",
    "Request",
    "Response",
    "Routing",
    "RoutingYemot",
    "SimpleAnswer",
    "SpeechFile",
    "SystemMessage",
    "Tap",
    "Text",
    "Voice",
    "Zmanim",
    "explain",
    "lint",
    "normalize_speech",
    "pressed_keys",
    "speakable",
]
