"""Ask a provider for a whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.providers import read_reply
from yemot_ai.providers.adapter import as_provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yemot_ai.providers import JSON, AnyProvider, Exchange, Reply


async def ask_provider(
    provider: AnyProvider,
    prompt: str,
    *,
    session: JSON = None,
    instructions: str | None = None,
    history: Sequence[Exchange] = (),
) -> Reply:
    """Return the reply to ``prompt``; without ``session`` it starts a conversation."""
    asked = as_provider(provider)
    parts = asked.ask(prompt, session=session, instructions=instructions, history=history)
    return await read_reply(parts, asked.name)
