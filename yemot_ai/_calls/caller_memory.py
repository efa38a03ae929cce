"""Caller memory: what is kept from call to call, by the number that the line sends.

Each caller has a separate record in the store of the sessions. A withheld number has none.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from yemot_ai.errors import LimitReachedError
from yemot_ai.protocol.phone_numbers import normalize_number
from yemot_ai.providers.provider import JSON
from yemot_ai.sessions import CALLER_KEY_PREFIX, Session, SessionStore, update_session

__all__ = ["CallerMemory"]

MAX_TURNS = 20
"""How many of the newest answered turns are kept, to rebuild a conversation."""

DAY = 86_400.0


class CallerMemory:
    """Records of callers by phone number.

    Args:
        store: keeps the records.
        ttl: seconds after the last call for which a caller is remembered; the store keeps the record a day
            longer, so that the provider sessions in it can be deleted.
        now: Unix time in seconds.
    """

    def __init__(self, store: SessionStore, *, ttl: float, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._ttl = ttl
        self._now = now

    async def recall(self, session: Session) -> Session:
        """Return the session with the memory of its caller.

        The provider sessions are removed from the memory: a second call from the same number at the same
        time rebuilds the conversation from its history, instead of writing to the same session.
        """
        if session.recalled or not normalize_number(session.phone):
            return session
        taken: dict[str, JSON] = {}
        record = await self._store.load(_record_name(session.phone))
        if record is None:
            return replace(session, recalled=True)

        def take(memory: Session) -> Session:
            taken.clear()
            taken.update(memory.threads)
            return replace(memory, threads={}) if memory.threads else memory

        memory = await update_session(self._store, record.call_id, take, ttl=self._ttl + DAY)
        restarted = session.restarted  # the caller has pressed the key before the first question
        return replace(
            session,
            recalled=True,
            earlier=tuple(turn for turn in memory.turns if turn.conversation not in restarted),
            threads={**{name: taken[name] for name in taken if name not in restarted}, **session.threads},
            retired=(*session.retired, *((name, taken[name]) for name in taken if name in restarted)),
        )

    async def save_call(self, session: Session) -> dict[str, JSON]:
        """Add the turns of a call that has ended to the memory of its caller.

        Earlier turns of a conversation that the caller has restarted are dropped.

        Returns:
            The threads by conversation that another call has stored since, and that are no longer needed.
        """
        if not normalize_number(session.phone):
            return {}
        displaced: dict[str, JSON] = {}
        answered = [turn for turn in session.turns if turn.conversation and turn.has_answer]

        def remember(memory: Session) -> Session:
            displaced.clear()
            replaced = {*session.threads, *session.restarted}
            displaced.update({name: memory.threads[name] for name in memory.threads if name in replaced})
            kept = {name: memory.threads[name] for name in memory.threads if name not in replaced}
            before = (turn for turn in memory.turns if turn.conversation not in session.restarted)
            turns = (*before, *(replace(turn, spoken="") for turn in answered if not turn.forgotten))
            return replace(memory, turns=turns[-MAX_TURNS:], threads={**kept, **session.threads})

        await update_session(self._store, _record_name(session.phone), remember, ttl=self._ttl + DAY)
        return displaced

    async def count_turn(self, phone: str, *, limit: int) -> None:
        """Count one turn of today.

        Raises:
            LimitReachedError: if today has ``limit`` turns already.
        """
        if not normalize_number(phone):
            return
        today = int(self._now() // DAY)

        def count(memory: Session) -> Session:
            turns = _turns_today(memory, today)
            _check_limit(turns, limit)
            return replace(memory, state={**memory.state, "day": today, "turns": turns + 1})

        await update_session(self._store, _record_name(phone), count, ttl=self._ttl + DAY)

    async def check_turns(self, phone: str, *, limit: int) -> None:
        """Raise as ``count_turn`` does, without counting."""
        memory = await self._store.load(_record_name(phone)) if normalize_number(phone) else None
        if memory is not None:
            _check_limit(_turns_today(memory, int(self._now() // DAY)), limit)

    async def forget(self, phone: str) -> dict[str, JSON]:
        """Delete the memory of a caller; return its threads by conversation, for the providers to delete."""
        memory = await self._store.load(_record_name(phone))
        await self._store.delete(_record_name(phone))
        return dict(memory.threads) if memory else {}

    async def expired(self) -> AsyncIterator[str]:
        """Iterate over the numbers of callers that have not called for ``ttl`` seconds."""
        async for name in self._store.call_ids(idle=self._ttl):
            if name.startswith(CALLER_KEY_PREFIX):
                yield name.removeprefix(CALLER_KEY_PREFIX)


def _record_name(phone: str) -> str:
    return CALLER_KEY_PREFIX + normalize_number(phone)


def _turns_today(memory: Session, today: int) -> int:
    count = memory.state.get("turns", 0) if memory.state.get("day") == today else 0
    return count if isinstance(count, int) else 0


def _check_limit(turns: int, limit: int) -> None:
    if turns >= limit:
        raise LimitReachedError(limit="turns_per_day", most=limit)
