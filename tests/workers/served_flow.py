"""The reference agent for worker processes: OpenAI's API at another address, a shorter lease.

It can be imported without those settings, as pytest does to collect doctests.
"""

from __future__ import annotations

import os

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.providers import OpenAIProvider

ai = YemotAI(
    provider=OpenAIProvider(
        api_key="none", base_url=os.environ.get("MODEL_URL"), model=str(os.getpid()), store=False
    ),
    store=os.environ.get("YEMOT_AI_STORE"),
    lease=float(os.environ.get("LEASE", "3")),
)
flow = AIFlow(ai)


@flow.get("")
def welcome(call: AICall) -> None:
    call.play_message("ברוכים הבאים")
    if call.read("לשיחה עם הסוכן הקישו 1", val_name="menu", max_digits=1) == "1":
        call.goto("/ai_agent")
    call.hangup()


@flow.ai_agent("/ai_agent", greeting="אתם מדברים עם הסוכן")
def agent(call: AICall, text: str) -> None:
    """Let the AI answer."""
