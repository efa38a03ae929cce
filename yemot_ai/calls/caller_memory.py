"""What is remembered of a caller from call to call, by the number that the line sends.

A record of its own beside the calls' sessions, in the same store. A withheld number has none.
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
"""How many of the last answered turns are kept to rebuild a conversation from."""

DAY = 86_400.0


class CallerMemory:
    """Memories by phone number.

    Args:
        store: where they are kept.
        ttl: seconds after the last call that a caller is remembered; the store keeps the record a day
            longer, so that what providers keep is found and forgotten.
        now: Unix time in seconds.
    """

    def __init__(self, store: SessionStore, *, ttl: float, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._ttl = ttl
        self._now = now

    async def recall(self, session: Session) -> Session:
        """Return the session with what is remembered of its caller.

        The provider's threads are taken out of the memory: a second call from the same number at the
        same time rebuilds the conversation from what was said, instead of writing into this one's.
        """
        if session.recalled or not normalize_number(session.phone):
            return session
        taken: dict[str, JSON] = {}
        known = await self._store.load(_record_name(session.phone))
        if known is None:
            return replace(session, recalled=True)

        def take(memory: Session) -> Session:
            taken.clear()
            taken.update(memory.threads)
            return replace(memory, threads={}) if memory.threads else memory

        memory = await update_session(self._store, known.call_id, take, ttl=self._ttl + DAY)
        anew = session.restarted  # the caller has pressed the key before the first question
        return replace(
            session,
            recalled=True,
            earlier=tuple(turn for turn in memory.turns if turn.conversation not in anew),
            threads={**{name: taken[name] for name in taken if name not in anew}, **session.threads},
            retired=(*session.retired, *((name, taken[name]) for name in taken if name in anew)),
        )

    async def save_call(self, session: Session) -> dict[str, JSON]:
        """Remember what was said in a call that is over.

        What was said before is dropped where the caller has started anew.

        Returns:
            The threads by conversation that another call had left meanwhile, and that nobody needs now.
        """
        if not normalize_number(session.phone):
            return {}
        displaced: dict[str, JSON] = {}
        said = [turn for turn in session.turns if turn.conversation and turn.has_answer]

        def remember(memory: Session) -> Session:
            displaced.clear()
            needless = {*session.threads, *session.restarted}
            displaced.update({name: memory.threads[name] for name in memory.threads if name in needless})
            left = {name: memory.threads[name] for name in memory.threads if name not in needless}
            before = (turn for turn in memory.turns if turn.conversation not in session.restarted)
            turns = (*before, *(replace(turn, spoken="") for turn in said if not turn.forgotten))
            return replace(memory, turns=turns[-MAX_TURNS:], threads={**left, **session.threads})

        await update_session(self._store, _record_name(session.phone), remember, ttl=self._ttl + DAY)
        return displaced

    async def count_turn(self, phone: str, *, limit: int) -> None:
        """Count one turn of today.

        Raises:
            LimitReachedError: there were as many already.
        """
        if not normalize_number(phone):
            return
        today = int(self._now() // DAY)

        def one_more(memory: Session) -> Session:
            turns = _turns_today(memory, today)
            _check_limit(turns, limit)
            return replace(memory, state={**memory.state, "day": today, "turns": turns + 1})

        await update_session(self._store, _record_name(phone), one_more, ttl=self._ttl + DAY)

    async def check_turns(self, phone: str, *, limit: int) -> None:
        """Do what ``count_turn`` does, and count nothing."""
        memory = await self._store.load(_record_name(phone)) if normalize_number(phone) else None
        if memory is not None:
            _check_limit(_turns_today(memory, int(self._now() // DAY)), limit)

    async def forget(self, phone: str) -> dict[str, JSON]:
        """Drop a memory; return the threads by conversation that the providers must forget too."""
        memory = await self._store.load(_record_name(phone))
        await self._store.delete(_record_name(phone))
        return dict(memory.threads) if memory else {}

    async def expired(self) -> AsyncIterator[str]:
        """Iterate over the numbers whose time is up."""
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
