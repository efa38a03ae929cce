"""The lifecycle of calls: their start, the limits of their turns, their end.

A call is ended once, by one worker; other workers then stop what runs for it there.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final, TypeVar

from yemot_ai._calls import usage_log
from yemot_ai._calls.caller_memory import CallerMemory
from yemot_ai._calls.hooks import CallSummary, EndReason, Hooks
from yemot_ai._calls.idle import attempt, find_idle_calls, list_until_error
from yemot_ai._calls.limits import Limits
from yemot_ai._calls.sweeper import Sweeper
from yemot_ai._calls.unanswered import KeepsCalls, UnansweredCalls
from yemot_ai._runtime.engine import Engine
from yemot_ai._runtime.tasks import KeyedTasks, run_shielded
from yemot_ai._turns.work import TurnResult
from yemot_ai.errors import CallEndedError, ConfigurationError, StoreError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message
from yemot_ai.protocol.phone_numbers import normalize_number
from yemot_ai.providers.provider import JSON, Provider, SupportsEndSession
from yemot_ai.sessions import CALLER_KEY_PREFIX, Session, SessionStore, Turn, update_session
from yemot_ai.sessions.retry import retry_while_store_is_away

__all__ = ["CallLifecycle"]

T = TypeVar("T")

log = logging.getLogger("yemot_ai")

SWEEPS_PER_TTL: Final = 4
MAX_SWEEP_INTERVAL: Final = 300.0
"""Seconds between two sweeps for idle calls: a fraction of the ttl, at most this."""

Threads = dict[str, JSON]


@dataclass(eq=False)
class CallLifecycle:
    """The calls of one ``YemotAI``, in the store that all its workers share.

    Args:
        store: keeps the sessions.
        engine: runs all of this, except ``update_session`` over an immediate store.
        ttl: seconds without a request after which a call counts as over.
        limits: the limits of one call and one caller.
        caller_memory: the records of callers.
        remember_callers: whether conversations continue over calls.
        hooks: the developer's hooks.
        providers: the providers by conversation.

    Attributes:
        end_callbacks: functions that are called with the id of a call that ends, on the engine's loop; what
            they return is awaited if it is awaitable.
        local_calls: what this worker keeps of calls; a sweep drops it of those that ended at another worker.
        unanswered: the calls without a turn.
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
    local_calls: list[KeepsCalls] = field(default_factory=list)

    def __post_init__(self) -> None:
        interval = min(self.ttl / SWEEPS_PER_TTL, MAX_SWEEP_INTERVAL)
        self._sweeper = Sweeper(self.engine, self._sweep, interval=interval)
        self._is_limited = self.limits != Limits(answer=self.limits.answer)
        self.unanswered = UnansweredCalls(self.store, self.local_calls)
        self._threads: dict[str, Threads] = {}
        self._retrying_ends: KeyedTasks[str, None] = KeyedTasks()

    async def update_session(self, call_id: str, change: Callable[[Session], Session]) -> Session:
        """Change a call's session by a pure function; see ``yemot_ai.sessions.update_session``.

        Raises:
            ConfigurationError: if the id has the prefix of the records of callers.
        """
        if call_id.startswith(CALLER_KEY_PREFIX):
            raise ConfigurationError(f"{call_id!r} cannot be a call's id: {CALLER_KEY_PREFIX!r} is reserved")
        if self.engine.is_current and self._sweeper.loop is not self.engine.loop:
            self._sweeper.start()  # not in a process that does not need the engine
        is_first_save = False

        def changed(session: Session) -> Session:
            nonlocal is_first_save
            after = change(session)
            is_first_save = session.version == 0 and after is not session and not after.ended
            return replace(after, started=self.engine.time()) if is_first_save else after

        # Longer than a call may be idle: the sweeper has to find it.
        session = await update_session(self.store, call_id, changed, ttl=2 * self.ttl)
        if is_first_save:
            self.hooks.call_started(session)
            if self.hooks.call_end:  # a call that never asks the AI can become idle, too
                self._sweeper.start()
        for dropped in self.unanswered.note(session):
            event = f"call {dropped} could not be dropped, and will become idle"
            self.engine.submit(attempt(self.unanswered.drop(dropped), event))
        return session

    async def decide(self, call_id: str, change: Callable[[Session], tuple[Session, T]]) -> tuple[Session, T]:
        """Do what ``update_session`` does, with a function that returns something beside the session.

        Returns:
            The session in the store, and what the function returned with it.
        """
        decided: T

        def changed(session: Session) -> Session:
            nonlocal decided
            session, decided = change(session)
            return session

        return await self.update_session(call_id, changed), decided

    async def check_limits(self, call_id: str, turn_id: str) -> None:
        """Raise as ``admit`` does, without counting: before a turn costs anything.

        Raises:
            LimitReachedError: if the call or the caller is at a limit.
        """
        session = await self.store.load(call_id) or Session(call_id)
        self.limits.check(session, turn_id, now=self.engine.time())
        if self.limits.turns_per_day is not None:
            await self.caller_memory.check_turns(session.phone, limit=self.limits.turns_per_day)

    async def admit(self, call_id: str, turn_id: str) -> Session:
        """Return the session for a turn, with the memory of its caller; count the turn.

        Raises:
            CallEndedError: if the call has hung up, at another worker, since the turn started.
            LimitReachedError: if the call or the caller is at a limit.
        """
        load = functools.partial(self.store.load, call_id)
        loaded = (
            await load()
            if self.store.immediate
            else await retry_while_store_is_away(load, f"call {call_id}: turn {turn_id}")
        )
        session = loaded or Session(call_id)
        if session.ended:
            raise CallEndedError(call_id)
        if self._is_limited:
            self.limits.check(session, turn_id, now=self.engine.time())
        if self.limits.turns_per_day is not None:
            await self.caller_memory.count_turn(session.phone, limit=self.limits.turns_per_day)
        return await self._with_caller_memory(session)

    def on_turn_done(self, session: Session, turn: Turn) -> None:
        """Record the threads of this worker's providers; log the turn and call its hooks."""
        if turn.conversation and not self.store.immediate:
            self._threads[session.call_id] = dict(session.threads)
        if log.isEnabledFor(logging.INFO):
            provider = self.providers.get(turn.conversation)
            usage_log.log_turn(session.call_id, turn, provider.name if provider else "")
        if turn.tool is not None:
            from yemot_ai.tools.observation import report_tool_done  # noqa: PLC0415 - few calls have tools

            report_tool_done(session.call_id, turn)
        if self.hooks.turn or self.hooks.tool:
            self.hooks.turn_done(session.call_id, turn)

    async def discard_unsaved(self, result: TurnResult) -> None:
        """Delete a provider session of a turn that finished after its call had ended."""
        if result.conversation and not self.remember_callers:
            await self._end_provider_sessions([(result.conversation, result.session)])

    async def end(self, call_id: str, reason: EndReason) -> None:
        """End a call, once among all workers.

        Args:
            call_id: the call.
            reason: ``CallSummary.reason`` for the hooks.

        Raises:
            StoreError: if the store cannot be reached; what runs here is stopped, and the end is retried
                until the store is back.
        """
        # A separate task: a server cancels the request when the line disconnects, and the end of the call
        # must still complete, because it is not requested again.
        await run_shielded(self._end_or_retry(call_id, reason))

    def running_tasks(self) -> list[asyncio.Task[None]]:
        """Return the ends of calls that wait for the store: a process that stops before them loses them."""
        return self._retrying_ends.running()

    async def _end_or_retry(self, call_id: str, reason: EndReason) -> None:
        try:
            await self._end(call_id, reason)
        except StoreError:
            await self._stop_local_work(call_id)
            if call_id not in self._retrying_ends:
                end = self._retry(lambda: self._end(call_id, reason), f"the end of call {call_id}")
                event = f"call {call_id} could not be ended, and will become idle"
                self._retrying_ends.start(call_id, attempt(end, event))
            raise

    async def _retry(self, operation: Callable[[], Awaitable[None]], description: str) -> None:
        await retry_while_store_is_away(operation, description, seconds=self.ttl)

    async def _end(self, call_id: str, reason: EndReason, *, version: int | None = None) -> None:
        """End a call; with ``version``, only if that is still its newest version."""

        def mark_ended(session: Session) -> tuple[Session, Session]:
            is_active = version is not None and session.version != version
            return session if session.ended or is_active else session.tombstone(), session

        # The tombstone first: a turn that starts after this finds it.
        _, last = await self.decide(call_id, mark_ended)
        if version is not None and last.version != version:
            return
        await self._stop_local_work(call_id)
        local_threads = self._pop_local_threads(call_id)
        if last.ended or not last.version:  # another worker has ended it, or there was no call
            await self._end_provider_sessions([] if self.remember_callers else local_threads)
            return
        threads = last.threads.items()
        last = last.with_hangup()
        await self._end_provider_sessions(thread for thread in local_threads if thread not in threads)
        await self._remember(last)
        usage_log.log_call(last, reason, now=self.engine.time())
        await self.hooks.call_ended(CallSummary.from_session(last, reason))

    def on_ended_elsewhere(self, call_id: str) -> None:
        """Stop what runs here for a call that another worker has ended."""
        self.engine.submit(self._stop_and_forget(call_id))

    async def forget_caller(self, phone: str) -> None:
        """Delete the memory of a caller, here and at the providers."""
        await self._end_provider_sessions((await self.caller_memory.forget(phone)).items())

    async def count_open(self) -> int:
        """Return the number of calls that have a session and have not ended."""
        ids = {call_id async for call_id in self.store.call_ids()}
        calls = {call_id for call_id in ids if not call_id.startswith(CALLER_KEY_PREFIX)}
        return len(calls - await self.store.ended(calls))

    async def _with_caller_memory(self, session: Session) -> Session:
        """Return the session with the memory of its caller, loaded once in a call."""
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
        if now.ended:  # the turns stay in the memory; the threads that were removed from it are deleted
            await self._end_provider_sessions([*recalled.threads.items(), *retired])
            raise CallEndedError(session.call_id)
        return now

    async def _stop_local_work(self, call_id: str) -> None:
        """Stop what runs here for a call; a callback of a developer that raises is logged."""
        for callback in self.end_callbacks:
            await attempt(_call(callback, call_id), f"call {call_id}: a callback at its end raised")

    def _pop_local_threads(self, call_id: str) -> list[tuple[str, JSON]]:
        """Remove and return the threads of a call that this worker's providers have."""
        return list(self._threads.pop(call_id, {}).items())

    async def _stop_and_forget(self, call_id: str) -> None:
        await self._stop_local_work(call_id)
        local_threads = self._pop_local_threads(call_id)
        await self._end_provider_sessions([] if self.remember_callers else local_threads)

    async def _remember(self, last: Session) -> None:
        """Save a call that has ended in the memory of its caller, later if the store is away now."""
        try:
            await self._end_unneeded_threads(last)
        except StoreError:
            description = f"the memory of call {last.call_id}"
            saving = self._retry(lambda: self._end_unneeded_threads(last), description)
            self._retrying_ends.start(last.call_id, attempt(saving, f"{description} is lost"))

    async def _end_unneeded_threads(self, last: Session) -> None:
        """Delete the providers' threads that no later turn or call will continue."""
        threads = last.threads
        if self.remember_callers and normalize_number(last.phone) and (last.recalled or last.restarted):
            threads = await self.caller_memory.save_call(last)
        await self._end_provider_sessions([*threads.items(), *last.retired])

    async def _end_provider_sessions(self, threads: Iterable[tuple[str, JSON]]) -> None:
        for conversation, thread in threads:
            provider = self.providers.get(conversation)
            if not isinstance(provider, SupportsEndSession):
                continue
            try:
                await provider.end_session(thread)
            except UNEXPECTED as error:  # the other conversations must still be deleted
                event = f"{provider.name} could not delete a conversation; it may still hold what was said"
                log_without_message(error, event)

    async def _sweep(self) -> None:
        """End the idle calls, and delete the memories of callers that have expired."""
        await attempt(self._stop_ended_elsewhere(), "calls that have ended could not be looked up")
        await attempt(self._end_idle(), "idle calls could not be listed")
        await attempt(self._forget_expired(), "expired memories of callers could not be listed")

    async def _stop_ended_elsewhere(self) -> None:
        local = [] if self.store.immediate else self.local_calls  # no other worker can end a call
        ended = await self.store.ended({*self._threads, *(one for calls in local for one in calls.ids())})
        for call_id in ended & self._threads.keys():
            await attempt(self._stop_and_forget(call_id), f"call {call_id} could not be stopped here")
        for calls, call_id in product(local, ended):
            calls.drop(call_id)

    async def _end_idle(self) -> None:
        for call_id, version in (await find_idle_calls(self.store, self.ttl)).items():
            log.info("call %s: no request for %g s", call_id, self.ttl)
            await attempt(self._end(call_id, "idle", version=version), f"call {call_id} could not be ended")

    async def _forget_expired(self) -> None:
        for phone in await list_until_error(self.caller_memory.expired()):
            await attempt(self.forget_caller(phone), "the expired memory of a caller could not be deleted")


async def _call(callback: Callable[[str], object], call_id: str) -> None:
    returned = callback(call_id)
    if inspect.isawaitable(returned):
        await returned
