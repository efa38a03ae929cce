"""The reference agent: a menu, an agent that answers through Codex, and one of OpenAI with a tool.

The last one is in the extension ``hours``, if there is a key of OpenAI: its model looks up opening hours.
Serve them with ``yemot-ai serve``. Environment variables: ``YEMOT_AI_MODE`` is the provider (``codex``,
``openai`` or ``anthropic``), ``YEMOT_AI_STORE`` the store (``sqlite:FILE``, ``redis://host``; the memory of
the process unless given), ``YEMOT_AI_SECRET`` the secret that the line must send (``yemot-ai ext-ini URL
--secret``; none unless given), ``YEMOT_AI_CALL_KEY`` what identifies a call (``ApiYFCallId`` for lines that
change ``ApiCallId`` between extensions).
"""

from __future__ import annotations

import importlib.util
import os

from yemot_ai import AccessPolicy, AICall, AIFlow, YemotAI
from yemot_ai.providers import OpenAIProvider

__all__ = ["flow"]

HOURS = {"ראשון": "9-17", "שני": "9-17", "שלישי": "9-20", "רביעי": "9-17", "חמישי": "9-17", "שישי": "9-12"}

ai = YemotAI(os.environ.get("YEMOT_AI_MODE", "codex"), store=os.environ.get("YEMOT_AI_STORE"))
flow = AIFlow(
    ai,
    access=AccessPolicy(secret=os.environ.get("YEMOT_AI_SECRET")),
    call_key=os.environ.get("YEMOT_AI_CALL_KEY", "ApiCallId"),  # type: ignore[arg-type]  # AIFlow checks it
)


@flow.get("")
def welcome(call: AICall) -> None:
    """Let the caller choose the agent or leave."""
    call.play_message("ברוכים הבאים")
    choice = call.read(
        "לשיחה עם הסוכן הקישו 1, ליציאה הקישו 2", val_name="menu", max_digits=1, digits_allowed="12"
    )
    if choice == "1":
        call.goto("/ai_agent")
    call.play_message("להתראות")
    call.hangup()


def opening_hours(day: str) -> str:
    """Return the opening hours of one day of the week.

    Args:
        day: the day in Hebrew, without "יום": ראשון, שני …
    """
    return HOURS.get(day.removeprefix("יום").strip(), "סגור")


if os.environ.get("OPENAI_API_KEY") and importlib.util.find_spec("openai"):

    @flow.ai_agent(
        "/hours", provider=OpenAIProvider(), greeting="שעות הפתיחה, על איזה יום?", tools=[opening_hours]
    )
    def hours(call: AICall, text: str) -> None:
        """Let the AI answer; it looks up the hours."""


@flow.ai_agent("/ai_agent", greeting="אתם מדברים עם הסוכן, במה אפשר לעזור?")
def agent(call: AICall, text: str) -> None:
    """Let the AI answer."""
