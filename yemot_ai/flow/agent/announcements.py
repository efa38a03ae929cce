"""What a caller hears while a slow tool runs: its ``says``, once, in the place of the filler.

The poll that speaks it is stored in the step of the tool, so that a repeated request gets the same response.
"""

from __future__ import annotations

from dataclasses import replace

from yemot_ai.sessions import Session, Turn

__all__ = ["spoken_at", "with_announcement"]


def with_announcement(session: Session, turn_id: str, poll: int) -> Session:
    """Return the session in which a poll speaks the ``says`` of the tool that runs, unless one has."""
    for step in session.turns:
        tool = step.tool
        if tool is None or not tool.says or tool.said_at or step.is_done or not step.owner:
            continue
        if _is_step_of(session, step, turn_id):
            return session.with_turn(replace(step, tool=replace(tool, said_at=poll)))
    return session


def spoken_at(session: Session, turn_id: str, poll: int) -> str:
    """Return the sentence of a tool that a poll of a turn speaks; "" if that plays the filler."""
    tools = (step.tool for step in session.turns if step.tool and _is_step_of(session, step, turn_id))
    return next((tool.says for tool in tools if tool.said_at == poll), "")


def _is_step_of(session: Session, step: Turn, turn_id: str) -> bool:
    """Return whether a step belongs to a turn, or to a step of it."""
    parent = session.turn(step.parent)
    return step.parent == turn_id or (parent is not None and parent.parent == turn_id)
