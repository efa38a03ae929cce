"""The ledger: a turn is worked out once, however often it is asked for.

Yemot's requests are at-least-once, a plain handler re-runs from the top at every request, and
polls come while a model still thinks. Whoever asks for a turn that is running joins it, in this
process or in another one; whoever asks for one that is over gets what the ledger says::

    turn = await ledger.once(call_id, "ai_3", "מה השעה?", work)
"""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

from yemot_ai.errors import CallEndedError, HoldLostError, ProviderError, ProviderTimeoutError
from yemot_ai.sessions import DEFAULT_LEASE, Session, SessionStore, Turn, hold_key
from yemot_ai.sessions.hangup_watch import HangupWatch
from yemot_ai.sessions.retry import PendingWrites, retry_while_store_is_away
from yemot_ai.turns import transitions as entries
from yemot_ai.turns.stream import AnswerStream, OvertakenError, TurnNotifier, wait_for_event
from yemot_ai.turns.work import TurnResult, TurnWork, run_guarded

__all__ = ["Ledger"]

log = logging.getLogger("yemot_ai")

POLL_INTERVAL = 0.2
"""Seconds between two looks for what another worker has written."""


UpdateSession = Callable[[str, Callable[[Session], Session]], Awaitable[Session]]


class Ledger:
    """Works turns out and writes them down; lives on the engine's loop.

    Who works on a turn holds its key in the store. Others wait for the key: they then find the turn
    over, or left behind by a process that has died, and work it out themselves.

    Args:
        store: where sessions are kept.
        update: changes a session in it by a pure function.
        hangup_watch: looks out for the end of a call while a turn of it runs.
        timeout: seconds for one turn, all retries included.
        on_done: told the session and each turn that is over, by whoever has worked it out.
        on_discarded: told, and awaited, what was worked out for a call that had ended meanwhile.
        lease: seconds of silence after which whoever works on a turn counts as dead.
    """

    def __init__(  # noqa: PLR0913 - made in one place, by YemotAI
        self,
        store: SessionStore,
        update: UpdateSession,
        *,
        hangup_watch: HangupWatch,
        timeout: float,
        on_done: Callable[[Session, Turn], object],
        on_discarded: Callable[[TurnResult], Awaitable[None]],
        lease: float = DEFAULT_LEASE,
    ) -> None:
        self._store = store
        self._update = update
        self._hangup_watch = hangup_watch
        self._timeout = timeout
        self._on_done = on_done
        self._on_discarded = on_discarded
        self._lease = lease
        self._worker_id = uuid.uuid4().hex
        self._pending_writes: PendingWrites[Turn] = PendingWrites()
        self._tasks: dict[str, dict[str, asyncio.Task[Turn]]] = {}
        self._streams: dict[tuple[str, str], AnswerStream] = {}
        self._notifier = TurnNotifier()

    async def run_once(
        self, call_id: str, turn: Turn, work: TurnWork, *, held_key: str | None = None
    ) -> Turn:
        """Return the turn's end: from the ledger, by joining it, or by doing ``work``.

        Args:
            call_id: the call.
            turn: the turn as it begins.
            work: works the answer out; called at most once.
            held_key: work and writing down are done alone under this key.

        Raises:
            CallEndedError: the call has hung up, or did while the turn ran.
        """
        tasks = self._tasks.setdefault(call_id, {})
        task = tasks.get(turn.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._run_watched(call_id, turn, work, held_key))
            tasks[turn.id] = task
            task.add_done_callback(functools.partial(self._drop, call_id, turn.id))
        # asyncio.wait, unlike await, leaves the turn alone when whoever asked is cancelled.
        await asyncio.wait({task})
        if task.cancelled():
            raise CallEndedError(call_id)
        return task.result()

    def is_running(self, call_id: str, turn_id: str) -> bool:
        """Tell whether a turn is worked on, or waited for, in this process; from any thread."""
        return turn_id in self._tasks.get(call_id, ())

    async def cancel_call(self, call_id: str) -> None:
        """Cancel every running turn of a call and wait until it is gone."""
        await self._cancel_turns(call_id, prefix="")

    async def _cancel_turns(self, call_id: str, *, prefix: str) -> None:
        await self._cancel_tasks(
            [task for name, task in self._tasks.get(call_id, {}).items() if name.startswith(prefix)]
        )

    async def _cancel_tasks(self, running: list[asyncio.Task[Turn]]) -> None:
        for task in running:
            if not task.cancelling():  # it cleans up, and must not be stopped in that
                task.cancel()
        if running:
            await asyncio.wait(running)

    async def wait_for_pieces(self, call_id: str, turn_id: str, *, more_than: int) -> None:
        """Wait until more than ``more_than`` sentences of a turn are written down, or it is over.

        At once where it is worked on here; what another worker writes is looked for.
        """
        key = call_id, turn_id
        with self._notifier.watch(key) as news:
            while True:
                news.clear()
                telling = self._streams.get(key)
                if telling is not None:
                    if telling.written > more_than:
                        return
                    await telling.flush_until(news)
                    continue
                # Whoever asks has just looked.
                await wait_for_event(news, seconds=None if self._store.immediate else POLL_INTERVAL)
                session = await self._store.load(call_id)
                turn = session.turn(turn_id) if session else None
                if turn is not None and (turn.is_done or len(turn.pieces) > more_than):
                    return

    async def stop_interrupted(self, session: Session, turn_id: str) -> None:
        """Stop the work on a turn that was interrupted, and tell of its end.

        Asked by whoever has interrupted it in the store, once; another worker sees it there.
        """
        turn = session.turn(turn_id)
        if turn is None:
            raise AssertionError(turn_id)
        self._on_done(session, turn)  # at once: the next turn must not be told before it
        await self._cancel_turns(session.call_id, prefix=f"{turn_id}.")
        task = self._tasks.get(session.call_id, {}).get(turn_id)
        await self._cancel_tasks([task] if task else [])

    def _drop(self, call_id: str, turn_id: str, task: asyncio.Task[Turn]) -> None:
        tasks = self._tasks[call_id]
        del tasks[turn_id]
        if not tasks:
            del self._tasks[call_id]
        if not task.cancelled():
            task.exception()  # seen: the line may have stopped asking

    async def _run_watched(self, call_id: str, asked: Turn, work: TurnWork, hold: str | None) -> Turn:
        with self._hangup_watch.watching(call_id):
            return await self._run_or_join(call_id, asked, work, hold)

    async def _run_or_join(self, call_id: str, asked: Turn, work: TurnWork, hold: str | None) -> Turn:
        key = hold_key("turn", call_id, asked.id)
        while True:
            try:
                async with (
                    asyncio.timeout(self._timeout) as waiting,
                    self._store.hold(key, lease=self._lease),
                ):
                    claimed = await self._claim(call_id, asked)
                    if claimed.is_done:
                        return claimed
                    waiting.reschedule(None)  # from here on the work has its own time
                    return await self._run_work(call_id, claimed, work, hold)
            except (HoldLostError, OvertakenError) as lost:
                log.warning("call %s: turn %s: %s; joining who has it now", call_id, asked.id, lost)
                # An answer that is there already is not asked for again: nobody may have overtaken us.
                await self._pending_writes.wait(key)
            except TimeoutError:
                return entries.as_failed(asked, ProviderTimeoutError(seconds=self._timeout))

    async def _run_work(self, call_id: str, turn: Turn, work: TurnWork, hold: str | None) -> Turn:
        now = asyncio.get_running_loop().time
        started = now()
        key = call_id, turn.id
        write = functools.partial(self._write_pieces, key, turn)
        telling = self._streams[key] = AnswerStream(write, immediate=self._store.immediate)
        try:
            # All within the turn's time, the wait for an earlier turn of the conversation too.
            async with asyncio.timeout(self._timeout) as left, self._hold(hold):
                async with telling:
                    worked = await run_guarded(work, telling)
                left.reschedule(None)
                turn = replace(turn, pieces=tuple(telling.pieces))
                return await self._save_end(
                    call_id, entries.as_answered(turn, worked, now() - started), worked
                )
        except TimeoutError as error:
            # A provider's own deadline is a ProviderTimeoutError, which is a TimeoutError.
            late = _as_provider_timeout(error, self._timeout)
            log.warning("call %s: turn %s: %s", call_id, turn.id, late)
            await self._cancel_turns(call_id, prefix=f"{turn.id}.")
            failed = entries.as_failed(turn, late)
        except ProviderError as error:
            failed = entries.as_failed(turn, error)
        except OvertakenError:
            await self._cancel_turns(call_id, prefix=f"{turn.id}.")
            raise
        finally:
            del self._streams[key]
            self._notifier.notify(key)
        failed = replace(failed, pieces=tuple(telling.pieces), duration=now() - started)
        return await self._save_end(call_id, failed, None)

    async def _write_pieces(
        self, key: tuple[str, str], turn: Turn, pieces: tuple[str, ...], before: str
    ) -> None:
        """Write the sentences of a turn down, if it is still ours; with no new ones, only see to that."""
        await self._update(key[0], lambda session: entries.add_pieces(session, turn, pieces, before))
        self._notifier.notify(key)

    def _hold(self, key: str | None) -> AbstractAsyncContextManager[None]:
        return self._store.hold(key, lease=self._lease) if key is not None else nullcontext()

    async def _claim(self, call_id: str, asked: Turn) -> Turn:
        """Write the turn down as ours, unless it is over."""
        mine = replace(asked, owner=f"{self._worker_id}.{uuid.uuid4().hex}")
        before: Turn | None = None

        def claim(session: Session) -> Session:
            nonlocal before
            before = session.turn(asked.id)
            return entries.claim(session, mine)

        session = await self._update(call_id, claim)
        claimed = session.turn(asked.id) or mine
        if claimed.is_done and before and not before.is_done:
            self._on_done(session, claimed)  # whoever had it before us cannot tell
        return claimed

    async def _save_end(self, call_id: str, turn: Turn, result: TurnResult | None) -> Turn:
        return await self._pending_writes.write(
            hold_key("turn", call_id, turn.id), self._save_end_now(call_id, turn, result)
        )

    async def _save_end_now(self, call_id: str, turn: Turn, result: TurnResult | None) -> Turn:
        over = replace(turn, owner="")
        write = functools.partial(entries.finish, turn=turn, finished=over, result=result or TurnResult())
        try:
            session = await retry_while_store_is_away(
                lambda: self._update(call_id, write), f"call {call_id}: the end of turn {turn.id}"
            )
        except CallEndedError:
            if result:
                await self._on_discarded(result)
            raise
        except OvertakenError:
            if result:
                await self._update(call_id, lambda session: entries.retire_thread(session, turn.id, result))
            raise
        self._on_done(session, over)
        return over


def _as_provider_timeout(error: TimeoutError, seconds: float) -> ProviderTimeoutError:
    return error if isinstance(error, ProviderTimeoutError) else ProviderTimeoutError(seconds=seconds)
