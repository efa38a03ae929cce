"""AI agents on Yemot HaMashiach phone lines.

``YemotAI`` answers what callers say; ``AIFlow`` is a yemot-flow ``Flow`` whose calls can ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.lazy_names import lazy_names

if TYPE_CHECKING:
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
    from yemot_ai.tools import Tool, ToolContext, tool
    from yemot_ai.web import RequestLimits
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "Call": "yemot_flow",
            "CallSummary": "._calls.hooks",
            "EndReason": "._calls.hooks",
            "Limits": "._calls.limits",
            "Engine": "._runtime",
            "AnswerLimits": "._turns.answer_limits",
            "YemotAI": ".ai",
            "AccessPolicy": ".flow",
            "Agent": ".flow",
            "AICall": ".flow",
            "AIFlow": ".flow",
            "AsyncAgent": ".flow",
            "AsyncAICall": ".flow",
            "DialogSettings": ".flow",
            "HebrewWords": ".flow",
            "KeyAction": ".flow",
            "RecordingInput": ".flow",
            "MASKING_FILTER": ".redaction",
            "NumberMaskingFilter": ".redaction",
            "Turn": ".sessions",
            "Tool": ".tools",
            "ToolContext": ".tools",
            "tool": ".tools",
            "RequestLimits": ".web",
        },
    )

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
    "Tool",
    "ToolContext",
    "Turn",
    "YemotAI",
    "__version__",
    "tool",
]

__version__ = "0.2.0"
