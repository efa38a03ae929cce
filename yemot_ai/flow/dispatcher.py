"""The dispatcher: finds the response to a request, or what the request has to wait for.

This needs the store only, and runs in the thread or loop of the request. Only waiting for a handler
run or a turn is moved to the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from yemot_ai._calls.runtime import Runtime
from yemot_ai.errors import CallEndedError, StoreError
from yemot_ai.flow.agent.loop import AgentLoop, AwaitAnswer, AwaitTranscript, Pending
from yemot_ai.flow.agent.steps import AgentStep, take_step
from yemot_ai.flow.agent.turns import AgentTurns
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.flow.handlers.local_calls import LocalCalls
from yemot_ai.flow.handlers.runner import Handler, HandlerRunner
from yemot_ai.flow.rendering import HANGUP, HANGUP_RESPONSE, one_level_up
from yemot_ai.flow.visits import (
    cached_response,
    enter_visit,
    find_identical_response,
    find_response,
    is_other_caller,
)
from yemot_ai.protocol import Noop, Play, Request, Response
from yemot_ai.sessions import CALLER_KEY_PREFIX, Session, Visit

__all__ = ["Decision", "Dispatcher", "PendingResponse"]

log = logging.getLogger("yemot_ai")

PendingResponse = Callable[[float | None], Coroutine[Any, Any, str]]
"""Waits for a response, on the engine; the argument is the maximum wait in seconds."""

Decision = str | PendingResponse

HANGUP_ACKNOWLEDGEMENT = str(Response((Noop("ended"),)))
"""The response to a hang-up; the line ignores it."""


class Dispatcher:
    """Finds the response to a request.

    Args:
        runtime: has the store, the engine and the ledger.
        routes: plain handlers by extension.
        agents: agents by extension.
        handlers: runs the plain handlers.
        turns: runs the turns of agents.
        local_calls: the calls of this process.
        dialog: sentences for requests that no handler answers.
    """

    def __init__(  # noqa: PLR0913 - called in one place
        self,
        runtime: Runtime,
        *,
        routes: Mapping[str, Handler],
        agents: Mapping[str, AgentLoop],
        handlers: HandlerRunner,
        turns: AgentTurns,
        local_calls: LocalCalls,
        dialog: DialogSettings,
    ) -> None:
        self._runtime = runtime
        self._routes = routes
        self._agents = agents
        self._handlers = handlers
        self._turns = turns
        self._local_calls = local_calls
        self._dialog = dialog

    async def decide(self, request: Request) -> Decision:
        """Return the response, or a ``PendingResponse`` to run on the engine."""
        if not request.call_key or request.call_key.startswith(CALLER_KEY_PREFIX):
            return str(Response((Play(self._dialog.to_messages(self._dialog.no_call_id)), HANGUP)))
        if request.hangup:
            return functools.partial(self._end_call, request)
        session = await self._runtime.store.load(request.call_key) or Session(request.call_key)
        if session.ended:
            return HANGUP_RESPONSE
        if is_other_caller(session, request):
            return self._refuse(request)
        cached = self._find_poll_response(request) or find_response(session.recent, request)
        return cached or await self._route(request)

    async def _route(self, request: Request) -> Decision:
        agent = self._agents.get(request.extension)
        if agent is not None:
            return await self._decide_agent(agent, request)
        handler = self._routes.get(request.extension)
        if handler is None:
            return await self._unknown_extension(request)
        await self._runtime.update_session(
            request.call_key, lambda now: now if now.ended else enter_visit(now, request)
        )
        return functools.partial(self._handlers.answer, handler, request)

    def _find_poll_response(self, request: Request) -> str | None:
        return find_identical_response(self._local_calls.get_or_create(request.call_key).polls, request)

    def _refuse(self, request: Request) -> str:
        log.warning("call %.60r: a request from another phone is refused", request.call_key)
        return str(Response((Play(self._dialog.to_messages(self._dialog.access_denied)), HANGUP)))

    async def _end_call(self, request: Request, _max_wait: float | None = None) -> str:
        with contextlib.suppress(StoreError):  # the end of a call is retried, whoever has asked for it
            session = await self._runtime.store.load(request.call_key)
            if session is not None and is_other_caller(session, request):
                return self._refuse(request)
        try:
            await self._runtime.calls.end(request.call_key, "hangup")
        except StoreError as error:  # the caller has left: there is no line to keep polling
            log.warning("call %s: the hang-up will be saved later: %s", request.call_key, error)
        return HANGUP_ACKNOWLEDGEMENT

    async def _unknown_extension(self, request: Request) -> str:
        response = str(
            Response(
                (
                    Play(self._dialog.to_messages(self._dialog.unknown_extension)),
                    one_level_up(request.extension),
                )
            )
        )

        def leave(session: Session) -> Session:
            session = enter_visit(session, request)
            visit = replace(session.visit or Visit(), left=True, seen=request.values)
            return session.with_response(cached_response(request, response, left=True), visit)

        await self._runtime.update_session(request.call_key, leave)
        return response

    async def _decide_agent(self, agent: AgentLoop, request: Request) -> Decision:
        step = await self._step(agent, request)
        if isinstance(step, str):
            return step
        if not _max_wait(agent, step) and self._runtime.ledger.is_running(request.call_key, step.turn_id):
            return await self._keep_polling(agent, step, request)  # no wait: the engine is not needed
        return functools.partial(self._wait_for_answer, agent, step, request)

    async def _step(
        self,
        agent: AgentLoop,
        request: Request,
        *,
        waited_for: Pending | None = None,
        keep_polling: bool = False,
    ) -> str | Pending:
        """Take one step of the agent and save it; compare-and-set makes the decision unique."""

        def take(session: Session) -> tuple[Session, AgentStep]:
            step = take_step(agent, session, request, waited_for=waited_for, keep_polling=keep_polling)
            return step.session, step

        session, step = await self._runtime.calls.decide(request.call_key, take)
        ledger, submit = self._runtime.ledger, self._runtime.engine.submit
        if step.abandons_turns:
            submit(ledger.cancel_call(request.call_key))
        for turn_id in step.stopped:
            submit(ledger.stop_interrupted(session, turn_id))
        return step.result

    async def _wait_for_answer(
        self, agent: AgentLoop, pending: Pending, request: Request, max_wait: float | None
    ) -> str:
        until = asyncio.get_running_loop().time() + (
            _max_wait(agent, pending) if max_wait is None else max_wait
        )
        step: str | Pending = pending
        try:
            if isinstance(step, AwaitTranscript):
                step = await self._work_until(agent, step, request, until)
            last_count = -1
            # Until a piece can be spoken: an emoji cannot.
            while isinstance(step, AwaitAnswer) and step.pieces > last_count:
                last_count = step.pieces
                step = await self._work_until(agent, step, request, until)
        except CallEndedError:
            # The call ended, or only this turn: then a key has decided the response.
            step = await self._step(agent, request, waited_for=pending)
            return step if isinstance(step, str) else HANGUP_RESPONSE
        if isinstance(step, str):
            return step
        # Look again: the store may have been slow.
        return self._find_poll_response(request) or await self._keep_polling(agent, step, request)

    async def _work_until(
        self, agent: AgentLoop, pending: Pending, request: Request, until: float
    ) -> str | Pending:
        """Run the turn until the deadline ``until``, and take the next step."""
        try:
            async with asyncio.timeout_at(until) as deadline:
                await self._turns.run_until_pieces(agent, pending, request)
        except TimeoutError:
            if not deadline.expired():
                raise
        # The same request may have come twice, and its copy may have been answered during the wait.
        cached = self._find_poll_response(request)
        if cached is not None:
            return cached
        step = await self._step(agent, request, waited_for=pending)
        if isinstance(step, str):
            self._local_calls.get_or_create(request.call_key).polls = ()
        return step

    async def _keep_polling(self, agent: AgentLoop, pending: Pending, request: Request) -> str:
        """Return a poll; each request gets one and the same response."""
        if agent.announces or (agent.is_streaming and not self._runtime.store.immediate):
            return str(await self._step(agent, request, waited_for=pending, keep_polling=True))
        return self._filler_response(agent, pending, request)

    def _filler_response(self, agent: AgentLoop, pending: Pending, request: Request) -> str:
        response = agent.render_filler(pending)
        self._local_calls.get_or_create(request.call_key).add_poll(cached_response(request, response))
        return response


def _max_wait(agent: AgentLoop, pending: Pending) -> float:
    """Return the maximum wait of a request in seconds."""
    return agent.dialog.poll_wait if pending.poll else agent.dialog.answer_wait
