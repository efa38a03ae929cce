"""AI agents on Yemot HaMashiach phone lines.

``YemotAI`` answers what callers say; ``AIFlow`` is a yemot-flow ``Flow`` whose calls can ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_flow import Call

from yemot_ai._calls.hooks import CallSummary, EndReason
from yemot_ai._calls.limits import Limits
from yemot_ai._runtime import Engine
from yemot_ai._turns.answer_limits import AnswerLimits
from yemot_ai.ai import YemotAI
from yemot_ai.flow import (
    AccessPolicy,
    Agent,
    AICall,
    AIFlow,
    AsyncAgent,
    AsyncAICall,
    DialogSettings,
    HebrewWords,
    KeyAction,
    RecordingInput,
)
from yemot_ai.redaction import MASKING_FILTER, NumberMaskingFilter
from yemot_ai.sessions import Turn
from yemot_ai.web import RequestLimits

__all__ = [
    "MASKING_FILTER",
    "AICall",
    "AIFlow",
    "AccessPolicy",
    "Agent",
    "AnswerLimits",
    "AsyncAICall",
    "AsyncAgent",
    "Call",
    "CallSummary",
    "DialogSettings",
    "EndReason",
    "Engine",
    "HebrewWords",
    "KeyAction",
    "Limits",
    "NumberMaskingFilter",
    "RecordingInput",
    "RequestLimits",
    "Turn",
    "YemotAI",
    "__version__",
]

__version__ = "0.2.0"

if not TYPE_CHECKING:  # a type checker knows the names, and would take any other one of this function

    def __getattr__(name: str) -> object:
        from yemot_ai.errors.missing_names import missing_name  # noqa: PLC0415 - needed by a mistake only

        raise missing_name(__name__, name)
