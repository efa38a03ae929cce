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
from yemot_ai.calls.caller_memory import RESERVED
from yemot_ai.errors import CallEndedError, StoreError
from yemot_ai.flow.agent.loop import AgentLoop, Asked, Pending, Recorded
from yemot_ai.flow.agent.turns import AgentTurns
from yemot_ai.flow.dialog import Manners, sentence
from yemot_ai.flow.handlers.local_calls import LiveCalls
from yemot_ai.flow.handlers.runner import HANG_UP, Handler, PlainHandlers
from yemot_ai.flow.polling import hang_up, up
from yemot_ai.flow.visits import answered, arrive, known_answer, recall
from yemot_ai.protocol import Noop, Play, Request, Response
from yemot_ai.sessions import Session, Turn, Visit

__all__ = ["Decision", "Switchboard", "Waiting"]

log = logging.getLogger("yemot_ai")

Waiting = Callable[[float | None], Awaitable[str]]
"""Waits on the engine for an answer; the argument is how many seconds the request may be held."""

Decision = str | Waiting

ENDED = str(Response((Noop("ended"),)))
"""The answer to a hang-up; the line does not use it."""


class Switchboard:
    """Finds the answer to a request.

    Args:
        ai: who answers.
        routes: plain handlers by extension.
        agents: agents by extension.
        handlers: runs the plain handlers.
        turns: works out the turns of agents.
        live: the calls of this process.
        manners: sentences for what no handler answers.
    """

    def __init__(  # noqa: PLR0913 - made in one place, by the flow
        self,
        ai: YemotAI,
        *,
        routes: Mapping[str, Handler],
        agents: Mapping[str, AgentLoop],
        handlers: PlainHandlers,
        turns: AgentTurns,
        live: LiveCalls,
        manners: Manners,
    ) -> None:
        self._ai = ai
        self._routes = routes
        self._agents = agents
        self._handlers = handlers
        self._turns = turns
        self._live = live
        self._manners = manners

    async def decide(self, request: Request) -> Decision:
        """Return the answer, or what has to be waited for on the engine."""
        if not request.call_id or request.call_id.startswith(RESERVED):
            return str(Response((Play(sentence(self._manners.no_call_id)), hang_up)))
        if request.hangup:
            return functools.partial(self._hung_up, request)
        session = await self._ai.store.load(request.call_id) or Session(request.call_id)
        if session.ended:
            return HANG_UP
        known = self._known_poll(request) or recall(session.recent, request)
        return known or await self._route(request)

    async def _route(self, request: Request) -> Decision:
        agent = self._agents.get(request.extension)
        if agent is not None:
            return await self._decide_agent(agent, request)
        handler = self._routes.get(request.extension)
        if handler is None:
            return await self._unknown_extension(request)
        await self._ai.update(request.call_id, lambda now: now if now.ended else arrive(now, request))
        return functools.partial(self._handlers.answer, handler, request)

    def _known_poll(self, request: Request) -> str | None:
        return known_answer(self._live.of(request.call_id).polls, request)

    async def _hung_up(self, request: Request, _hold: float | None = None) -> str:
        try:
            await self._ai.aend(request.call_id, reason="hangup")
        except StoreError as error:  # nobody is on the line any more to be asked for patience
            log.warning("call %s: the hang-up is written down later: %s", request.call_id, error)
        return ENDED

    async def _unknown_extension(self, request: Request) -> str:
        answer = str(Response((Play(sentence(self._manners.unknown_extension)), up(request.extension))))

        def leave(session: Session) -> Session:
            session = arrive(session, request)
            visit = replace(session.visit or Visit(), left=True, seen=request.values)
            return replace(session, visit=visit).with_answer(answered(request, answer, left=True))

        await self._ai.update(request.call_id, leave)
        return answer

    async def _decide_agent(self, agent: AgentLoop, request: Request) -> Decision:
        step = await self._step(agent, request)
        if isinstance(step, str):
            return step
        if not _hold(agent, step) and self._ai.ledger.is_working_on(request.call_id, step.turn_id):
            return await self._polled(agent, step, request)  # nothing to wait for: no hop to the engine
        return functools.partial(self._wait, agent, step, request)

    async def _step(
        self, agent: AgentLoop, request: Request, *, held: Pending | None = None, waits: bool = False
    ) -> str | Pending:
        """Take one step of the agent loop and save it: decided once, by compare-and-set.

        Args:
            agent: the agent.
            request: what the line sent.
            held: what the request was held for; None for one that has just come.
            waits: what has to be worked out first is not waited for any more: the line polls on.
        """
        step: str | Pending = HANG_UP
        visits_anew = False
        stopped: tuple[str, ...] = ()

        def change(session: Session) -> Session:
            nonlocal step, visits_anew, stopped
            stopped = ()
            if session.ended or (held and _is_elsewhere(session, held)):
                # The line has given up on it: whoever is somewhere else must not be brought back.
                step = HANG_UP
                return session
            known = recall(session.recent, request) if held else None
            if known is not None:
                # While it was held, a copy of it was answered, or the line has gone on without it.
                step = known
                return session
            arrived = arrive(session, request)
            visits_anew = arrived is not session
            stepped, step = agent.step(arrived, request)
            if not isinstance(step, str) and waits:
                stepped, step = agent.waits(stepped, step)
                return stepped
            if not isinstance(step, str):
                # Or a line that leaves now and comes back with fewer values would not look anew.
                return stepped if step.poll else _seen(stepped, request)
            if stepped is session:
                return stepped
            stopped = tuple(turn.id for turn in _running(arrived) if not _runs(stepped, turn.id))
            visit = replace(stepped.visit or Visit(), seen=request.values)
            kept = answered(request, step, left=visit.left)
            return replace(stepped, visit=visit).with_answer(kept)

        session = await self._ai.update(request.call_id, change)
        if isinstance(step, str) and _leaves_somebody_thinking(session, visits_anew=visits_anew):
            self._ai.engine.submit(self._ai.ledger.cancel(request.call_id))
        for turn_id in stopped:
            self._ai.engine.submit(self._ai.ledger.stop(session, turn_id))
        return step

    async def _wait(self, agent: AgentLoop, pending: Pending, request: Request, hold: float | None) -> str:
        until = asyncio.get_running_loop().time() + (_hold(agent, pending) if hold is None else hold)
        step: str | Pending = pending
        try:
            if isinstance(step, Recorded):
                step = await self._worked_out(agent, step, request, until)
            written = -1
            # Until there is a sentence that can be spoken: an emoji is none.
            while isinstance(step, Asked) and step.pieces > written:
                written = step.pieces
                step = await self._worked_out(agent, step, request, until)
        except CallEndedError:
            # The call, or only this turn: then a key has decided what the line does.
            step = await self._step(agent, request, held=pending)
            return step if isinstance(step, str) else HANG_UP
        if isinstance(step, str):
            return step
        # Once more: a store may have taken its time.
        return self._known_poll(request) or await self._polled(agent, step, request)

    async def _worked_out(
        self, agent: AgentLoop, pending: Pending, request: Request, until: float
    ) -> str | Pending:
        """Work on it for as long as the request may be held, and take the next step."""
        try:
            async with asyncio.timeout_at(until) as deadline:
                await self._turns.work_on(agent, pending, request)
        except TimeoutError:
            if not deadline.expired():
                raise
        # The same request may have come twice, and the other one has been answered meanwhile.
        known = self._known_poll(request)
        if known is not None:
            return known
        step = await self._step(agent, request, held=pending)
        if isinstance(step, str):
            self._live.of(request.call_id).polls = ()
        return step

    async def _polled(self, agent: AgentLoop, pending: Pending, request: Request) -> str:
        """Let the line poll on; what a request is answered is decided once."""
        if agent.streams and not self._ai.store.immediate:
            return str(await self._step(agent, request, held=pending, waits=True))
        return self._filler(agent, pending, request)

    def _filler(self, agent: AgentLoop, pending: Pending, request: Request) -> str:
        answer = agent.filler(pending)
        self._live.of(request.call_id).polled(answered(request, answer))
        return answer


def _seen(session: Session, request: Request) -> Session:
    visit = session.visit or Visit()
    if visit.seen == request.values:
        return session
    return replace(session, visit=replace(visit, seen=request.values))


def _hold(agent: AgentLoop, pending: Pending) -> float:
    """Return how many seconds a request may be held for an answer."""
    return agent.manners.poll_hold if pending.poll else agent.manners.hold


def _is_elsewhere(session: Session, held: Pending) -> bool:
    return session.visit is not None and session.visit.number != held.visit


def _leaves_somebody_thinking(session: Session, *, visits_anew: bool) -> bool:
    """Tell whether a turn runs for a visit that is over, by our answer or by the line's own doing."""
    over = visits_anew or (session.visit is not None and session.visit.left)
    return over and any(_running(session))


def _running(session: Session) -> Iterator[Turn]:
    return (turn for turn in session.turns if not turn.is_over)


def _runs(session: Session, turn_id: str) -> bool:
    turn = session.turn(turn_id)
    return turn is not None and not turn.is_over
