"""The switchboard: from a request to its answer.

Deciding (what is remembered, where the line stands, whether it was answered before) needs the
store alone and happens wherever the request came in. Only a run or a turn that has to be waited
for hops to the engine.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

from yemot_ai.ai import YemotAI
from yemot_ai.errors import CallEndedError, StoreError
from yemot_ai.flow.agent.loop import AgentLoop, AwaitAnswer, AwaitTranscript, Pending
from yemot_ai.flow.agent.turns import AgentTurns
from yemot_ai.flow.dialog import DialogSettings, to_text_messages
from yemot_ai.flow.handlers.local_calls import LocalCalls
from yemot_ai.flow.handlers.runner import HANGUP_RESPONSE, Handler, HandlerRunner
from yemot_ai.flow.rendering import HANGUP, one_level_up
from yemot_ai.flow.visits import cached_response, enter_visit, find_identical_response, find_response
from yemot_ai.protocol import Noop, Play, Request, Response
from yemot_ai.sessions import CALLER_KEY_PREFIX, Session, Turn, Visit

__all__ = ["Decision", "Dispatcher", "PendingResponse"]

log = logging.getLogger("yemot_ai")

PendingResponse = Callable[[float | None], Awaitable[str]]
"""Waits on the engine for an answer; the argument is how many seconds the request may be held."""

Decision = str | PendingResponse

HANGUP_ACKNOWLEDGED = str(Response((Noop("ended"),)))
"""The answer to a hang-up; the line does not use it."""


class Dispatcher:
    """Finds the answer to a request.

    Args:
        ai: who answers.
        routes: plain handlers by extension.
        agents: agents by extension.
        handlers: runs the plain handlers.
        turns: works out the turns of agents.
        local_calls: the calls of this process.
        dialog: sentences for what no handler answers.
    """

    def __init__(  # noqa: PLR0913 - made in one place, by the flow
        self,
        ai: YemotAI,
        *,
        routes: Mapping[str, Handler],
        agents: Mapping[str, AgentLoop],
        handlers: HandlerRunner,
        turns: AgentTurns,
        local_calls: LocalCalls,
        dialog: DialogSettings,
    ) -> None:
        self._ai = ai
        self._routes = routes
        self._agents = agents
        self._handlers = handlers
        self._turns = turns
        self._local_calls = local_calls
        self._dialog = dialog

    async def decide(self, request: Request) -> Decision:
        """Return the answer, or what has to be waited for on the engine."""
        if not request.call_id or request.call_id.startswith(CALLER_KEY_PREFIX):
            return str(Response((Play(to_text_messages(self._dialog.no_call_id)), HANGUP)))
        if request.hangup:
            return functools.partial(self._end_call, request)
        session = await self._ai.store.load(request.call_id) or Session(request.call_id)
        if session.ended:
            return HANGUP_RESPONSE
        known = self._find_poll_response(request) or find_response(session.recent, request)
        return known or await self._route(request)

    async def _route(self, request: Request) -> Decision:
        agent = self._agents.get(request.extension)
        if agent is not None:
            return await self._decide_agent(agent, request)
        handler = self._routes.get(request.extension)
        if handler is None:
            return await self._unknown_extension(request)
        await self._ai.update_session(
            request.call_id, lambda now: now if now.ended else enter_visit(now, request)
        )
        return functools.partial(self._handlers.answer, handler, request)

    def _find_poll_response(self, request: Request) -> str | None:
        return find_identical_response(self._local_calls.get_or_create(request.call_id).polls, request)

    async def _end_call(self, request: Request, _max_wait: float | None = None) -> str:
        try:
            await self._ai.aend(request.call_id, reason="hangup")
        except StoreError as error:  # nobody is on the line any more to be asked for patience
            log.warning("call %s: the hang-up is written down later: %s", request.call_id, error)
        return HANGUP_ACKNOWLEDGED

    async def _unknown_extension(self, request: Request) -> str:
        answer = str(
            Response(
                (Play(to_text_messages(self._dialog.unknown_extension)), one_level_up(request.extension))
            )
        )

        def leave(session: Session) -> Session:
            session = enter_visit(session, request)
            visit = replace(session.visit or Visit(), left=True, seen=request.values)
            return replace(session, visit=visit).with_response(cached_response(request, answer, left=True))

        await self._ai.update_session(request.call_id, leave)
        return answer

    async def _decide_agent(self, agent: AgentLoop, request: Request) -> Decision:
        step = await self._step(agent, request)
        if isinstance(step, str):
            return step
        if not _max_wait(agent, step) and self._ai.ledger.is_running(request.call_id, step.turn_id):
            return await self._keep_polling(agent, step, request)  # nothing to wait for: no hop to the engine
        return functools.partial(self._wait_for_answer, agent, step, request)

    async def _step(
        self,
        agent: AgentLoop,
        request: Request,
        *,
        waited_for: Pending | None = None,
        keep_polling: bool = False,
    ) -> str | Pending:
        """Take one step of the agent loop and save it: decided once, by compare-and-set.

        Args:
            agent: the agent.
            request: what the line sent.
            waited_for: what the request was held for; None for one that has just come.
            keep_polling: what has to be worked out first is not waited for any more: the line polls on.
        """
        step: str | Pending = HANGUP_RESPONSE
        visits_anew = False
        stopped: tuple[str, ...] = ()

        def change(session: Session) -> Session:
            nonlocal step, visits_anew, stopped
            stopped = ()
            if session.ended or (waited_for and _has_left_visit(session, waited_for)):
                # The line has given up on it: whoever is somewhere else must not be brought back.
                step = HANGUP_RESPONSE
                return session
            known = find_response(session.recent, request) if waited_for else None
            if known is not None:
                # While it was held, a copy of it was answered, or the line has gone on without it.
                step = known
                return session
            arrived = enter_visit(session, request)
            visits_anew = arrived is not session
            stepped, step = agent.step(arrived, request)
            if not isinstance(step, str) and keep_polling:
                stepped, step = agent.keep_polling(stepped, step)
                return stepped
            if not isinstance(step, str):
                # Or a line that leaves now and comes back with fewer values would not look anew.
                return stepped if step.poll else _with_seen_values(stepped, request)
            if stepped is session:
                return stepped
            stopped = tuple(turn.id for turn in _running_turns(arrived) if not _is_running(stepped, turn.id))
            visit = replace(stepped.visit or Visit(), seen=request.values)
            kept = cached_response(request, step, left=visit.left)
            return replace(stepped, visit=visit).with_response(kept)

        session = await self._ai.update_session(request.call_id, change)
        if isinstance(step, str) and _has_abandoned_turn(session, is_new_visit=visits_anew):
            self._ai.engine.submit(self._ai.ledger.cancel_call(request.call_id))
        for turn_id in stopped:
            self._ai.engine.submit(self._ai.ledger.stop_interrupted(session, turn_id))
        return step

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
            written = -1
            # Until there is a sentence that can be spoken: an emoji is none.
            while isinstance(step, AwaitAnswer) and step.pieces > written:
                written = step.pieces
                step = await self._work_until(agent, step, request, until)
        except CallEndedError:
            # The call, or only this turn: then a key has decided what the line does.
            step = await self._step(agent, request, waited_for=pending)
            return step if isinstance(step, str) else HANGUP_RESPONSE
        if isinstance(step, str):
            return step
        # Once more: a store may have taken its time.
        return self._find_poll_response(request) or await self._keep_polling(agent, step, request)

    async def _work_until(
        self, agent: AgentLoop, pending: Pending, request: Request, until: float
    ) -> str | Pending:
        """Work on it for as long as the request may be held, and take the next step."""
        try:
            async with asyncio.timeout_at(until) as deadline:
                await self._turns.run_until_pieces(agent, pending, request)
        except TimeoutError:
            if not deadline.expired():
                raise
        # The same request may have come twice, and the other one has been answered meanwhile.
        known = self._find_poll_response(request)
        if known is not None:
            return known
        step = await self._step(agent, request, waited_for=pending)
        if isinstance(step, str):
            self._local_calls.get_or_create(request.call_id).polls = ()
        return step

    async def _keep_polling(self, agent: AgentLoop, pending: Pending, request: Request) -> str:
        """Let the line poll on; what a request is answered is decided once."""
        if agent.is_streaming and not self._ai.store.immediate:
            return str(await self._step(agent, request, waited_for=pending, keep_polling=True))
        return self._filler_response(agent, pending, request)

    def _filler_response(self, agent: AgentLoop, pending: Pending, request: Request) -> str:
        answer = agent.render_filler(pending)
        self._local_calls.get_or_create(request.call_id).add_poll(cached_response(request, answer))
        return answer


def _with_seen_values(session: Session, request: Request) -> Session:
    visit = session.visit or Visit()
    if visit.seen == request.values:
        return session
    return replace(session, visit=replace(visit, seen=request.values))


def _max_wait(agent: AgentLoop, pending: Pending) -> float:
    """Return how many seconds a request may be held for an answer."""
    return agent.dialog.poll_wait if pending.poll else agent.dialog.answer_wait


def _has_left_visit(session: Session, waited_for: Pending) -> bool:
    return session.visit is not None and session.visit.number != waited_for.visit


def _has_abandoned_turn(session: Session, *, is_new_visit: bool) -> bool:
    """Tell whether a turn runs for a visit that is over, by our answer or by the line's own doing."""
    over = is_new_visit or (session.visit is not None and session.visit.left)
    return over and any(_running_turns(session))


def _running_turns(session: Session) -> Iterator[Turn]:
    return (turn for turn in session.turns if not turn.is_done)


def _is_running(session: Session, turn_id: str) -> bool:
    turn = session.turn(turn_id)
    return turn is not None and not turn.is_done
