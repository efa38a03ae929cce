"""Calls: how they begin, who may ask one more question, how they end.

A call ends once, whichever worker is told of it, and whoever finds out later stops what runs there.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from yemot_ai.calls import call_log as accounts
from yemot_ai.calls.caller_memory import CallerMemory
from yemot_ai.calls.hooks import CallSummary, EndReason, Hooks
from yemot_ai.calls.limits import Limits
from yemot_ai.calls.sweeper import Sweeper
from yemot_ai.errors import CallEndedError, ConfigurationError, SessionFormatError, StoreError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message
from yemot_ai.protocol.phone_numbers import normalize_number
from yemot_ai.providers.provider import JSON, Provider, SupportsEndSession
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import CALLER_KEY_PREFIX, Session, SessionStore, Turn, update_session
from yemot_ai.sessions.retry import retry_while_store_is_away
from yemot_ai.turns.work import TurnResult

__all__ = ["CallLifecycle"]

log = logging.getLogger("yemot_ai")

SWEEPS_PER_TTL: Final = 4
MAX_SWEEP_INTERVAL: Final = 300.0
"""Seconds between two looks for calls that fell silent: a fraction of their time, at most this."""

Threads = dict[str, JSON]


@dataclass(eq=False)
class CallLifecycle:
    """The calls of one ``YemotAI``, in the store that all its workers share.

    Args:
        store: where sessions are kept.
        engine: where all of this runs, but for ``update_session`` over an immediate store.
        ttl: seconds without a request after which a call counts as over.
        limits: how much one call, and one caller, may have.
        caller_memory: what is remembered over calls, and counted.
        remember_callers: whether conversations go on over calls.
        hooks: who is told.
        providers: who answers, by conversation.

    Attributes:
        end_callbacks: functions that are told, on the engine's loop, the id of a call that ends, and awaited
            if they can be.
    """

    store: SessionStore
    engine: Engine
    ttl: float
    limits: Limits
    caller_memory: CallerMemory
    remember_callers: bool
    hooks: Hooks
    providers: Mapping[str, Provider]
    end_callbacks: list[Callable[[str], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        every = min(self.ttl / SWEEPS_PER_TTL, MAX_SWEEP_INTERVAL)
        self._sweeper = Sweeper(self.engine, self._sweep, interval=every)
        self._threads: dict[str, Threads] = {}
        self._retrying_ends: dict[str, asyncio.Task[None]] = {}
        self._end_tasks: set[asyncio.Task[None]] = set()

    async def update_session(self, call_id: str, change: Callable[[Session], Session]) -> Session:
        """Change a call's session by a pure function; see ``yemot_ai.sessions.update``.

        Raises:
            ConfigurationError: no call may have such an id.
        """
        if call_id.startswith(CALLER_KEY_PREFIX):
            raise ConfigurationError(f"{call_id!r} cannot be a call's id: {CALLER_KEY_PREFIX!r} is ours")
        if self.engine.is_current:  # what never needs the engine must not start it
            self._sweeper.start()
        begins = False

        def changed(session: Session) -> Session:
            nonlocal begins
            after = change(session)
            begins = session.version == 0 and after is not session and not after.ended
            return replace(after, started=self.engine.time()) if begins else after

        # The store keeps it for longer than the call may be silent: the sweeper has to find it.
        session = await update_session(self.store, call_id, changed, ttl=2 * self.ttl)
        if begins:
            self.hooks.call_started(session)
            if self.hooks.call_end:  # a call that never asks falls silent, too
                self._sweeper.start()
        return session

    async def check_limits(self, call_id: str, turn_id: str) -> None:
        """Do what ``admit`` does, and count nothing: before anything is spent on a turn.

        Raises:
            LimitReachedError: the call or the caller has had enough.
        """
        session = await self.store.load(call_id) or Session(call_id)
        self.limits.check(session, turn_id, now=self.engine.time())
        if self.limits.turns_per_day is not None:
            await self.caller_memory.check_turns(session.phone, limit=self.limits.turns_per_day)

    async def admit(self, call_id: str, turn_id: str) -> Session:
        """Return the session that a turn is asked in.

        Raises:
            CallEndedError: the call has hung up, at another worker, since the turn was begun.
            LimitReachedError: the call or the caller has had enough.
        """
        found = await retry_while_store_is_away(
            lambda: self.store.load(call_id), f"call {call_id}: turn {turn_id}"
        )
        session = found or Session(call_id)
        if session.ended:
            raise CallEndedError(call_id)
        self.limits.check(session, turn_id, now=self.engine.time())
        if self.limits.turns_per_day is not None:
            await self.caller_memory.count_turn(session.phone, limit=self.limits.turns_per_day)
        return await self._with_caller_memory(session)

    def on_turn_done(self, session: Session, turn: Turn) -> None:
        """Note what this worker's provider keeps, and tell the log and the hooks."""
        if turn.conversation and not self.store.immediate:
            self._threads[session.call_id] = dict(session.threads)
        provider = self.providers.get(turn.conversation)
        accounts.log_turn(session.call_id, turn, provider.name if provider else "")
        self.hooks.turn_done(session.call_id, turn)

    async def discard_unsaved(self, result: TurnResult) -> None:
        """Let a provider forget what it answered after the call had ended."""
        if result.conversation and not self.remember_callers:
            await self._end_provider_sessions([(result.conversation, result.session)])

    async def end(self, call_id: str, reason: EndReason) -> None:
        """End a call, once among all workers.

        Args:
            call_id: the call.
            reason: what the hooks are told.

        Raises:
            StoreError: the store is away; what runs here is stopped, and the rest is done when the store
                is back.
        """
        # A task of its own: whoever is cancelled while waiting, as a server does when the line goes,
        # must not take the end of the call along, which nobody would begin again.
        ending = asyncio.create_task(self._end_or_retry(call_id, reason))
        self._end_tasks.add(ending)
        ending.add_done_callback(self._on_end_task_done)
        await asyncio.shield(ending)

    def _on_end_task_done(self, ending: asyncio.Task[None]) -> None:
        self._end_tasks.discard(ending)
        if not ending.cancelled():
            ending.exception()  # seen: whoever waited for it may be gone

    async def _end_or_retry(self, call_id: str, reason: EndReason) -> None:
        try:
            await self._end(call_id, reason)
        except StoreError:
            await self._stop_local_work(call_id)
            if call_id not in self._retrying_ends:
                self._retrying_ends[call_id] = asyncio.create_task(
                    self._end_when_store_is_back(call_id, reason)
                )
            raise

    async def _end_when_store_is_back(self, call_id: str, reason: EndReason) -> None:
        try:
            await retry_while_store_is_away(
                lambda: self._end(call_id, reason), f"the end of call {call_id}", seconds=self.ttl
            )
        except StoreError as error:
            log.warning("call %s could not be ended, and falls silent: %s", call_id, error)
        finally:
            del self._retrying_ends[call_id]

    async def _end(self, call_id: str, reason: EndReason, *, version: int | None = None) -> None:
        """End a call; given a version, only if it is still the newest."""
        last = Session(call_id)

        def bury(session: Session) -> Session:
            nonlocal last
            last = session
            lives_on = version is not None and session.version != version
            return session if session.ended or lives_on else session.tombstone()

        # The tombstone first: a turn that starts from now on finds it.
        await self.update_session(call_id, bury)
        if version is not None and last.version != version:
            return
        await self._stop_local_work(call_id)
        kept_here = self._pop_local_threads(call_id)
        if last.ended or not last.version:  # another worker has buried it, or there was no call
            await self._end_provider_sessions([] if self.remember_callers else kept_here)
            return
        needed_no_more = await self._unneeded_threads(last)
        await self._end_provider_sessions(
            [*needed_no_more, *(one for one in kept_here if one not in last.threads.items())]
        )
        accounts.log_call(last, reason, now=self.engine.time())
        await self.hooks.call_ended(CallSummary.from_session(last, reason))

    def on_ended_elsewhere(self, call_id: str) -> None:
        """Stop what runs here for a call that another worker has ended."""
        self.engine.submit(self._stop_and_forget(call_id))

    async def forget_caller(self, phone: str) -> None:
        """Forget what is remembered of a caller, here and at the providers."""
        await self._end_provider_sessions((await self.caller_memory.forget(phone)).items())

    async def count_open(self) -> int:
        """Count the calls that have a session and have not ended."""
        known = [one async for one in self.store.call_ids() if not one.startswith(CALLER_KEY_PREFIX)]
        return len(set(known) - await self.store.ended(known))

    async def _with_caller_memory(self, session: Session) -> Session:
        """Return the session with what is remembered of its caller, fetched once in a call."""
        if not self.remember_callers or not normalize_number(session.phone) or session.recalled:
            return session
        recalled = await self.caller_memory.recall(session)
        retired = recalled.retired[len(session.retired) :]

        def remember(now: Session) -> Session:
            if now.ended:
                return now
            threads = {**recalled.threads, **now.threads}
            return replace(
                now,
                recalled=True,
                earlier=recalled.earlier,
                threads=threads,
                retired=(*now.retired, *retired),
            )

        now = await self.update_session(session.call_id, remember)
        if now.ended:  # the memory keeps what was said; the threads that were taken out of it go
            await self._end_provider_sessions([*recalled.threads.items(), *retired])
            raise CallEndedError(session.call_id)
        return now

    async def _stop_local_work(self, call_id: str) -> None:
        """Stop what runs here for a call."""
        for told in self.end_callbacks:
            done = told(call_id)
            if inspect.isawaitable(done):
                await done

    def _pop_local_threads(self, call_id: str) -> list[tuple[str, JSON]]:
        """Return what this worker's providers keep of a call, once."""
        return list(self._threads.pop(call_id, {}).items())

    async def _stop_and_forget(self, call_id: str) -> None:
        await self._stop_local_work(call_id)
        kept_here = self._pop_local_threads(call_id)
        await self._end_provider_sessions([] if self.remember_callers else kept_here)

    async def _unneeded_threads(self, last: Session) -> list[tuple[str, JSON]]:
        """Return the providers' threads that nobody will go on with."""
        knows = last.recalled or last.restarted
        if not self.remember_callers or not normalize_number(last.phone) or not knows:
            return [*last.threads.items(), *last.retired]
        return [*(await self.caller_memory.save_call(last)).items(), *last.retired]

    async def _end_provider_sessions(self, threads: Iterable[tuple[str, JSON]]) -> None:
        for conversation, thread in threads:
            provider = self.providers.get(conversation)
            if not isinstance(provider, SupportsEndSession):
                continue
            try:
                await provider.end_session(thread)
            except UNEXPECTED as error:  # one that cannot be forgotten must not keep the others
                event = f"{provider.name} could not forget a conversation; it may still hold what was said"
                log_without_message(error, event)

    async def _sweep(self) -> None:
        """End the calls that have been silent for too long, and forget callers whose time is up."""
        for call_id in await self.store.ended(tuple(self._threads)):
            await self._stop_and_forget(call_id)
        for call_id, version in (await self._idle_calls()).items():
            # What a newer version has written it also ends; it must not keep us from the others.
            with contextlib.suppress(SessionFormatError):
                log.info("call %s: no request for %g s", call_id, self.ttl)
                await self._end(call_id, "idle", version=version)
        forgotten = [phone async for phone in self.caller_memory.expired()]
        for phone in forgotten:
            with contextlib.suppress(SessionFormatError):
                await self.forget_caller(phone)

    async def _idle_calls(self) -> dict[str, int]:
        """Return the calls that are silent for too long, with the version that they fell silent at.

        Listed before and after the versions were read: a call that comes back in between is not
        among them, and one that comes back later has another version.
        """
        before = await self._idle_call_ids()
        versions = {}
        for call_id in before - await self.store.ended(before):
            with contextlib.suppress(SessionFormatError):
                session = await self.store.load(call_id)
                if session is not None:
                    versions[call_id] = session.version
        after = await self._idle_call_ids() if versions else set()
        return {call_id: version for call_id, version in versions.items() if call_id in after}

    async def _idle_call_ids(self) -> set[str]:
        idle = self.store.call_ids(idle=self.ttl)
        return {call_id async for call_id in idle if not call_id.startswith(CALLER_KEY_PREFIX)}
