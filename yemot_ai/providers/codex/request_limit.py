"""Limit how often the model may be asked in one turn of ``codex exec``.

A model that only calls tools is asked again after each call. ``codex exec`` writes no event for it
(measured, 0.142 to 0.171): a call of a tool that does not exist is in no line. Its own limit,
``rollout_budget``, is under development, counts tokens and adds a message to the prompt. But the rollout of
the thread has each call with its output.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import AnswerCutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["excess_error", "limit_requests"]

_CHECK_INTERVAL: Final = 0.5
"""Seconds between two looks at the rollout."""

_CALL_OUTPUT: Final = b'call_output"'
"""Ends the type of an item with the result of a tool: ``function_call_output``, ``custom_tool_call_output``;
in a text the quotation mark is escaped."""


@asynccontextmanager
async def limit_requests(read_rollout: Callable[[], bytes | None], most: int) -> AsyncIterator[None]:
    """Cancel the block when the model has been asked too often, and raise the error instead.

    Args:
        read_rollout: returns the rollout of the thread; None or b"" while it has none. Called in a thread.
        most: maximum requests in the block.

    Raises:
        AnswerCutError: there were more.
    """
    task, before = asyncio.current_task(), await asyncio.to_thread(_count_calls, read_rollout)
    is_exceeded = False

    async def watch() -> None:
        nonlocal is_exceeded
        while not is_exceeded:
            await asyncio.sleep(_CHECK_INTERVAL)
            # The first request follows no call.
            is_exceeded = await asyncio.to_thread(_count_calls, read_rollout) - before >= most
        if task is not None:
            task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if is_exceeded and task is not None and not task.uncancel():
            raise excess_error(most) from None
        raise
    finally:
        watcher.cancel()


def excess_error(most: int, text: str = "") -> AnswerCutError:
    """Return the error for a turn with more than ``most`` requests, whose answer so far is ``text``."""
    return AnswerCutError(reason=f"more than {most} requests to the model", text=text, provider="codex")


def _count_calls(read_rollout: Callable[[], bytes | None]) -> int:
    return (read_rollout() or b"").count(_CALL_OUTPUT)
