"""The ledger: a turn is worked out once, however often it is asked for.

Yemot's requests are at-least-once, a plain handler re-runs from the top at every request, and
polls come while a model still thinks. Whoever asks for a turn that is running joins it; whoever
asks for one that is over gets what the ledger says::

    turn = await ledger.once(call_id, "ai_3", "מה השעה?", work)
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, replace

from yemot_ai.errors import CallEndedError, ProviderError, ProviderTimeoutError
from yemot_ai.providers.provider import JSON, Usage
from yemot_ai.sessions import Failure, Session, SessionStore, Status, Turn, update

__all__ = ["Ledger", "Work", "Worked"]

log = logging.getLogger("yemot_ai")

OWNER = uuid.uuid4().hex
"""This process, in the eyes of others over the same store."""

GRACE = 5.0
"""Seconds that a lease outlives the deadline of its turn."""

LOOK_AGAIN = 0.1
"""Seconds between two looks at a turn that another owner is working on."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What the work on a turn came to.

    Attributes:
        answer: what was answered.
        conversation: whose memory the turn belongs to, and whose ``session`` this is.
        session: the provider's session after the turn.
        session_id: the provider's own id of it, for logs.
        usage: what it cost.
        outcome: the line's answer, where the turn ended in one of its own.
        spoken: rendered messages to be played before the answer.
    """

    answer: str = ""
    conversation: str = ""
    session: JSON = None
    session_id: str = ""
    usage: Usage | None = None
    outcome: str = ""
    spoken: str = ""


Work = Callable[[], Awaitable[Worked]]


class Ledger:
    """Works turns out and writes them down; lives on the engine's loop.

    Args:
        store: where sessions are kept.
        timeout: seconds for one turn, all retries included.
        ttl: seconds that a session is kept after its last save.
    """

    def __init__(self, store: SessionStore, *, timeout: float, ttl: float) -> None:
        self._store = store
        self._timeout = timeout
        self._ttl = ttl
        self._tasks: dict[str, dict[str, asyncio.Task[Turn]]] = {}

    async def once(
        self, call_id: str, turn_id: str, text: str, work: Work, *, hold: str | None = None
    ) -> Turn:
        """Return the turn's end: from the ledger, by joining it, or by doing ``work``.

        Args:
            call_id: the call.
            turn_id: the turn within the call.
            text: the utterance.
            work: works the answer out; called at most once.
            hold: work and writing down are done alone under this key.

        Raises:
            CallEndedError: the call has hung up, or did while the turn ran.
        """
        tasks = self._tasks.setdefault(call_id, {})
        task = tasks.get(turn_id)
        if task is None:
            asked = Turn(turn_id, text, owner=OWNER)
            task = asyncio.get_running_loop().create_task(self._settle(call_id, asked, work, hold))
            tasks[turn_id] = task
            task.add_done_callback(lambda _: self._drop(call_id, turn_id))
        # asyncio.wait, unlike await, leaves the turn alone when whoever asked is cancelled.
        await asyncio.wait({task})
        if task.cancelled():
            raise CallEndedError(call_id)
        return task.result()

    async def cancel(self, call_id: str) -> None:
        """Cancel every running turn of a call and wait until it is gone."""
        await self._cancel(call_id, prefix="")

    async def _cancel(self, call_id: str, *, prefix: str) -> None:
        running = [task for name, task in self._tasks.get(call_id, {}).items() if name.startswith(prefix)]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _drop(self, call_id: str, turn_id: str) -> None:
        tasks = self._tasks[call_id]
        del tasks[turn_id]
        if not tasks:
            del self._tasks[call_id]

    async def _settle(self, call_id: str, asked: Turn, work: Work, hold: str | None) -> Turn:
        now = asyncio.get_running_loop().time
        started = now()
        turn, worked = asked, None
        async with AsyncExitStack() as stack:
            try:
                # All within the turn's time, the wait for an earlier turn of the conversation too.
                async with asyncio.timeout(self._timeout):
                    await stack.enter_async_context(self._held(hold))
                    turn = await self._claim(call_id, asked)
                    if turn.is_over:
                        return turn
                    worked = await _guarded(work)
            except TimeoutError as error:
                # A provider's own deadline is a ProviderTimeoutError, which is a TimeoutError.
                late = _as_provider_timeout(error, self._timeout)
                log.warning("call %s: turn %s: %s", call_id, turn.id, late)
                turn = replace(turn, status=Status.FAILED, failure=Failure.of(late))
                await self._cancel(call_id, prefix=f"{turn.id}.")
            except ProviderError as error:
                turn = replace(turn, status=Status.FAILED, failure=Failure.of(error))
            turn = replace(turn, duration=now() - started, owner="")
            return await self._write(call_id, _answered(turn, worked), worked)

    def _held(self, key: str | None) -> AbstractAsyncContextManager[None]:
        return self._store.hold(key) if key is not None else nullcontext()

    async def _claim(self, call_id: str, asked: Turn) -> Turn:
        """Write the turn down as ours, or wait for whoever owns it; return it running or over."""
        while True:
            lease = time.time() + self._timeout + GRACE
            claimed = replace(asked, lease=lease)

            def claim(session: Session, claimed: Turn = claimed) -> Session:
                _refuse_ended(session)
                known = session.turn(claimed.id)
                return session if known and _is_kept(known) else session.with_turn(claimed)

            session = await update(self._store, call_id, claim, ttl=self._ttl)
            turn = session.turn(asked.id) or claimed
            if turn.is_over or (turn.owner, turn.lease) == (OWNER, lease):
                return turn
            await asyncio.sleep(LOOK_AGAIN)

    async def _write(self, call_id: str, turn: Turn, worked: Worked | None) -> Turn:
        def write(session: Session) -> Session:
            _refuse_ended(session)
            session = session.with_turn(turn)
            if worked and worked.conversation:
                return session.with_thread(worked.conversation, worked.session)
            return session

        await update(self._store, call_id, write, ttl=self._ttl)
        return turn


async def _guarded(work: Work) -> Worked:
    """Do the work; whatever goes wrong in it is an error that the ledger can keep."""
    try:
        return await work()
    except (ProviderError, CallEndedError, TimeoutError):
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        log.exception("the work on a turn was cancelled from inside")
        raise ProviderError("the work on the turn was cancelled from inside") from error
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # foreign code must not end a call
        log.exception("the work on a turn raised what it may not raise")
        raise ProviderError(f"the work on the turn raised {type(error).__name__}") from error


def _answered(turn: Turn, worked: Worked | None) -> Turn:
    if worked is None:
        return turn
    return replace(
        turn,
        status=Status.ANSWERED,
        conversation=worked.conversation,
        answer=worked.answer,
        outcome=worked.outcome,
        spoken=worked.spoken,
        usage=worked.usage,
        session_id=worked.session_id,
    )


def _is_kept(turn: Turn) -> bool:
    return turn.is_over or turn.lease > time.time()


def _refuse_ended(session: Session) -> None:
    if session.ended:
        raise CallEndedError(session.call_id)


def _as_provider_timeout(error: TimeoutError, seconds: float) -> ProviderTimeoutError:
    return error if isinstance(error, ProviderTimeoutError) else ProviderTimeoutError(seconds=seconds)
