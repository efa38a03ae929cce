"""The reference agent: a menu and an agent that answers through Codex.

Serve it with ``yemot-ai serve``. Its whole code is what follows; ``YEMOT_AI_MODE`` (``codex`` or
``openai``) says who answers, ``YEMOT_AI_STORE`` where calls are remembered (``sqlite:FILE``,
``redis://host``; the memory of the process unless given), ``YEMOT_AI_SECRET`` what the line must
bring (``yemot-ai ext-ini URL --secret``; nothing unless given).
"""

from __future__ import annotations

import os

from yemot_ai import AccessPolicy, AICall, AIFlow, YemotAI

__all__ = ["flow"]

ai = YemotAI(os.environ.get("YEMOT_AI_MODE", "codex"), store=os.environ.get("YEMOT_AI_STORE"))
flow = AIFlow(ai, access=AccessPolicy(secret=os.environ.get("YEMOT_AI_SECRET")))


@flow.get("")
def welcome(call: AICall) -> None:
    """Offer the agent, or to leave."""
    call.play_message("ברוכים הבאים")
    choice = call.read(
        "לשיחה עם הסוכן הקישו 1, ליציאה הקישו 2", val_name="menu", max_digits=1, digits_allowed="12"
    )
    if choice == "1":
        call.goto("/ai_agent")
    call.play_message("להתראות")
    call.hangup()


@flow.ai_agent("/ai_agent", greeting="אתם מדברים עם הסוכן, במה אפשר לעזור?")
def agent(call: AICall, text: str) -> None:
    """Let the AI answer."""
