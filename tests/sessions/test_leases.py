"""What a hold leaves behind in its store."""

from __future__ import annotations

import asyncio

import pytest

from yemot_ai.errors import StoreError
from yemot_ai.sessions import Hold


class LostAnswers:
    """Grants each key, and loses the answer, as a server that hangs for a moment."""

    def __init__(self) -> None:
        self.holders: dict[str, str] = {}

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        self.holders[key] = token
        raise StoreError("no answer")

    renew = acquire

    async def release(self, key: str, token: str) -> None:
        if self.holders.get(key) == token:
            del self.holders[key]


def test_a_key_whose_answer_was_lost_is_handed_back() -> None:
    async def run_steps() -> dict[str, str]:
        leases = LostAnswers()
        with pytest.raises(StoreError, match="no answer"):
            async with Hold(leases, "key"):
                raise AssertionError("the hold must fail")
        await asyncio.sleep(0)
        return leases.holders

    assert asyncio.run(run_steps()) == {}
