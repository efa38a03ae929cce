"""AI agents on Yemot HaMashiach phone lines.

``YemotAI`` answers what callers say; ``AIFlow`` is a yemot-flow ``Flow`` whose calls can ask it.
"""

from __future__ import annotations

from yemot_ai.ai import YemotAI
from yemot_ai.calls.hooks import CallSummary
from yemot_ai.calls.limits import Limits
from yemot_ai.flow import AccessPolicy, AICall, AIFlow, DialogSettings, KeyAction
from yemot_ai.sessions import Turn

__all__ = [
    "AICall",
    "AIFlow",
    "AccessPolicy",
    "CallSummary",
    "DialogSettings",
    "KeyAction",
    "Limits",
    "Turn",
    "YemotAI",
    "__version__",
]

__version__ = "0.2.0"
