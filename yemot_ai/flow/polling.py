"""Reads and moves that both plain handlers and agents make."""

from __future__ import annotations

import functools

from yemot_ai.flow.dialog import POLL_SECONDS, DialogSettings
from yemot_ai.flow.value_names import poll_name
from yemot_ai.protocol import GoToFolder, Message, Read, Response, Tap

__all__ = ["HANGUP", "one_level_up", "poll_read", "render_poll", "speaking_poll_read"]

HANGUP = GoToFolder("hangup")
"""The only documented way to disconnect [OFF]."""


def poll_read(dialog: DialogSettings, *, turn: int, number: int) -> Read:
    """Build a question that answers itself: it plays the filler, waits a moment and asks us again.

    Args:
        dialog: what the filler is.
        turn: whose answer is awaited.
        number: counts the polls of the turn, from 1.
    """
    return _read(dialog.filler_messages, turn, number)


def render_poll(dialog: DialogSettings, turn: int, number: int) -> str:
    """Render the answer that only polls."""
    return _render(dialog.filler_messages, turn, number)


def speaking_poll_read(messages: tuple[Message, ...], turn: int, number: int) -> Read:
    """Build a poll that plays a part of the answer; a key stops it, and is what the line sends."""
    return _read(messages, turn, number)


@functools.lru_cache(maxsize=4096)
def _render(messages: tuple[Message, ...], turn: int, number: int) -> str:
    # Every call says the same few of them, again and again.
    return str(Response((_read(messages, turn, number),)))


def _read(messages: tuple[Message, ...], turn: int, number: int) -> Read:
    mode = Tap(max_digits=1, min_digits=1, seconds=POLL_SECONDS, attempts=1, accept_empty=True)
    return Read(messages, poll_name(turn, number), mode)


def one_level_up(extension: str) -> GoToFolder:
    """Lead one level up; from the root there is no up, so the call ends."""
    return GoToFolder("..") if extension else HANGUP
