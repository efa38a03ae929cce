"""An answer that the model could not finish says so, and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.support.asking import ask_provider
from yemot_ai.providers import FallbackProvider, Reply


class CutProvider:
    """Answers with a text that reached the limit of tokens."""

    name = "cut"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield Reply(f"{prompt} מאה ועש", session="1", cut="length")


def test_a_fallback_passes_on_that_an_answer_was_cut() -> None:
    assert asyncio.run(ask_provider(FallbackProvider([CutProvider()]), "כמה?")).cut == "length"
