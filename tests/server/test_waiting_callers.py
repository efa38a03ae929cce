"""Which lines ask again by themselves, and that the end of a server waits for them."""

from __future__ import annotations

import asyncio
import time

import pytest

from yemot_ai.flow.request_log.summary import AnsweredRequest
from yemot_ai.protocol import Request
from yemot_ai.server.waiting_callers import FETCH_SECONDS, WaitingCallers

POLL = "read=t-רק רגע=ai_1w1,no,1,1,1,No,yes,no"
ANSWER = "read=t-בשמונה=ai_2,no,voice,,,,,,,,,,,,no"
HANG_UP = "go_to_folder=hangup"


class Clock:
    """Seconds that a test sets."""

    seconds = 100.0

    def now(self) -> float:
        return self.seconds


def answered(response: str, call: str = "c1") -> AnsweredRequest:
    return AnsweredRequest(Request.parse(f"ApiCallId={call}&ai_1=שלום"), response, 0.1)


@pytest.mark.parametrize(
    ("response", "asks_again"),
    [
        (POLL, True),
        ("id_list_message=t-בשמונה&read=f-m=ai_1w2,no,1,1,1,No,yes,no", True),
        ("read=t-תקלה זמנית=ai_x1,no,1,1,1,No,yes,no", True),
        (ANSWER, False),
        ("read=t-הקישו=menu,no,1,1,7,No", False),
        (HANG_UP, False),
        ("id_list_message=t-ai_1w1", False),
        ("", False),
    ],
    ids=["poll", "part", "outage", "answer", "menu", "hang-up", "words", "nothing"],
)
def test_a_line_that_polls_asks_again(response: str, asks_again: bool) -> None:  # noqa: FBT001 - the case
    assert answered(response).asks_again == asks_again


@pytest.mark.parametrize("last", [ANSWER, HANG_UP])
def test_a_line_that_has_its_answer_is_not_waited_for(last: str) -> None:
    waiting = WaitingCallers()
    waiting.note(answered(POLL))
    waiting.note(answered(POLL, "c2"))
    waiting.note(answered(last))

    assert len(waiting) == 1


def test_a_line_that_does_not_ask_again_is_forgotten() -> None:
    clock = Clock()
    waiting = WaitingCallers(clock.now)
    waiting.note(answered(POLL))
    clock.seconds += FETCH_SECONDS

    assert len(waiting) == 0


def test_the_wait_ends_with_the_last_answer_that_is_fetched_in_another_thread() -> None:
    waiting = WaitingCallers()
    waiting.note(answered(POLL))
    waiting.note(answered(POLL, "c2"))

    async def wait() -> None:
        async with asyncio.timeout(5):
            ends = asyncio.create_task(waiting.wait(60))
            await asyncio.to_thread(waiting.note, answered(ANSWER))
            assert not ends.done()
            await asyncio.to_thread(waiting.note, answered(ANSWER, "c2"))
            await ends

    asyncio.run(wait())


def test_the_wait_ends_at_its_deadline() -> None:
    waiting, started = WaitingCallers(), time.monotonic()
    waiting.note(answered(POLL))
    asyncio.run(waiting.wait(0.05))

    assert 0.05 <= time.monotonic() - started < FETCH_SECONDS
    assert len(waiting) == 1
