"""What the line says of a turn's answer: all of it, or the sentences that are there so far."""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.flow.dialog import DialogSettings, to_text_messages
from yemot_ai.flow.polling import render_poll, speaking_poll_read
from yemot_ai.protocol import Comment, Message, Play, Response, speakable
from yemot_ai.sessions import SpokenProgress, Turn, TurnStatus

__all__ = ["SILENT_PROMPT", "answer_messages", "piece_messages", "remaining_messages", "render_progress"]

SILENT_PROMPT: Final = (Comment("listen"),)
"""What a question plays that says nothing: a read cannot play nothing [OFF noop]."""

_UNPAIRED_EMPHASIS: Final = re.compile(r"(?<![\w*])\*(?=[^\s\d*])|(?<=[^\s\d*])\*(?![\w*])")
"""A star that begins or ends emphasis; ``*6741`` and ``3 * 4`` are none."""


def answer_messages(turn: Turn, dialog: DialogSettings) -> tuple[Message, ...]:
    """Return the whole answer, with what is played before it."""
    before = _parse_messages(turn.spoken)
    # A model can answer with nothing that can be spoken: an emoji, a row of dashes.
    return (*before, *(speakable(turn.answer) or (() if before else to_text_messages(dialog.apology))))


def piece_messages(turn: Turn, start: int, stop: int | None = None) -> tuple[Message, ...]:
    """Return some sentences of the answer; none where there is nothing in them that can be spoken."""
    said = speakable(_strip_unpaired_emphasis("".join(turn.pieces[start:stop])))
    return (*(_parse_messages(turn.spoken) if said and not start else ()), *said)


def remaining_messages(turn: Turn, progress: SpokenProgress, dialog: DialogSettings) -> tuple[Message, ...]:
    """Return what is still to be said of a turn that is over."""
    if turn.status is TurnStatus.FAILED:
        broken = dialog.answer_cut_off if turn.pieces else dialog.apology
        return (*piece_messages(turn, progress.spoken_count), *to_text_messages(broken))
    if not progress.spoken_count:
        return answer_messages(turn, dialog)
    return piece_messages(turn, progress.spoken_count) or SILENT_PROMPT


def render_progress(turn: Turn, number: int, span: tuple[int, int, int], dialog: DialogSettings) -> str:
    """Render what a request was answered while the turn ran.

    Args:
        turn: the turn.
        number: its number.
        span: how many polls the request brought, and from which sentence to which it was answered.
        dialog: what the filler is.
    """
    poll, start, stop = span
    if start == stop:
        return render_poll(dialog, number, poll + 1)
    return str(Response((speaking_poll_read(piece_messages(turn, start, stop), number, poll + 1),)))


def _strip_unpaired_emphasis(text: str) -> str:
    """Take away a mark of emphasis whose other half stands in another part of the answer."""
    return _UNPAIRED_EMPHASIS.sub("", text) if len(_UNPAIRED_EMPHASIS.findall(text)) % 2 else text


def _parse_messages(rendered: str) -> tuple[Message, ...]:
    """Read messages that were rendered for the ledger."""
    if not rendered:
        return ()
    (played,) = Response.parse(f"id_list_message={rendered}").actions
    return tuple(played.messages) if isinstance(played, Play) else ()
