"""A line with an agent, whose model is the one of the environment."""

from __future__ import annotations

import os

from yemot_ai import AICall, AIFlow, YemotAI

flow = AIFlow(YemotAI(os.environ.get("SHOP_MODEL", "codex")))


@flow.ai_agent("", greeting="שלום")
def agent(call: AICall, text: str) -> None:
    """Leave the answer to the model."""
