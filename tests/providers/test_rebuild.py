"""A conversation whose session was lost, or does not fit any more, continues in a new thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from yemot_ai import YemotAI
from yemot_ai.errors import ContextOverflowError, OverloadedError, ProviderError, SessionLostError
from yemot_ai.providers import FallbackProvider, Reply
from yemot_ai.providers.chat_history import MAX_EXCHANGES_AFTER_OVERFLOW, history_to_rebuild
from yemot_ai.providers.provider import Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from yemot_ai.providers import JSON

LOST = SessionLostError("gone", thread_id="t")
OVERFLOW = ContextOverflowError("too long")
LONG = [Exchange(f"שאלה {number}", f"תשובה {number}") for number in range(9)]
SHORT = LONG[-MAX_EXCHANGES_AFTER_OVERFLOW:]


class Steps:
    """A provider that takes a list of steps, each a text, an error, or a text and an error after it."""

    name = "steps"
    streams = True

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)
        self.asked: list[tuple[object, int]] = []

    async def ask(
        self, prompt: str, *, session: JSON = None, history: Sequence[Exchange] = (), **_: object
    ) -> AsyncIterator[str | Reply]:
        self.asked.append((session, len(history)))
        step = self.steps.pop(0)
        if isinstance(step, tuple):
            yield step[0]
            step = step[1]
        if isinstance(step, Exception):
            raise step
        yield Reply(f"{step} {prompt}", "s")


@pytest.mark.parametrize(
    ("error", "session", "history", "rebuilt"),
    [
        (LOST, "s", LONG, LONG),
        (LOST, None, LONG, None),
        (OVERFLOW, "s", LONG, SHORT),
        (OVERFLOW, None, LONG, SHORT),
        (OVERFLOW, "s", SHORT, SHORT),
        (OVERFLOW, None, SHORT, None),
        (OverloadedError("busy"), "s", LONG, None),
    ],
    ids=["lost", "lost-new", "overflow", "overflow-new", "short", "short-new", "another-error"],
)
def test_the_history_of_the_new_thread(
    error: ProviderError, session: str | None, history: list[Exchange], rebuilt: list[Exchange] | None
) -> None:
    assert history_to_rebuild(error, session, history) == rebuilt


def test_a_history_that_is_too_long_for_the_new_thread_is_shortened() -> None:
    provider = Steps(*["כן"] * 8, LOST, OVERFLOW, "שוב")
    ai = YemotAI(provider=provider)
    for number in range(8):
        ai.reply("c1", f"שאלה {number}")

    assert ai.reply("c1", "ועכשיו?") == "שוב ועכשיו?"
    assert provider.asked[-3:] == [("s", 0), (None, 8), (None, MAX_EXCHANGES_AFTER_OVERFLOW)]


def test_after_a_piece_a_lost_thread_is_not_rebuilt() -> None:
    provider = Steps("כן", ("אחת. ", LOST))
    fallback = FallbackProvider([provider])

    async def parts(session: JSON = None) -> list[str | Reply]:
        received: list[str | Reply] = []
        try:
            async for part in fallback.ask("יש?", session=session, stream=True):
                received.append(part)  # noqa: PERF401 - the parts before an error are checked
        except SessionLostError:
            received.append("lost")
        return received

    (first,) = asyncio.run(parts())
    assert isinstance(first, Reply)
    assert asyncio.run(parts(first.session)) == ["אחת. ", "lost"]
    assert provider.asked == [(None, 0), ("s", 0)]
