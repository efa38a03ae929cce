"""A conversation over the Responses API that OpenAI stores."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from yemot_ai.errors import SessionLostError
from yemot_ai.providers.chat_history import ChatHistory, foreign_session_error
from yemot_ai.providers.openai.response_calls import (
    function_calls,
    not_run_items,
    output_items,
    round_items,
    tool_options,
)
from yemot_ai.providers.openai.responses import ResponsesAPI
from yemot_ai.providers.openai.server_memory import ServerMemory
from yemot_ai.providers.provider import (
    JSON,
    AnswerPart,
    Exchange,
    Reply,
    ToolCalls,
    ToolRequest,
    ToolRound,
    close_parts,
)
from yemot_ai.providers.sdk.client import ServiceClient
from yemot_ai.providers.sdk.fields import items
from yemot_ai.providers.sdk.stateless import StatelessChat, wanted_calls
from yemot_ai.providers.sdk.tools import said_in_turn, tool_words
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 0.6 s, so it happens at the first turn
    from openai.types.responses import Response

__all__ = ["StoredResponsesChat"]


@dataclass(frozen=True, slots=True)
class _Turn:
    """What to ask.

    Attributes:
        prompt: what the caller said.
        instructions: how to answer.
        earlier: the exchanges before, if no response is continued.
        session: the id of the response of the last turn; None for a new conversation.
        stream: whether pieces are wanted.
        tools: the tools, and what they have returned in this turn.
        open_calls: the ids of the calls in that response that were not run.
    """

    prompt: str
    instructions: str | None
    earlier: ChatHistory
    session: str | None
    stream: bool
    tools: ToolRequest | None = None
    open_calls: tuple[str, ...] = ()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The history and the prompt."""
        return [*self.earlier.messages_for(self.prompt)]

    @property
    def words(self) -> list[str]:
        """What was said: no error quotes it."""
        contents = (message["content"] for message in self.messages)
        return [self.instructions or "", *contents, *tool_words(self.tools)]

    def continued(self) -> tuple[str | None, list[dict[str, Any]] | str]:
        """Return the id of the response to continue, and what follows it."""
        rounds = () if self.tools is None else self.tools.rounds
        for number, one in reversed([*enumerate(rounds)]):
            if response_id := _response_id_in(one):
                later = [item for each in rounds[number + 1 :] for item in round_items(each)]
                return response_id, [*output_items(one), *later]
        if self.session is not None and not rounds and not self.open_calls:
            return self.session, replace_surrogates(self.prompt)
        called = [item for one in rounds for item in round_items(one)]
        return self.session, [*not_run_items(self.open_calls), *self.messages, *called]


class StoredResponsesChat:
    """A conversation that OpenAI stores: each turn names the previous response, as do the results of tools.

    With a server that keeps none each turn carries the history instead; see ``ServerMemory``.
    """

    def __init__(self, connection: ServiceClient, arguments: Mapping[str, Any] | None = None) -> None:
        self._client = connection
        self._memory = ServerMemory(connection.service.title, provider=connection.service.name)
        self._api = ResponsesAPI(connection, store=True, memory=self._memory, arguments=arguments)
        unstored = ResponsesAPI(connection, store=False, arguments=arguments)
        self._stateless = StatelessChat(connection, unstored)

    def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        *,
        stream: bool,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Answer a prompt; the parameters are those of ``ToolProvider.ask``."""
        carried = isinstance(session, Mapping) and "history" in session
        if carried or (self._memory.absent and session is None):
            return self._stateless.ask(prompt, session, instructions, history, stream=stream, tools=tools)
        response_id = None if session is None else self._response_id(session)
        earlier = ChatHistory.from_exchanges(() if session is not None else history)
        turn = _Turn(prompt, instructions, earlier, response_id, stream, tools, _open_calls(session))
        return self._ask_or_resend(turn, session)

    async def warm_up(self) -> None:
        """Do what the first answer would wait for, without a request to the service."""
        await self._stateless.warm_up()

    async def _ask_or_resend(self, turn: _Turn, session: JSON) -> AsyncGenerator[AnswerPart]:
        """Ask; send the calls of the turn again if the server has lost the response with them."""
        started = False
        try:
            async with aclosing(self._ask_stored(turn)) as parts:
                async for part in parts:
                    started = True
                    yield part
        except SessionLostError:
            if started or turn.tools is None or not any(map(_response_id_in, turn.tools.rounds)):
                raise
        else:
            return
        rounds = tuple(replace(one, state=None) for one in turn.tools.rounds)
        again = self.ask(
            turn.prompt,
            session,
            turn.instructions,
            turn.earlier.exchanges,
            stream=turn.stream,
            tools=replace(turn.tools, rounds=rounds),
        )
        try:
            async for part in again:
                yield part
        finally:
            await close_parts(again)

    async def _ask_stored(self, turn: _Turn) -> AsyncGenerator[AnswerPart]:
        previous, messages = turn.continued()
        options: dict[str, Any] = {"stream": True} if turn.stream else {}
        if previous is not None:
            options["previous_response_id"] = previous
        if turn.tools is not None:
            options |= tool_options(turn.tools)
        request = self._api.request(messages, turn.instructions, **options)
        accumulator = self._api.accumulator(previous) if turn.stream else None
        parse = functools.partial(self._parse, turn, previous)
        try:
            async with aclosing(self._client.answer(request, accumulator, parse, turn.words)) as parts:
                async for part in parts:
                    yield part
        except SessionLostError as lost:
            self._memory.note_lost(previous or "")
            raise SessionLostError(str(lost), thread_id=previous or "", provider=lost.provider) from lost

    def _parse(self, turn: _Turn, previous: str | None, response: Response) -> Reply | ToolCalls:
        if not turn.stream:
            self._memory.check_start(response, previous)
        if turn.tools is not None and (calls := wanted_calls(self._api.read_calls(response), turn.tools)):
            kept: dict[str, JSON] = {"response_id": response.id} if self._memory.keeps(response) else {}
            state = calls.state if isinstance(calls.state, Mapping) else {}
            return self._client.calls_without_thoughts(replace(calls, state={**state, **kept} or None))
        parsed = self._client.without_thoughts(self._api.parse(response))
        # A model may call what it was not offered, or beside its last answer.
        not_run: JSON = [call.id for call in function_calls(response.output)]
        session: JSON = {"response_id": parsed.session, **({"open_calls": not_run} if not_run else {})}
        if not self._memory.keeps(response) and turn.session is None:
            said = said_in_turn(turn.tools, parsed.text)
            history = turn.earlier.with_exchange(turn.prompt, said)
            session = {"id": parsed.session, "history": history.to_json()}
        return replace(parsed, session=session)

    def _response_id(self, session: JSON) -> str:
        if not isinstance(session, Mapping) or not isinstance(session.get("response_id"), str):
            raise foreign_session_error(self._client.service.name)
        response_id = replace_surrogates(str(session["response_id"]))
        if self._memory.absent:
            message = f"{self._client.service.title} keeps no responses"
            raise SessionLostError(message, thread_id=response_id, provider=self._client.service.name)
        return response_id


def _open_calls(session: JSON) -> tuple[str, ...]:
    calls = session.get("open_calls") if isinstance(session, Mapping) else None
    return tuple(call for call in items(calls) if isinstance(call, str))


def _response_id_in(one: ToolRound) -> str:
    """Return the id of the stored response with the calls of a round; empty without one."""
    response_id = one.state.get("response_id") if isinstance(one.state, Mapping) else None
    return response_id if isinstance(response_id, str) else ""
