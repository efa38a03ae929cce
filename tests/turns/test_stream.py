from __future__ import annotations

import asyncio

import pytest

from yemot_ai._turns.stream import AnswerStream, OvertakenError


def overtaken_stream() -> AnswerStream:
    """Return a stream whose first write finds another owner."""

    async def write(_pieces: tuple[str, ...], _before: str) -> None:
        raise OvertakenError

    stream = AnswerStream(immediate=False)
    stream.write = write
    return stream


async def some_turns_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_the_work_is_cancelled_when_another_owner_took_the_turn() -> None:
    async def work() -> None:
        async with overtaken_stream() as stream:
            stream.feed("אחת. שתיים")
            await asyncio.Event().wait()

    with pytest.raises(OvertakenError):
        asyncio.run(work())


def test_a_closed_stream_cancels_nothing() -> None:
    async def write(_pieces: tuple[str, ...], _before: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OvertakenError from None  # the command of the store had just finished

    async def work() -> str:
        stream = AnswerStream(immediate=False)
        stream.write = write
        async with stream:
            stream.feed("אחת. שתיים")
            await some_turns_of_the_loop()
            stream.close()
            await some_turns_of_the_loop()
            return "saved"

    assert asyncio.run(work()) == "saved"


def test_work_that_cleans_up_after_a_cancellation_is_not_cancelled_again() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        async with overtaken_stream() as stream:
            try:
                await asyncio.Event().wait()
            finally:
                stream.feed("אחת. שתיים")
                await some_turns_of_the_loop()
                cleaned.append("all")

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert cleaned == ["all"]
