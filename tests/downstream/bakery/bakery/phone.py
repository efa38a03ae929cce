"""The line: ``yemot-ai serve bakery.phone:line``."""

from __future__ import annotations

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.providers import OpenAIProvider


def line() -> AIFlow:
    """Create the line; each test has its own."""
    flow = AIFlow(YemotAI("codex"))

    @flow.get("")
    def menu(call: AICall) -> None:
        key = call.read(
            "להזמנות הקישו 1, לשאלות הקישו 2", val_name="menu", max_digits=1, digits_allowed=[1, 2]
        )
        call.goto(f"/{key}")

    @flow.ai_agent("1", greeting="מה תרצו להזמין?")
    def orders(call: AICall, text: str) -> str | None:
        if "חלה" in text:
            return "החלות אזלו, אולי עוגה?"  # answered without the AI
        return None

    @flow.ai_agent("2", greeting="מה תרצו לדעת?", provider=OpenAIProvider(model="gpt-5.5"))
    def questions(call: AICall, text: str) -> None: ...

    return flow
