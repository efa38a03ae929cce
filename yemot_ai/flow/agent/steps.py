"""One step of an agent: what a request leads to, decided from its session alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from yemot_ai.flow.agent.loop import AgentLoop, Pending
from yemot_ai.flow.rendering import HANGUP_RESPONSE
from yemot_ai.flow.visits import cached_response, enter_visit, find_response
from yemot_ai.protocol import Request
from yemot_ai.sessions import Session, Turn, Visit

__all__ = ["AgentStep", "take_step"]


@dataclass(frozen=True, slots=True)
class AgentStep:
    """What a request leads to.

    Attributes:
        session: the session to save; the one before if nothing has changed.
        result: the response, or what it has to wait for.
        stopped: the running turns that the request has ended.
        is_new_visit: whether the request starts a visit.
    """

    session: Session
    result: str | Pending
    stopped: tuple[str, ...] = ()
    is_new_visit: bool = False

    @property
    def abandons_turns(self) -> bool:
        """Whether there is a response while a turn still runs whose visit is over."""
        visit = self.session.visit
        is_over = self.is_new_visit or (visit is not None and visit.left)
        return is_over and isinstance(self.result, str) and any(_running_turns(self.session))


def take_step(
    agent: AgentLoop,
    session: Session,
    request: Request,
    *,
    waited_for: Pending | None = None,
    keep_polling: bool = False,
) -> AgentStep:
    """Decide what a request leads to.

    Args:
        agent: the agent.
        session: the session before.
        request: the request.
        waited_for: what the request has waited for; None for a new request.
        keep_polling: respond with a poll instead of waiting longer.
    """
    if session.ended or (waited_for and _has_left_visit(session, waited_for)):
        # The line dropped this request; its response must not move a caller who is elsewhere.
        return AgentStep(session, HANGUP_RESPONSE)
    cached = find_response(session.recent, request) if waited_for else None
    if cached is not None:
        # During the wait a copy of the request was answered, or the line sent a newer request.
        return AgentStep(session, cached)
    entered = enter_visit(session, request)
    is_new_visit = entered is not session
    after, result = agent.step(entered, request)
    if isinstance(result, str):
        if after is session:
            return AgentStep(session, result)
        stopped = tuple(turn.id for turn in _running_turns(entered) if not _is_running(after, turn.id))
        return AgentStep(_with_cached(after, request, result), result, stopped, is_new_visit)
    if keep_polling:
        return AgentStep(*agent.keep_polling(after, result), is_new_visit=is_new_visit)
    # Without the values, a line that leaves now and returns with fewer of them would not start a visit.
    return AgentStep(after if result.poll else _with_seen_values(after, request), result)


def _with_cached(session: Session, request: Request, response: str) -> Session:
    visit = replace(session.visit or Visit(), seen=request.values)
    return session.with_response(cached_response(request, response, left=visit.left), visit)


def _with_seen_values(session: Session, request: Request) -> Session:
    visit = session.visit or Visit()
    if visit.seen == request.values:
        return session
    return replace(session, visit=replace(visit, seen=request.values))


def _has_left_visit(session: Session, waited_for: Pending) -> bool:
    return session.visit is not None and session.visit.number != waited_for.visit


def _running_turns(session: Session) -> Iterator[Turn]:
    return (turn for turn in session.turns if not turn.is_done)


def _is_running(session: Session, turn_id: str) -> bool:
    turn = session.turn(turn_id)
    return turn is not None and not turn.is_done
