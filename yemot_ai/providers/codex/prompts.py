"""Default instructions, and the prompt that carries the history of a rebuilt conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yemot_ai.providers.provider import Exchange

__all__ = ["DEFAULT_INSTRUCTIONS", "prompt_with_history"]

DEFAULT_INSTRUCTIONS: Final = (
    "You answer a phone call. Answer briefly, in the caller's language, in plain sentences."
)
"""Instructions for a provider and a turn that have none."""


def prompt_with_history(prompt: str, history: Sequence[Exchange]) -> str:
    """Return the first prompt of a rebuilt conversation; ``prompt`` itself without history."""
    if not history:
        return prompt
    earlier = [f"Caller: {exchange.prompt}\nYou: {exchange.answer}" for exchange in history]
    return "\n\n".join(
        (
            "This phone call is already under way. What was said so far:",
            *earlier,
            "Now the caller says:",
            prompt,
        )
    )
