"""Reads and moves that both plain handlers and agents make."""

from __future__ import annotations

from yemot_ai.flow.manners import POLL_SECONDS, Manners
from yemot_ai.flow.names import poll_name
from yemot_ai.protocol import GoToFolder, Read, Tap

__all__ = ["hang_up", "poll", "up"]

hang_up = GoToFolder("hangup")
"""The only documented way to disconnect [OFF]."""


def poll(manners: Manners, *, turn: int, number: int) -> Read:
    """Build a question that answers itself: it plays the filler, waits a moment and asks us again.

    Args:
        manners: what the filler is.
        turn: whose answer is awaited.
        number: counts the polls of the turn, from 1.
    """
    mode = Tap(max_digits=1, min_digits=1, seconds=POLL_SECONDS, attempts=1, accept_empty=True)
    return Read(manners.filler_messages, poll_name(turn, number), mode)


def up(extension: str) -> GoToFolder:
    """Lead one level up; from the root there is no up, so the call ends."""
    return GoToFolder("..") if extension else hang_up
