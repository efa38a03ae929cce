"""A conversation whose session was lost, or does not fit any more, continues in a new thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from yemot_ai import YemotAI
from yemot_ai.errors import (
    ContextOverflowError,
    OverloadedError,
    ProviderError,
    RefusedRequestError,
    SessionLostError,
)
from yemot_ai.providers import AnswerPart, FallbackProvider, Reply
from yemot_ai.providers.chat_history import EXCHANGES_AFTER_OVERFLOW, history_to_rebuild
from yemot_ai.providers.provider import Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from yemot_ai.providers import JSON, AnyProvider

LOST = SessionLostError("gone", thread_id="t")
OVERFLOW = ContextOverflowError("too long")
LONG = [Exchange(f"שאלה {number}", f"תשובה {number}") for number in range(9)]
SIX, THREE, ONE = LONG[-6:], LONG[-3:], LONG[-1:]
PROMPT_ALONE = ContextOverflowError("too long")
PROMPT_ALONE.prompt_alone = True


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


def unwrapped(provider: Steps) -> AnyProvider:
    return provider


def in_a_fallback(provider: Steps) -> AnyProvider:
    return FallbackProvider([provider])


@pytest.mark.parametrize(
    ("error", "session", "history", "rebuilt"),
    [
        (LOST, "s", LONG, LONG),
        (LOST, None, LONG, None),
        (OVERFLOW, "s", LONG, SIX),
        (OVERFLOW, None, LONG, SIX),
        (OVERFLOW, "s", SIX, SIX),
        (OVERFLOW, None, SIX, THREE),
        (OVERFLOW, None, LONG[-5:], THREE),
        (OVERFLOW, None, THREE, ONE),
        (OVERFLOW, None, ONE, []),
        (OVERFLOW, "s", ONE, ONE),
        (OVERFLOW, "s", [], []),
        (OVERFLOW, None, [], None),
        (PROMPT_ALONE, "s", LONG, None),
        (OverloadedError("busy"), "s", LONG, None),
    ],
)
def test_the_history_of_the_new_thread(
    error: ProviderError, session: str | None, history: list[Exchange], rebuilt: list[Exchange] | None
) -> None:
    assert history_to_rebuild(error, session, history) == rebuilt


@pytest.mark.parametrize(
    ("session", "history", "rebuilt"), [("s", LONG, ()), (None, LONG, ()), ("s", [], ()), (None, [], None)]
)
def test_a_second_refusal_leaves_the_history_out(
    session: str | None, history: list[Exchange], rebuilt: tuple[Exchange, ...] | None
) -> None:
    error = RefusedRequestError("flagged")

    assert history_to_rebuild(error, session, history) is None
    assert history_to_rebuild(error, session, history, refused_before=True) == rebuilt


def test_a_history_that_is_too_long_for_the_new_thread_is_shortened() -> None:
    provider = Steps(*["כן"] * 8, LOST, OVERFLOW, "שוב")
    ai = YemotAI(provider=provider)
    for number in range(8):
        ai.reply("c1", f"שאלה {number}")

    assert ai.reply("c1", "ועכשיו?") == "שוב ועכשיו?"
    assert provider.asked[-3:] == [("s", 0), (None, 8), (None, 6)]


@pytest.mark.parametrize("wrap", [unwrapped, in_a_fallback])
def test_an_overflow_is_answered_from_ever_shorter_history(wrap: Callable[[Steps], AnyProvider]) -> None:
    provider = Steps(*["כן"] * 8, OVERFLOW, OVERFLOW, OVERFLOW, OVERFLOW, "שוב", "כן")
    ai = YemotAI(provider=wrap(provider))
    for number in range(8):
        ai.reply("c1", f"שאלה {number}")

    assert ai.reply("c1", "ועכשיו?") == "שוב ועכשיו?"
    assert provider.asked[-5:] == [("s", 0), *((None, count) for count in EXCHANGES_AFTER_OVERFLOW)]
    assert ai.reply("c1", "תודה") == "כן תודה"
    assert provider.asked[-1] == ("s", 0)


@pytest.mark.parametrize("wrap", [unwrapped, in_a_fallback])
def test_a_prompt_that_never_fits_fails_after_a_few_requests(wrap: Callable[[Steps], AnyProvider]) -> None:
    provider = Steps("כן", "כן", *[OVERFLOW] * 9)
    ai = YemotAI(provider=wrap(provider))
    ai.reply("c1", "אחת")
    ai.reply("c1", "שתיים")

    with pytest.raises(ContextOverflowError):
        ai.reply("c1", "ועכשיו?")
    assert provider.asked[2:] == [("s", 0), (None, 2), (None, 1), (None, 0)]


def test_after_a_piece_a_lost_thread_is_not_rebuilt() -> None:
    provider = Steps("כן", ("אחת. ", LOST))
    fallback = FallbackProvider([provider])

    async def parts(session: JSON = None) -> list[AnswerPart]:
        received: list[AnswerPart] = []
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
