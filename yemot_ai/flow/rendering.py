"""Messages and responses for the answer of a turn: all of it, its first pieces, or a poll."""

from __future__ import annotations

import functools
from typing import Final

from yemot_ai.errors import AnswerCutError, ProviderError, RefusedRequestError
from yemot_ai.flow.dialog import POLL_SECONDS, DialogSettings
from yemot_ai.flow.value_names import poll_name
from yemot_ai.protocol import Comment, GoToFolder, Message, Play, Read, Response, Tap, speakable
from yemot_ai.sessions import Turn, TurnStatus

__all__ = [
    "HANGUP",
    "HANGUP_RESPONSE",
    "SILENT_PROMPT",
    "answer_messages",
    "failure_sentence",
    "one_level_up",
    "piece_messages",
    "poll_read",
    "remaining_messages",
    "render_poll",
    "render_progress",
    "speaking_poll_read",
]

HANGUP: Final = GoToFolder("hangup")
"""The only documented way to disconnect [OFF]."""

HANGUP_RESPONSE: Final = str(Response((HANGUP,)))

SILENT_PROMPT: Final = (Comment("listen"),)
"""The messages of a read that says nothing: a read needs at least one message [OFF noop]."""


def one_level_up(extension: str) -> GoToFolder:
    """Return the action that leads one level up; the root has no parent, so there the call ends."""
    return GoToFolder("..") if extension else HANGUP


def poll_read(dialog: DialogSettings, *, turn: int, number: int) -> Read:
    """Return a read that answers itself: it plays the filler and times out, so that the line asks again.

    Args:
        dialog: provides the filler.
        turn: number of the turn that the line waits for.
        number: counts the polls of the turn, from 1.
    """
    return _poll_read(dialog.filler_messages, turn, number)


def speaking_poll_read(messages: tuple[Message, ...], turn: int, number: int) -> Read:
    """Return a poll that plays a part of the answer; a pressed key stops it and becomes its value."""
    return _poll_read(messages, turn, number)


def render_poll(dialog: DialogSettings, turn: int, number: int) -> str:
    """Render a response that only polls."""
    return _render_poll(dialog.filler_messages, turn, number)


@functools.lru_cache(maxsize=4096)
def _render_poll(messages: tuple[Message, ...], turn: int, number: int) -> str:
    # All calls use the same few of them.
    return str(Response((_poll_read(messages, turn, number),)))


def _poll_read(messages: tuple[Message, ...], turn: int, number: int) -> Read:
    mode = Tap(max_digits=1, min_digits=1, seconds=POLL_SECONDS, attempts=1, accept_empty=True)
    return Read(messages, poll_name(turn, number), mode)


def answer_messages(turn: Turn, dialog: DialogSettings) -> tuple[Message, ...]:
    """Return the whole answer, after the messages that the agent's function queued."""
    before = _parse_messages(turn.spoken)
    # An answer can have nothing that can be spoken: an emoji, a row of dashes.
    return (
        *before,
        *(dialog.to_messages(turn.answer) or (() if before else dialog.to_messages(dialog.apology))),
    )


def piece_messages(
    turn: Turn, dialog: DialogSettings, start: int, stop: int | None = None
) -> tuple[Message, ...]:
    """Return the pieces from ``start`` to ``stop`` as messages; none if they have nothing speakable."""
    text = dialog.rewrite("".join(turn.pieces[start:stop]))
    messages = speakable(text)
    return (*(_parse_messages(turn.spoken) if messages and not start else ()), *messages)


def remaining_messages(turn: Turn, spoken_count: int, dialog: DialogSettings) -> tuple[Message, ...]:
    """Return what has not been spoken yet of a turn that is done."""
    if turn.status is TurnStatus.FAILED:
        error = turn.failure.to_error() if turn.failure and not turn.pieces else None
        ending = dialog.answer_cut_off if turn.pieces else failure_sentence(error, dialog) or dialog.apology
        return (*piece_messages(turn, dialog, spoken_count), *dialog.to_messages(ending))
    if not spoken_count:
        return answer_messages(turn, dialog)
    return piece_messages(turn, dialog, spoken_count) or SILENT_PROMPT


def render_progress(
    turn: Turn,
    number: int,
    span: tuple[int, int, int],
    dialog: DialogSettings,
    *,
    filler: tuple[Message, ...] = (),
) -> str:
    """Render the response to a request that came while the turn ran.

    Args:
        turn: the turn.
        number: its number.
        span: the request's number of polls, and the first piece and the piece after the last of its response.
        dialog: provides the filler.
        filler: what is spoken instead of that filler.
    """
    poll, start, stop = span
    if start == stop:
        return _render_poll(filler or dialog.filler_messages, number, poll + 1)
    return str(Response((speaking_poll_read(piece_messages(turn, dialog, start, stop), number, poll + 1),)))


def failure_sentence(error: ProviderError | None, dialog: DialogSettings) -> str:
    """Return the sentence for callers about a provider error; "" if it has none of its own."""
    match error:
        case AnswerCutError():
            return dialog.answer_cut_off
        case RefusedRequestError():
            return dialog.request_refused
    return ""


def _parse_messages(rendered: str) -> tuple[Message, ...]:
    """Parse messages that were rendered for the ledger."""
    if not rendered:
        return ()
    (played,) = Response.parse(f"id_list_message={rendered}").actions
    return tuple(played.messages) if isinstance(played, Play) else ()
