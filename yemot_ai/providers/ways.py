"""The ways to be answered by any provider: whole, or piece by piece; a session of None begins one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias

from yemot_ai.providers.provider import JSON, Exchange, Provider, Reply, StreamingProvider

__all__ = ["AskMode", "ask_streaming", "ask_whole"]

AskMode: TypeAlias = Callable[
    [Provider, JSON, str, "str | None", Sequence[Exchange]], "AsyncIterator[str | Reply]"
]


async def ask_whole(
    provider: Provider,
    session: JSON,
    prompt: str,
    instructions: str | None,
    history: Sequence[Exchange],
) -> AsyncIterator[str | Reply]:
    """Be answered in one piece."""
    if session is None:
        yield await provider.start_session(prompt, instructions=instructions, history=history)
    else:
        yield await provider.continue_session(session, prompt, instructions=instructions)


async def ask_streaming(
    provider: Provider,
    session: JSON,
    prompt: str,
    instructions: str | None,
    history: Sequence[Exchange],
) -> AsyncIterator[str | Reply]:
    """Be answered piece by piece, by whoever can; by others in one."""
    if not isinstance(provider, StreamingProvider):
        parts = ask_whole(provider, session, prompt, instructions, history)
    else:
        parts = provider.stream(session, prompt, instructions=instructions, history=history)
    async for part in parts:
        yield part
