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
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace

from yemot_ai.errors import (
    CallEndedError,
    HoldLostError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.news import News, come
from yemot_ai.providers.provider import JSON, Usage
from yemot_ai.sessions import LEASE, Failure, Session, SessionStore, Status, Turn, hold_key
from yemot_ai.telling import OvertakenError, Telling
from yemot_ai.watch import Watch
from yemot_ai.writing import Writings, persistently

__all__ = ["Ledger", "Work", "Worked"]

log = logging.getLogger("yemot_ai")

LOOK = 0.2
"""Seconds between two looks for what another worker has written."""


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
        state: what ``call.state`` is after the turn; None where it has not changed.
        put_aside: a session of the provider that the conversation does not go on with; it is to be
            forgotten when the call ends.
    """

    answer: str = ""
    conversation: str = ""
    session: JSON = None
    session_id: str = ""
    usage: Usage | None = None
    outcome: str = ""
    spoken: str = ""
    state: Mapping[str, JSON] | None = None
    put_aside: JSON = None


Work = Callable[[Telling], Awaitable[Worked]]
"""Works a turn out; what the caller may hear before it is over is told to the ``Telling``."""

Update = Callable[[str, Callable[[Session], Session]], Awaitable[Session]]


class Ledger:
    """Works turns out and writes them down; lives on the engine's loop.

    Who works on a turn holds its key in the store. Others wait for the key: they then find the turn
    over, or left behind by a process that has died, and work it out themselves.

    Args:
        store: where sessions are kept.
        update: changes a session in it by a pure function.
        watch: looks out for the end of a call while a turn of it runs.
        timeout: seconds for one turn, all retries included.
        written: told the session and each turn that is over, by whoever has worked it out.
        unwritten: told, and awaited, what was worked out for a call that had ended meanwhile.
        lease: seconds of silence after which whoever works on a turn counts as dead.
    """

    def __init__(  # noqa: PLR0913 - made in one place, by YemotAI
        self,
        store: SessionStore,
        update: Update,
        *,
        watch: Watch,
        timeout: float,
        written: Callable[[Session, Turn], object],
        unwritten: Callable[[Worked], Awaitable[None]],
        lease: float = LEASE,
    ) -> None:
        self._store = store
        self._update = update
        self._watch = watch
        self._timeout = timeout
        self._written = written
        self._unwritten = unwritten
        self._lease = lease
        self._writings: Writings[Turn] = Writings()
        self._tasks: dict[str, dict[str, asyncio.Task[Turn]]] = {}
        self._tellings: dict[tuple[str, str], Telling] = {}
        self._news = News()

    async def once(self, call_id: str, asked: Turn, work: Work, *, hold: str | None = None) -> Turn:
        """Return the turn's end: from the ledger, by joining it, or by doing ``work``.

        Args:
            call_id: the call.
            asked: the turn as it begins.
            work: works the answer out; called at most once.
            hold: work and writing down are done alone under this key.

        Raises:
            CallEndedError: the call has hung up, or did while the turn ran.
        """
        tasks = self._tasks.setdefault(call_id, {})
        task = tasks.get(asked.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._watched(call_id, asked, work, hold))
            tasks[asked.id] = task
            task.add_done_callback(functools.partial(self._drop, call_id, asked.id))
        # asyncio.wait, unlike await, leaves the turn alone when whoever asked is cancelled.
        await asyncio.wait({task})
        if task.cancelled():
            raise CallEndedError(call_id)
        return task.result()

    def is_working_on(self, call_id: str, turn_id: str) -> bool:
        """Tell whether a turn is worked on, or waited for, in this process; from any thread."""
        return turn_id in self._tasks.get(call_id, ())

    async def cancel(self, call_id: str) -> None:
        """Cancel every running turn of a call and wait until it is gone."""
        await self._cancel(call_id, prefix="")

    async def _cancel(self, call_id: str, *, prefix: str) -> None:
        running = [task for name, task in self._tasks.get(call_id, {}).items() if name.startswith(prefix)]
        for task in running:
            if not task.cancelling():  # it cleans up, and must not be stopped in that
                task.cancel()
        if running:
            await asyncio.wait(running)

    async def told(self, call_id: str, turn_id: str, *, after: int) -> None:
        """Wait until more than ``after`` sentences of a turn are written down, or it is over.

        At once where it is worked on here; what another worker writes is looked for.
        """
        key = call_id, turn_id
        with self._news.about(key) as news:
            while True:
                news.clear()
                telling = self._tellings.get(key)
                if telling is not None:
                    if telling.written > after:
                        return
                    await telling.wanted(news)
                    continue
                # Whoever asks has just looked.
                await come(news, within=None if self._store.immediate else LOOK)
                session = await self._store.load(call_id)
                turn = session.turn(turn_id) if session else None
                if turn is not None and (turn.is_over or len(turn.pieces) > after):
                    return

    async def stop(self, call_id: str, turn_id: str) -> None:
        """Stop the work on a turn that was interrupted in the store; another worker sees it there."""
        ours = (call_id, turn_id) in self._tellings
        await self._cancel(call_id, prefix=f"{turn_id}.")
        task = self._tasks.get(call_id, {}).get(turn_id)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        session = await self._store.load(call_id)
        turn = session.turn(turn_id) if session else None
        if ours and session and turn and turn.is_over:
            self._written(session, turn)

    def _drop(self, call_id: str, turn_id: str, task: asyncio.Task[Turn]) -> None:
        tasks = self._tasks[call_id]
        del tasks[turn_id]
        if not tasks:
            del self._tasks[call_id]
        if not task.cancelled():
            task.exception()  # seen: the line may have stopped asking

    async def _watched(self, call_id: str, asked: Turn, work: Work, hold: str | None) -> Turn:
        with self._watch.over(call_id):
            return await self._settle(call_id, asked, work, hold)

    async def _settle(self, call_id: str, asked: Turn, work: Work, hold: str | None) -> Turn:
        key = hold_key("turn", call_id, asked.id)
        was_ours = False
        while True:
            try:
                async with (
                    asyncio.timeout(self._timeout) as waiting,
                    self._store.hold(key, lease=self._lease),
                ):
                    session, claimed = await self._claim(call_id, asked)
                    if claimed.is_over:
                        if was_ours and claimed.interrupted:
                            self._written(session, claimed)
                        return claimed
                    waiting.reschedule(None)  # from here on the work has its own time
                    return await self._work(call_id, claimed, work, hold)
            except (HoldLostError, OvertakenError) as lost:
                was_ours = True
                log.warning("call %s: turn %s: %s; joining who has it now", call_id, asked.id, lost)
                # An answer that is there already is not asked for again: nobody may have overtaken us.
                await self._writings.wait(key)
            except TimeoutError:
                return _failed(asked, ProviderTimeoutError(seconds=self._timeout))

    async def _work(self, call_id: str, turn: Turn, work: Work, hold: str | None) -> Turn:
        now = asyncio.get_running_loop().time
        started = now()
        key = call_id, turn.id
        write = functools.partial(self._write_pieces, key, turn)
        telling = self._tellings[key] = Telling(write, immediate=self._store.immediate)
        try:
            # All within the turn's time, the wait for an earlier turn of the conversation too.
            async with asyncio.timeout(self._timeout) as left, self._held(hold):
                async with telling:
                    worked = await _guarded(work, telling)
                left.reschedule(None)
                turn = replace(turn, pieces=tuple(telling.pieces))
                return await self._write(call_id, _answered(turn, worked, now() - started), worked)
        except TimeoutError as error:
            # A provider's own deadline is a ProviderTimeoutError, which is a TimeoutError.
            late = _as_provider_timeout(error, self._timeout)
            log.warning("call %s: turn %s: %s", call_id, turn.id, late)
            await self._cancel(call_id, prefix=f"{turn.id}.")
            failed = _failed(turn, late)
        except ProviderError as error:
            failed = _failed(turn, error)
        except OvertakenError:
            await self._cancel(call_id, prefix=f"{turn.id}.")
            raise
        finally:
            del self._tellings[key]
            self._news.tell(key)
        failed = replace(failed, pieces=tuple(telling.pieces), duration=now() - started)
        return await self._write(call_id, failed, None)

    async def _write_pieces(
        self, key: tuple[str, str], turn: Turn, pieces: tuple[str, ...], before: str
    ) -> None:
        """Write the sentences of a turn down, if it is still ours; with no new ones, only see to that."""

        def write(session: Session) -> Session:
            _refuse_lost(session, turn)
            known = session.turn(turn.id) or turn
            if len(known.pieces) == len(pieces):
                return session
            return session.with_turn(replace(known, pieces=pieces, spoken=before))

        await self._update(key[0], write)
        self._news.tell(key)

    def _held(self, key: str | None) -> AbstractAsyncContextManager[None]:
        return self._store.hold(key, lease=self._lease) if key is not None else nullcontext()

    async def _claim(self, call_id: str, asked: Turn) -> tuple[Session, Turn]:
        """Write the turn down as ours, unless it is over; whoever had it before us is dead.

        One whose answer had begun is over: nobody can go on in the middle of what was said, and to
        begin anew would say it twice.
        """
        mine = replace(asked, owner=uuid.uuid4().hex)

        def claim(session: Session) -> Session:
            _refuse_ended(session)
            known = session.turn(asked.id)
            if known and known.is_over:
                return session
            if known and known.pieces:
                left = ProviderCrashError("the worker was lost in the middle of the answer")
                return session.with_turn(replace(_failed(known, left), owner=""))
            return session.with_turn(mine)

        session = await self._update(call_id, claim)
        return session, session.turn(asked.id) or mine

    async def _write(self, call_id: str, turn: Turn, worked: Worked | None) -> Turn:
        return await self._writings.down(
            hold_key("turn", call_id, turn.id), self._write_down(call_id, turn, worked)
        )

    async def _write_down(self, call_id: str, turn: Turn, worked: Worked | None) -> Turn:
        over = replace(turn, owner="")
        write = functools.partial(_written, turn=turn, over=over, worked=worked or Worked())
        try:
            session = await persistently(
                lambda: self._update(call_id, write), f"call {call_id}: the end of turn {turn.id}"
            )
        except CallEndedError:
            if worked:
                await self._unwritten(worked)
            raise
        self._written(session, over)
        return over


async def _guarded(work: Work, telling: Telling) -> Worked:
    """Do the work; whatever goes wrong in it is an error that the ledger can keep."""
    try:
        return await work(telling)
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


def _written(session: Session, *, turn: Turn, over: Turn, worked: Worked) -> Session:
    """Return the session with the end of a turn, if the turn is still ours."""
    _refuse_lost(session, turn)
    session = session.with_turn(over)
    if worked.state is not None:
        session = replace(session, state=worked.state)
    if worked.conversation:
        session = session.with_thread(worked.conversation, worked.session)
    if worked.put_aside is not None:
        session = replace(session, retired=(*session.retired, (worked.conversation, worked.put_aside)))
    return session


def _refuse_lost(session: Session, turn: Turn) -> None:
    _refuse_ended(session)
    known = session.turn(turn.id)
    # A store that has lost the whole session knows of no other owner.
    if known is not None and known.owner != turn.owner:
        raise OvertakenError("somebody else has taken it over")


def _failed(turn: Turn, error: ProviderError) -> Turn:
    return replace(turn, status=Status.FAILED, failure=Failure.of(error))


def _answered(turn: Turn, worked: Worked, duration: float) -> Turn:
    return replace(
        turn,
        status=Status.ANSWERED,
        conversation=worked.conversation,
        answer=worked.answer,
        outcome=worked.outcome,
        spoken=worked.spoken,
        usage=worked.usage,
        session_id=worked.session_id,
        duration=duration,
    )


def _refuse_ended(session: Session) -> None:
    if session.ended:
        raise CallEndedError(session.call_id)


def _as_provider_timeout(error: TimeoutError, seconds: float) -> ProviderTimeoutError:
    return error if isinstance(error, ProviderTimeoutError) else ProviderTimeoutError(seconds=seconds)
