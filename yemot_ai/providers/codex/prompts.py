"""What Codex is told besides what the caller says now: how to answer, and what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yemot_ai.providers.provider import Exchange

__all__ = ["DEFAULT_INSTRUCTIONS", "prompt_with_history"]

DEFAULT_INSTRUCTIONS: Final = (
    "You answer a phone call. Answer briefly, in the caller's language, in plain sentences."
)
"""How to answer, where nobody says otherwise."""


def prompt_with_history(prompt: str, history: Sequence[Exchange]) -> str:
    """The first prompt of a rebuilt conversation; ``prompt`` itself where there is no history."""
    if not history:
        return prompt
    told = [f"Caller: {earlier.prompt}\nYou: {earlier.answer}" for earlier in history]
    return "\n\n".join(
        ("This phone call is already under way. What was said so far:", *told, "Now the caller says:", prompt)
    )
