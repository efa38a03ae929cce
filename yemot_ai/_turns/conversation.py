"""A conversation: the provider session of one call, and the questions to its provider.

It retries transient errors once, and rebuilds from the history a session that the provider has lost. It
does not depend on the line's protocol.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from yemot_ai._turns.ledger import Ledger
from yemot_ai._turns.stream import AnswerStream
from yemot_ai._turns.work import TurnResult
from yemot_ai.errors import (
    ContextOverflowError,
    MalformedStreamError,
    ProviderError,
    RateLimitedError,
    SessionLostError,
)
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.chat_history import MAX_EXCHANGES_AFTER_OVERFLOW
from yemot_ai.providers.provider import JSON, Exchange, Provider, Reply, StreamingProvider
from yemot_ai.sessions import Session, SessionStore, Turn, hold_key

__all__ = ["Conversation"]

log = logging.getLogger("yemot_ai")

RETRY_WAIT = 0.5
"""Seconds before a transient failure is retried, unless the provider asks for a delay."""

MAX_RETRY_WAIT = 3.0
"""Seconds: with a longer ``retry_after`` the turn fails at once instead of keeping the caller waiting."""

MIN_TIME_LEFT = 2.0
"""Seconds that must be left before the deadline for a retry."""

SILENCE_PROMPT = "(שתיקה)"
"""The prompt when the caller said nothing: some providers refuse an empty one."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of each call: its name, provider and instructions.

    Args:
        name: names the conversation within a call.
        provider: answers the prompts.
        store: keeps the sessions.
        ledger: runs and stores the turns.
        instructions: how to answer.
        timeout: seconds for one turn.
        retries: how often a transient failure is retried.
        admit: loads the session for a turn, or refuses the turn.
    """

    name: str
    provider: Provider
    store: SessionStore
    ledger: Ledger
    instructions: str | None
    timeout: float
    retries: int
    admit: Callable[[str, str], Awaitable[Session]]

    async def ask(
        self,
        call_id: str,
        turn_id: str,
        text: str,
        *,
        instructions: str | None = None,
        stream: AnswerStream | None = None,
    ) -> Turn:
        """Answer one utterance, exactly once per ``turn_id``; call it on the engine's loop.

        Args:
            call_id: the call.
            turn_id: names the turn.
            text: the utterance.
            instructions: how to answer this turn only.
            stream: the answer stream of the turn that this one is a step of.

        Raises:
            CallEndedError: if the call has hung up.
        """
        return await self._ask(call_id, turn_id, text, instructions, lambda _own: stream)

    async def ask_streaming(self, call_id: str, turn_id: str, text: str) -> Turn:
        """Do what ``ask`` does, and store pieces of the answer while the model writes it."""

        def use_own_stream(own: AnswerStream) -> AnswerStream:
            own.start_ownership_checks()
            return own

        return await self._ask(call_id, turn_id, text, None, use_own_stream)

    async def _ask(
        self,
        call_id: str,
        turn_id: str,
        text: str,
        instructions: str | None,
        choose_stream: Callable[[AnswerStream], AnswerStream | None],
    ) -> Turn:
        text = text.strip() or SILENCE_PROMPT

        async def work(own: AnswerStream) -> TurnResult:
            session = await self.admit(call_id, turn_id)
            chosen = instructions or self.instructions
            try:
                reply, retired = await self._ask_with_retries(session, text, chosen, choose_stream(own))
            except ProviderError as error:
                log.warning("call %s: turn %s failed: %s", call_id, turn_id, error)
                raise
            return TurnResult(
                answer=reply.text,
                conversation=self.name,
                session=reply.session,
                session_id=_session_id(reply.session),
                usage=reply.usage,
                retired_session=retired,
            )

        turn = Turn(turn_id, text, conversation=self.name)
        return await self.ledger.run_once(call_id, turn, work, held_key=hold_key("talk", call_id, self.name))

    async def _ask_with_retries(
        self, session: Session, text: str, instructions: str | None, stream: AnswerStream | None
    ) -> tuple[Reply, JSON]:
        """Ask the provider; retry a transient failure, and rebuild a conversation that it has lost.

        After a piece that the caller may have heard there is neither a retry nor a rebuild.

        Returns:
            The reply, and the provider session that it does not continue (None if it continues it).
        """
        last_retry = asyncio.get_running_loop().time() + self.timeout - MIN_TIME_LEFT
        thread, history = session.threads.get(self.name), session.history(self.name)
        retries_left, may_rebuild, retired = self.retries, True, None
        while True:
            try:
                return await self._ask_once(thread, text, instructions, history, stream), retired
            except (SessionLostError, ContextOverflowError) as error:
                if not may_rebuild or thread is None or not _can_ask_again(stream):
                    raise
                may_rebuild, retired, thread = False, thread, None
                history = _history_after(history, error)
                log.warning("call %s: %s; rebuilding the conversation", session.call_id, error.kind)
            except ProviderError as error:
                wait = _wait_before_retry(error)
                is_late = wait is None or asyncio.get_running_loop().time() + wait > last_retry
                if retries_left == 0 or wait is None or is_late or not _can_ask_again(stream):
                    raise
                retries_left -= 1
                log.warning("call %s: %s; retrying", session.call_id, error.kind)
                await asyncio.sleep(wait)

    async def _ask_once(
        self,
        thread: JSON,
        text: str,
        instructions: str | None,
        history: Sequence[Exchange],
        stream: AnswerStream | None,
    ) -> Reply:
        try:
            if stream is not None and isinstance(self.provider, StreamingProvider):
                sent_history = () if thread is not None else history
                parts = self.provider.stream(thread, text, instructions=instructions, history=sent_history)
                reply = await self._read_stream(parts, stream)
            elif thread is None:
                reply = await self.provider.start_session(text, instructions=instructions, history=history)
            else:
                reply = await self.provider.continue_session(thread, text, instructions=instructions)
        except (ProviderError, TimeoutError):
            raise
        except UNEXPECTED as error:  # a bug of a provider must not end a call
            raise contain(error, source=self.provider.name, provider=self.provider.name) from None
        if not isinstance(reply, Reply):
            message = f"{self.provider.name} returned {type(reply).__name__} instead of a Reply"
            raise ProviderError(message, provider=self.provider.name)
        return reply

    async def _read_stream(self, parts: AsyncIterator[str | Reply], stream: AnswerStream) -> Reply:
        async for part in parts:
            if not isinstance(part, str):
                stream.finish()
                return part
            stream.feed(part)
        message = f"{self.provider.name} ended its stream without a reply"
        raise MalformedStreamError(message, provider=self.provider.name)


def _can_ask_again(stream: AnswerStream | None) -> bool:
    if stream is None:
        return True
    stream.reset()
    return not stream.has_pieces


def _wait_before_retry(error: ProviderError) -> float | None:
    """Return seconds, or None if a retry cannot help or would take too long."""
    if not error.transient:
        return None
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= MAX_RETRY_WAIT else None
    return RETRY_WAIT


def _history_after(history: tuple[Exchange, ...], error: ProviderError) -> tuple[Exchange, ...]:
    return history[-MAX_EXCHANGES_AFTER_OVERFLOW:] if isinstance(error, ContextOverflowError) else history


def _session_id(session: JSON) -> str:
    """Return the provider's id of the conversation, by the keys that the providers of this package use."""
    if isinstance(session, str):
        return session
    if isinstance(session, Mapping):
        return next((str(session[key]) for key in ("thread_id", "response_id", "id") if key in session), "")
    return ""
