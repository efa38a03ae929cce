"""The ledger: run the work of each turn once, and store its result.

Yemot's requests are at-least-once, a plain handler runs again from its top at each request, and polls
come while a model still writes. ``run_once`` joins a turn that is running, in this process or in another
one, and returns the stored result of a turn that is done::

    turn = await ledger.run_once(call_id, Turn("ai_3", "מה השעה?"), work)
"""

from __future__ import annotations

import asyncio
import copy
import functools
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, TypeVar

from yemot_ai._runtime.tasks import KeyedTasks, retrieve_exception, run_shielded, wait_for_event
from yemot_ai._turns import transitions
from yemot_ai._turns.stream import AnswerStream, OvertakenError, TurnNotifier
from yemot_ai._turns.work import RunningTurn, TurnResult, TurnWork, run_guarded
from yemot_ai.errors import CallEndedError, HoldLostError, ProviderError, ProviderTimeoutError
from yemot_ai.sessions import DEFAULT_LEASE, Session, SessionStore, Turn, hold_key
from yemot_ai.sessions.hangup_watch import HangupWatch
from yemot_ai.sessions.retry import retry_while_store_is_away

__all__ = ["Ledger"]

T = TypeVar("T")

log = logging.getLogger("yemot_ai")

POLL_INTERVAL = 0.2
"""Seconds between two loads of a turn that another worker runs."""

UpdateSession = Callable[[str, Callable[[Session], Session]], Awaitable[Session]]


class Ledger:
    """Runs and stores turns; all methods run on the engine's loop, except where noted.

    A turn runs under a hold of its key in the store. Other workers wait for the key; when they get it, the
    turn is done, or its worker has died and they run it themselves.

    Args:
        store: keeps the sessions.
        update: changes a session in it by a pure function.
        hangup_watch: detects the end of a call while a turn of it runs.
        timeout: seconds for one turn, all retries included.
        on_done: called with the session and each turn that is done, by the worker that has run it.
        on_discarded: called, and awaited, with the result of a turn whose call ended while it ran.
        lease: seconds without renewal after which the worker of a turn counts as dead.
    """

    def __init__(  # noqa: PLR0913 - constructed only by YemotAI
        self,
        store: SessionStore,
        update: UpdateSession,
        *,
        hangup_watch: HangupWatch,
        timeout: float,
        on_done: Callable[[Session, Turn], object],
        on_discarded: Callable[[TurnResult], Coroutine[Any, Any, None]],
        lease: float = DEFAULT_LEASE,
    ) -> None:
        self._store = store
        self._update = update
        self._hangup_watch = hangup_watch
        self._timeout = timeout
        self._on_done = on_done
        self._on_discarded = on_discarded
        self._lease = lease
        self._worker_id = secrets.token_hex(16)
        self._pending_writes: KeyedTasks[str, Turn] = KeyedTasks()
        self._tasks: dict[str, dict[str, asyncio.Task[Turn]]] = {}
        self._streams: dict[tuple[str, str], AnswerStream] = {}
        self._notifier = TurnNotifier()

    async def run_once(self, call_id: str, turn: Turn, work: TurnWork) -> Turn:
        """Return the finished turn: load it, join it, or run ``work``.

        Args:
            call_id: the call.
            turn: the turn as it starts.
            work: produces the answer; called at most once.

        Raises:
            CallEndedError: if the call has hung up, or hangs up while the turn runs.
        """
        task = self._join_or_start(call_id, turn, work)
        # asyncio.wait, unlike await, does not cancel the turn when its caller is cancelled.
        await asyncio.wait({task})
        return _result(task, call_id)

    async def run_until_pieces(self, call_id: str, turn: Turn, work: TurnWork, *, more_than: int) -> None:
        """Do what ``run_once`` does, but return as soon as the store has new pieces of the answer.

        Args:
            call_id: the call.
            turn: the turn as it starts.
            work: produces the answer; called at most once.
            more_than: the number of pieces that are not new.

        Raises:
            CallEndedError: if the call has hung up, or hangs up while the turn runs.
        """
        task = self._join_or_start(call_id, turn, work)
        pieces = asyncio.create_task(self._wait_for_pieces(call_id, turn.id, more_than=more_than))
        pieces.add_done_callback(retrieve_exception)  # that of the turn is raised first
        try:
            await asyncio.wait({task, pieces}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                _result(task, call_id)
            if pieces.done():
                pieces.result()
        finally:
            pieces.cancel()

    def _join_or_start(self, call_id: str, turn: Turn, work: TurnWork) -> asyncio.Task[Turn]:
        tasks = self._tasks.setdefault(call_id, {})
        task = tasks.get(turn.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._run_watched(call_id, turn, work))
            tasks[turn.id] = task
            task.add_done_callback(functools.partial(self._drop, call_id, turn.id))
        return task

    async def find(self, call_id: str, turn_id: str) -> Turn | None:
        """Return the stored turn, or None."""
        session = await self._store.load(call_id)
        return session.turn(turn_id) if session else None

    def is_running(self, call_id: str, turn_id: str) -> bool:
        """Return whether a turn runs, or is waited for, in this process; from any thread."""
        return turn_id in self._tasks.get(call_id, ())

    def running_tasks(self) -> list[asyncio.Task[Turn]]:
        """Return the tasks of the turns that run, or are waited for, in this process."""
        return [task for tasks in self._tasks.values() for task in tasks.values()]

    async def cancel_call(self, call_id: str) -> None:
        """Cancel the running turns of a call and wait until they have ended."""
        await self.cancel_turns(call_id, tuple(self._tasks.get(call_id, ())))

    async def cancel_turns(self, call_id: str, turn_ids: Collection[str]) -> None:
        """Cancel those of the turns that run in this process, and wait until they have ended."""
        tasks = self._tasks.get(call_id, {})
        running = [tasks[turn_id] for turn_id in turn_ids if turn_id in tasks]
        for task in running:
            if not task.cancelling():  # a second cancellation would interrupt its cleanup
                task.cancel()
        if running:
            await asyncio.wait(running)

    async def _wait_for_pieces(self, call_id: str, turn_id: str, *, more_than: int) -> None:
        """Wait until the store has more than ``more_than`` pieces of a turn, or the turn is done.

        A turn that runs here notifies at once; one that runs at another worker is polled.
        """
        key = call_id, turn_id
        with self._notifier.watch(key) as changed:
            while True:
                changed.clear()
                stream = self._streams.get(key)
                if stream is not None:
                    if stream.written > more_than:
                        return
                    await stream.flush_until(changed)
                    continue
                # The caller has just loaded the session.
                await wait_for_event(changed, seconds=None if self._store.immediate else POLL_INTERVAL)
                turn = await self.find(call_id, turn_id)
                if turn is not None and (turn.is_done or len(turn.pieces) > more_than):
                    return

    async def stop_interrupted(self, session: Session, turn_id: str) -> None:
        """Stop the work on a turn that was interrupted, and report its end.

        Called once, by the worker that has stored the interruption; others see it in the store.
        """
        turn = session.turn(turn_id)
        if turn is None:
            raise AssertionError(turn_id)
        self._on_done(session, turn)  # now: the next turn must not be reported before it
        await self.cancel_turns(session.call_id, (turn_id,))

    def _drop(self, call_id: str, turn_id: str, task: asyncio.Task[Turn]) -> None:
        tasks = self._tasks[call_id]
        del tasks[turn_id]
        if not tasks:
            del self._tasks[call_id]
        retrieve_exception(task)  # the line may have stopped asking

    async def _run_watched(self, call_id: str, turn: Turn, work: TurnWork) -> Turn:
        if self._store.immediate:  # no other worker can end the call
            return await self._run_or_join(call_id, turn, work)
        with self._hangup_watch.watching(call_id):
            return await self._run_or_join(call_id, turn, work)

    async def _run_or_join(self, call_id: str, turn: Turn, work: TurnWork) -> Turn:
        key = hold_key("turn", call_id, turn.id)
        while True:
            try:
                async with (
                    asyncio.timeout(self._timeout) as waiting,
                    self._store.hold(key, lease=self._lease),
                ):
                    session, claimed = await self._claim(call_id, turn)
                    if claimed.is_done:
                        return claimed
                    waiting.reschedule(None)  # the work has its own timeout
                    return await self._run_work(session, claimed, work)
            except (HoldLostError, OvertakenError) as lost:
                log.warning("call %s: turn %s: %s; joining its new owner", call_id, turn.id, lost)
                # If no other worker has overtaken it, the answer may be in the pending write.
                await self._pending_writes.wait(key)
            except TimeoutError:
                return transitions.as_failed(turn, ProviderTimeoutError(seconds=self._timeout))

    async def _run_work(self, session: Session, turn: Turn, work: TurnWork) -> Turn:
        now = asyncio.get_running_loop().time
        started = now()
        call_id, holds = session.call_id, AsyncExitStack()
        stream = AnswerStream(immediate=self._store.immediate)
        running = RunningTurn(
            session,
            turn.id,
            stream,
            functools.partial(self._enter_hold, holds),
            functools.partial(self._record_steps, call_id, turn),
            copy.deepcopy(dict(session.state)) if session.state else {},
            turn.conversation,
        )
        stream.write = functools.partial(self._write_pieces, call_id, turn)
        self._streams[call_id, turn.id] = stream
        try:
            # The timeout includes the wait for an earlier turn of the conversation.
            async with asyncio.timeout(self._timeout) as timeout, holds, stream:
                result = await run_guarded(work, running)
                # Nothing waits from here to the write: a turn that is cancelled in between would lose the
                # provider session of its result, which nothing would delete.
                stream.close()
                timeout.reschedule(None)
                answered = transitions.as_answered(running, turn, result, now() - started)
                return await self._save_end(call_id, turn, answered, result)
        except TimeoutError as error:
            failure: ProviderError = self._timeout_error(error, call_id, turn.id)
        except ProviderError as error:
            failure = error
        finally:
            del self._streams[call_id, turn.id]
            self._notifier.notify((call_id, turn.id))
        failed = replace(
            transitions.as_failed(turn, failure),
            conversation=running.conversation,
            spoken=stream.spoken_before,
            pieces=tuple(stream.pieces),
            duration=now() - started,
            owner="",
        )
        cut = running.cut_result
        if cut is not None:
            failed = replace(failed, usage=cut.usage, session_id=cut.session_id)
        return await self._save_end(call_id, turn, failed, cut)

    def _timeout_error(self, error: TimeoutError, call_id: str, turn_id: str) -> ProviderTimeoutError:
        if isinstance(error, ProviderTimeoutError):  # the deadline of a provider; it is in the log
            return error
        own = ProviderTimeoutError(seconds=self._timeout)
        log.warning("call %s: turn %s: %s", call_id, turn_id, own)
        return own

    async def _write_pieces(self, call_id: str, turn: Turn, pieces: tuple[str, ...], before: str) -> None:
        """Store the pieces of a turn; raise if another worker owns it, also without new pieces."""
        written = replace(turn, pieces=pieces, spoken=before)
        await self._update(call_id, lambda session: transitions.add_pieces(session, written))
        self._notifier.notify((call_id, turn.id))

    async def _record_steps(self, call_id: str, turn: Turn, steps: Iterable[Turn]) -> None:
        add = functools.partial(transitions.add_steps, turn=turn, steps=tuple(steps))
        what = f"call {call_id}: the steps of turn {turn.id}"
        await self._retry(lambda: self._update(call_id, add), what)

    async def _enter_hold(self, holds: AsyncExitStack, key: str) -> None:
        await self._retry(
            lambda: holds.enter_async_context(self._store.hold(key, lease=self._lease)), f"the hold of {key}"
        )

    async def _retry(self, operation: Callable[[], Awaitable[T]], description: str) -> T:
        if self._store.immediate:  # it is never away
            return await operation()
        return await retry_while_store_is_away(operation, description)

    async def _claim(self, call_id: str, turn: Turn) -> tuple[Session, Turn]:
        """Store the turn with this worker as its owner, unless it is done."""
        owned = replace(turn, owner=f"{self._worker_id}.{secrets.token_hex(16)}")
        before: Turn | None = None

        def claim(session: Session) -> Session:
            nonlocal before
            before = session.turn(turn.id)
            return transitions.claim(session, owned)

        session = await self._update(call_id, claim)
        claimed = session.turn(turn.id) or owned
        if claimed.is_done and before and not before.is_done:
            self._on_done(session, claimed)  # its previous owner is dead and cannot report it
        return session, claimed

    async def _save_end(self, call_id: str, turn: Turn, finished: Turn, result: TurnResult | None) -> Turn:
        if self._store.immediate:  # the write does not wait, so it cannot be cancelled
            return await self._save_end_now(call_id, turn, finished, result)
        return await self._pending_writes.run(
            hold_key("turn", call_id, turn.id), self._save_end_now(call_id, turn, finished, result)
        )

    async def _save_end_now(
        self, call_id: str, turn: Turn, finished: Turn, result: TurnResult | None
    ) -> Turn:
        write = functools.partial(
            transitions.finish, turn=turn, finished=finished, result=result or TurnResult()
        )
        try:
            session = await self._retry(
                lambda: self._update(call_id, write), f"call {call_id}: the end of turn {turn.id}"
            )
        except CallEndedError:
            if result:
                await run_shielded(self._on_discarded(result))
            raise
        except OvertakenError:
            if result:
                await self._update(
                    call_id, lambda session: transitions.retire_thread(session, turn.id, result)
                )
            raise
        saved = session.turn(turn.id) or finished
        self._on_done(session, saved)
        return saved


def _result(task: asyncio.Task[Turn], call_id: str) -> Turn:
    if task.cancelled():
        raise CallEndedError(call_id)
    return task.result()
