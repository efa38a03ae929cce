"""The reference agent: a menu, and an agent that answers through Codex, OpenAI or Anthropic.

Serve it with ``yemot-ai serve``. Environment variables: ``YEMOT_AI_MODE`` is the provider (``codex``,
``openai`` or ``anthropic``; the last two can look up the opening hours, which Codex, without tools, cannot), ``YEMOT_AI_STORE`` the store (``sqlite:FILE``, ``redis://host``; the memory of the process
unless given), ``YEMOT_AI_SECRET`` the secret that the line must send (``yemot-ai ext-ini URL --secret``;
none unless given), ``YEMOT_AI_CALL_KEY`` what identifies a call (``ApiYFCallId`` for lines that change
``ApiCallId`` between extensions).
"""

from __future__ import annotations

import os

from yemot_ai import AccessPolicy, AICall, AIFlow, YemotAI

__all__ = ["flow"]

MODE = os.environ.get("YEMOT_AI_MODE", "codex")

HOURS = {"ראשון": "9-17", "שני": "9-17", "שלישי": "9-20", "רביעי": "9-17", "חמישי": "9-17", "שישי": "9-12"}

ai = YemotAI(MODE, store=os.environ.get("YEMOT_AI_STORE"))
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


TOOLS = () if MODE.startswith("codex") else (opening_hours,)


@flow.ai_agent("/ai_agent", greeting="אתם מדברים עם הסוכן, במה אפשר לעזור?", tools=TOOLS or None)
def agent(call: AICall, text: str) -> None:
    """Let the AI answer."""
