"""A conversation: what one model remembers of one call, and how it is asked.

It knows the provider's session, retries what is transient, and rebuilds from the transcript
what the provider has lost. It knows nothing of lines and answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

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
from yemot_ai.turns.ledger import Ledger
from yemot_ai.turns.stream import AnswerStream
from yemot_ai.turns.work import TurnResult

__all__ = ["Conversation"]

log = logging.getLogger("yemot_ai")

RETRY_WAIT = 0.5
"""Seconds before a transient failure is tried again, where the provider names none."""

MAX_RETRY_WAIT = 3.0
"""Seconds: a caller is told at once rather than kept waiting longer for a rate limit."""

MIN_TIME_LEFT = 2.0
"""Seconds of the deadline that must be left for another try to make sense."""

SILENCE_PROMPT = "(שתיקה)"
"""What a model is told when the caller said nothing: an empty prompt is refused by some."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One memory: a name within the call, a provider, instructions.

    Args:
        name: tells the conversations of a call apart.
        provider: who answers.
        store: where sessions are kept.
        ledger: where turns are written down.
        instructions: how to answer.
        timeout: seconds for one turn.
        retries: how often a transient failure is tried again.
        admit: loads the session that a turn is asked in, or refuses the turn.
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
            instructions: how to answer this once.
            stream: is told what the model writes, for a turn that this one is a step of.

        Raises:
            CallEndedError: the call has hung up.
        """
        return await self._ask(call_id, turn_id, text, instructions, lambda _own: stream)

    async def ask_streaming(self, call_id: str, turn_id: str, text: str) -> Turn:
        """Do what ``ask`` does, and tell what the model writes as it comes."""

        def aloud(own: AnswerStream) -> AnswerStream:
            own.start_ownership_checks()
            return own

        return await self._ask(call_id, turn_id, text, None, aloud)

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
            how = instructions or self.instructions
            try:
                reply, put_aside = await self._ask_with_retries(session, text, how, choose_stream(own))
            except ProviderError as error:
                log.warning("call %s: turn %s failed: %s", call_id, turn_id, error)
                raise
            return TurnResult(
                answer=reply.text,
                conversation=self.name,
                session=reply.session,
                session_id=_session_id(reply.session),
                usage=reply.usage,
                retired_session=put_aside,
            )

        asked = Turn(turn_id, text, conversation=self.name)
        return await self.ledger.run_once(call_id, asked, work, held_key=hold_key("talk", call_id, self.name))

    async def _ask_with_retries(
        self, session: Session, text: str, instructions: str | None, stream: AnswerStream | None
    ) -> tuple[Reply, JSON]:
        """Ask; once more where it may help: after a transient failure, or from the transcript.

        Once there is a sentence that may have been heard, nobody is asked again.

        Returns:
            The reply, and the provider's session that it does not go on with (None: it does).
        """
        give_up = asyncio.get_running_loop().time() + self.timeout - MIN_TIME_LEFT
        thread, history = session.threads.get(self.name), session.history(self.name)
        tries_left, may_rebuild, put_aside = self.retries, True, None
        while True:
            try:
                return await self._ask_once(thread, text, instructions, history, stream), put_aside
            except (SessionLostError, ContextOverflowError) as error:
                if not may_rebuild or thread is None or not _can_ask_again(stream):
                    raise
                may_rebuild, put_aside, thread = False, thread, None
                history = _history_after(history, error)
                log.warning("call %s: %s; rebuilding the conversation", session.call_id, error.kind)
            except ProviderError as error:
                wait = _wait_before_retry(error)
                is_late = wait is None or asyncio.get_running_loop().time() + wait > give_up
                if tries_left == 0 or wait is None or is_late or not _can_ask_again(stream):
                    raise
                tries_left -= 1
                log.warning("call %s: %s; trying once more", session.call_id, error.kind)
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
                told = () if thread is not None else history
                parts = self.provider.stream(thread, text, instructions=instructions, history=told)
                reply = await self._read_stream(parts, stream)
            elif thread is None:
                reply = await self.provider.start_session(text, instructions=instructions, history=history)
            else:
                reply = await self.provider.continue_session(thread, text, instructions=instructions)
        except (ProviderError, TimeoutError):
            raise
        except UNEXPECTED as error:  # a provider's own bug must not end a call
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
    """Return seconds, or None where another try is pointless or would take too long."""
    if not error.transient:
        return None
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= MAX_RETRY_WAIT else None
    return RETRY_WAIT


def _history_after(history: tuple[Exchange, ...], error: ProviderError) -> tuple[Exchange, ...]:
    return history[-MAX_EXCHANGES_AFTER_OVERFLOW:] if isinstance(error, ContextOverflowError) else history


def _session_id(session: JSON) -> str:
    """Pick the provider's own id out of its session, by the names that ours use."""
    if isinstance(session, str):
        return session
    if isinstance(session, Mapping):
        return next((str(session[key]) for key in ("thread_id", "response_id", "id") if key in session), "")
    return ""
