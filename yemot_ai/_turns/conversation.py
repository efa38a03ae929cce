"""A conversation: the provider session of one call, and the questions to its provider.

It retries transient errors once, and rebuilds from the history a session that the provider has lost. It
does not depend on the line's protocol.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from yemot_ai._turns.answer_limits import AnswerLimits, LimitedFeed
from yemot_ai._turns.ledger import Ledger
from yemot_ai._turns.stream import AnswerStream
from yemot_ai._turns.work import RunningTurn, TurnResult
from yemot_ai.errors import AnswerCutError, ProviderError, RefusedRequestError
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.chat_history import ChatHistory, history_to_rebuild
from yemot_ai.providers.cooldown import requested_wait
from yemot_ai.providers.provider import (
    JSON,
    Exchange,
    Provider,
    Reply,
    ToolCalls,
    read_answer,
    session_id,
)
from yemot_ai.providers.refusals.quoted_words import hide_words
from yemot_ai.sessions import Session, Turn, hold_key

if TYPE_CHECKING:  # only a conversation with tools needs it
    from yemot_ai._turns.tool_loop import ConversationTools, ToolLoop

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

INTERRUPTION_NOTES = (
    "[התשובה הקודמת נקטעה, והמתקשר לא שמע את סופה]",
    "[The previous answer was interrupted, and the caller did not hear its end]",
)
"""The note to the model before the caller's next words: in Hebrew, and for other languages in English."""

_HEBREW = re.compile("[א-ת]")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of each call: its name, provider and instructions.

    Args:
        name: names the conversation within a call.
        provider: answers the prompts.
        ledger: runs and stores the turns.
        instructions: how to answer.
        timeout: seconds for one turn.
        retries: how often a transient failure is retried.
        limits: how long one answer may be.
        interruption_note: the start of the prompt if the caller has not heard the end of the answer before;
            None for one of ``INTERRUPTION_NOTES``, "" for nothing.
        admit: loads the session for a turn, or refuses the turn.
        tools: what the model may call; None for nothing.
    """

    name: str
    provider: Provider
    ledger: Ledger
    instructions: str | None
    timeout: float
    retries: int
    limits: AnswerLimits
    interruption_note: str | None
    admit: Callable[[str, str], Awaitable[Session]]
    tools: ConversationTools | None = None

    async def ask(  # noqa: PLR0913 - called in two places
        self,
        call_id: str,
        turn_id: str,
        text: str,
        *,
        instructions: str | None = None,
        parent: str = "",
        state: MutableMapping[str, JSON] | None = None,
    ) -> Turn:
        """Answer one utterance, exactly once per ``turn_id``; call it on the engine's loop.

        Args:
            call_id: the call.
            turn_id: names the turn.
            text: the utterance.
            instructions: how to answer this turn only.
            parent: the turn that this one is a step of.
            state: ``call.state`` of the handler that asks, which tools may change; None: as it is stored.

        Raises:
            CallEndedError: if the call has hung up.
        """
        text = text.strip() or SILENCE_PROMPT
        work = functools.partial(self.answer, text=text, instructions=instructions, state=state)
        return await self.ledger.run_once(call_id, Turn(turn_id, text, self.name, parent=parent), work)

    async def answer(
        self,
        turn: RunningTurn,
        *,
        text: str,
        instructions: str | None = None,
        stream: bool = False,
        state: MutableMapping[str, JSON] | None = None,
    ) -> TurnResult:
        """Let the provider answer a running turn, after the earlier turns of this conversation.

        Args:
            turn: the turn.
            text: the utterance.
            instructions: how to answer this turn only.
            stream: whether the turn's stream takes pieces while the model writes them.
            state: ``call.state``, which tools may change; that of the turn unless given.

        Raises:
            AnswerCutError: if the answer is not whole; what can be spoken of it is in the turn's stream.
            ProviderError: if there is no answer.
            CallEndedError: if the call has hung up.
        """
        call_id, turn.conversation = turn.session.call_id, self.name
        await turn.hold(hold_key("talk", call_id, self.name))
        session = await self.admit(call_id, turn.id)
        turn.state = turn.state if state is None else state
        try:
            question = await self._question(turn, session, text, instructions, stream=stream)
            reply, retired = await self._ask_with_retries(session, question)
            result = TurnResult(
                answer=reply.text,
                conversation=self.name,
                session=reply.session,
                session_id=session_id(reply.session),
                usage=reply.usage,
                retired_session=retired,
            )
            if reply.cut:
                turn.stream.finish_cut(reply.text)
                turn.cut_result = replace(result, answer="")
                raise AnswerCutError(reason=reply.cut, text=reply.text, provider=self.provider.name)
        except ProviderError as error:
            log.warning("call %s: turn %s failed: %s", call_id, turn.id, error)
            raise
        return result

    async def _question(
        self, turn: RunningTurn, session: Session, text: str, instructions: str | None, *, stream: bool
    ) -> _Question:
        """Return what the provider is asked, after the runs of tools that do not wait for its answer."""
        before = session.last_answered_turn(self.name)
        prompt, loop = self._prompt(text, before), None
        if self.tools is not None:
            unheard = session.unheard_turns(self.name, until=turn.id)
            prompt = self.tools.with_notes(prompt, session, before, unheard, text)
            loop = await self.tools.start(turn, session, before, unheard, text)
        return _Question(prompt, instructions or self.instructions, turn.stream if stream else None, loop)

    async def _ask_with_retries(self, session: Session, question: _Question) -> tuple[Reply, JSON]:
        """Ask the provider; retry a transient failure, and rebuild a conversation that it has lost.

        After a piece that the caller may have heard there is neither a retry nor a rebuild.

        Returns:
            The reply, and the provider session that it does not continue (None if it continues it).
        """
        last_retry = asyncio.get_running_loop().time() + self.timeout - MIN_TIME_LEFT
        thread: JSON = session.threads.get(self.name)
        history: Sequence[Exchange] = self._history(session) if thread is None else ()
        retries_left, retired = self.retries, None
        while True:
            try:
                reply = await self._ask_until_answered(thread, history, question)
            except ProviderError as error:
                hide_words(error, self._words(session, question.prompt))
                earlier = history if thread is None else self._history(session)
                refused_before = _was_refused(session.turns, self.name)
                shorter = history_to_rebuild(error, thread, earlier, refused_before=refused_before)
                if shorter is not None and question.can_ask_again():
                    question.forget_states()
                    retired, thread, history = retired or thread, None, shorter
                    log.warning("call %s: %s; rebuilding the conversation", session.call_id, error.kind)
                    continue
                wait = _wait_before_retry(error)
                is_late = wait is None or asyncio.get_running_loop().time() + wait > last_retry
                if retries_left == 0 or wait is None or is_late or not question.can_ask_again():
                    raise
                retries_left -= 1
                log.warning("call %s: %s; retrying", session.call_id, error.kind)
                await asyncio.sleep(wait)
            else:
                # A reply without a session continues nothing: the next turn starts a new thread.
                return reply, retired or (thread if reply.session is None else None)

    def _history(self, session: Session) -> tuple[Exchange, ...]:
        """Return the exchanges as the model has got them."""
        turns = session.answered_turns(self.name)
        return tuple(
            Exchange(self._prompt(turn.text, before), turn.answer)
            for before, turn in zip((None, *turns), turns, strict=False)
        )

    def _words(self, session: Session, text: str) -> list[str]:
        """Return what was said in the newest exchanges, which a service may get: no error quotes it."""
        newest = ChatHistory.from_exchanges(self._history(session)).exchanges
        return [text, *(words for each in newest for words in (each.prompt, each.answer))]

    def _prompt(self, text: str, before: Turn | None) -> str:
        """Return the prompt for an utterance after the turn ``before``."""
        text = text.strip() or SILENCE_PROMPT
        if before is None or not before.is_cut_off:
            return text
        note = self.interruption_note
        if note is None:
            hebrew, other = INTERRUPTION_NOTES
            note = hebrew if _HEBREW.search(f"{before.text}{before.answer}{text}") else other
        return f"{note} {text}".strip()

    async def _ask_until_answered(
        self, thread: JSON, history: Sequence[Exchange], question: _Question
    ) -> Reply:
        """Ask the provider, and run the tools that its model calls, until there is a reply."""
        tools, usages = question.tools, []
        while tools is None or not tools.question:
            answer = await self._ask_once(thread, history, question)
            usages.append(answer.usage)
            if isinstance(answer, Reply):
                return answer if tools is None else tools.whole_reply(answer, usages)
            if tools is None:
                name = self.provider.name
                raise ProviderError(f"{name} called a tool, but got none", provider=name)
            await tools.run(answer)
        question.speak(tools.question)
        # Without the provider's session, which has no result of the call.
        return tools.whole_reply(Reply(tools.question, None), usages)

    async def _ask_once(
        self, thread: JSON, history: Sequence[Exchange], question: _Question
    ) -> Reply | ToolCalls:
        provider = self.provider
        streamed = question.stream if provider.streams else None
        with_tools = {} if question.tools is None else {"tools": question.tools.request}
        try:
            parts = provider.ask(
                question.prompt,
                session=thread,
                instructions=question.instructions,
                history=history,
                stream=streamed is not None,
                **with_tools,  # a provider without tools does not take them
            )
            if streamed is None:
                answer = await read_answer(parts, provider.name)
                return self.limits.cut_reply(answer) if isinstance(answer, Reply) else answer
            limited = LimitedFeed(self.limits, streamed, provider=provider.name)
            answer = await read_answer(parts, provider.name, limited.feed)
            if isinstance(answer, ToolCalls):
                return answer
            reply = self.limits.cut_reply(answer)
            if not reply.cut:
                streamed.finish()
        except (ProviderError, TimeoutError):
            raise
        except UNEXPECTED as error:  # a bug of a provider must not end a call
            raise contain(error, source=provider.name, provider=provider.name) from None
        return reply


@dataclass(frozen=True, slots=True)
class _Question:
    """What a provider is asked in one turn.

    Attributes:
        prompt: what the caller said, with notes.
        instructions: how to answer.
        stream: takes pieces while the model writes them; None: none are wanted.
        tools: the calls of tools; None if there are no tools.
    """

    prompt: str
    instructions: str | None
    stream: AnswerStream | None
    tools: ToolLoop | None

    def can_ask_again(self) -> bool:
        """Return whether the caller has heard nothing of the model's newest message; drop its text."""
        if self.stream is None:
            return True
        self.stream.reset()
        return len(self.stream.pieces) <= (self.tools.kept_pieces if self.tools else 0)

    def forget_states(self) -> None:
        """Forget what only the provider session knows, because the conversation is rebuilt."""
        if self.tools is not None:
            self.tools.forget_states()

    def speak(self, text: str) -> None:
        """Make a text the end of the answer."""
        if self.stream is not None:
            self.stream.feed(text)
            self.stream.finish()


def _was_refused(turns: Sequence[Turn], conversation: str) -> bool:
    """Return whether the last turn of a conversation was refused for its words, or cut."""
    ended = [turn.failure for turn in turns if turn.conversation == conversation and turn.is_done]
    failure = ended[-1] if ended else None
    return failure is not None and failure.kind in {RefusedRequestError.kind, AnswerCutError.kind}


def _wait_before_retry(error: ProviderError) -> float | None:
    """Return seconds, or None if a retry cannot help or would take too long."""
    if not error.transient:
        return None
    wait = requested_wait(error)
    if wait is None:
        return RETRY_WAIT
    return wait if wait <= MAX_RETRY_WAIT else None
