"""A provider whose answers tell which question they answer, and in which conversation."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from yemot_ai.engine import Engine
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.virtual import virtual_engine

__all__ = ["Echo"]


class Echo:
    """Answers every prompt with the prompt, after a while.

    Args:
        engine: where turns run; one with virtual time unless given.

    Attributes:
        seconds: how long it thinks.
        asked: every prompt with the conversation it came in, in order.
        running: how many questions are being thought about right now.
    """

    name = "echo"

    def __init__(self, *, engine: Engine | None = None) -> None:
        self.engine = engine or virtual_engine()
        self.seconds = 0.0
        self.asked: list[tuple[str, str]] = []
        self.running = 0
        self._numbers = itertools.count(1)

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Echo the first prompt of a conversation."""
        del instructions, history
        return await self._echo(prompt, f"echo-{next(self._numbers)}")

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Echo a further prompt."""
        del instructions
        return await self._echo(prompt, str(session))

    async def _echo(self, prompt: str, session: str) -> Reply:
        self.asked.append((session, prompt))
        self.running += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running -= 1
        return Reply(f"{prompt} מתוך {session}", session)
