"""What the line says of a turn's answer: all of it, or the sentences that are there so far."""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.flow.dialog import Manners, sentence
from yemot_ai.flow.polling import poll_answer, speaking_poll
from yemot_ai.protocol import Comment, Message, Play, Response, speakable
from yemot_ai.sessions import Status, Told, Turn

__all__ = ["SILENTLY", "rest", "sentences", "told_again", "whole"]

SILENTLY: Final = (Comment("listen"),)
"""What a question plays that says nothing: a read cannot play nothing [OFF noop]."""

_LONE: Final = re.compile(r"(?<![\w*])\*(?=[^\s\d*])|(?<=[^\s\d*])\*(?![\w*])")
"""A star that begins or ends emphasis; ``*6741`` and ``3 * 4`` are none."""


def whole(turn: Turn, manners: Manners) -> tuple[Message, ...]:
    """Return the whole answer, with what is played before it."""
    before = _messages(turn.spoken)
    # A model can answer with nothing that can be spoken: an emoji, a row of dashes.
    return (*before, *(speakable(turn.answer) or (() if before else sentence(manners.apology))))


def sentences(turn: Turn, start: int, stop: int | None = None) -> tuple[Message, ...]:
    """Return some sentences of the answer; none where there is nothing in them that can be spoken."""
    said = speakable(_closed("".join(turn.pieces[start:stop])))
    return (*(_messages(turn.spoken) if said and not start else ()), *said)


def rest(turn: Turn, told: Told, manners: Manners) -> tuple[Message, ...]:
    """Return what is still to be said of a turn that is over."""
    if turn.status is Status.FAILED:
        broken = manners.broken_off if turn.pieces else manners.apology
        return (*sentences(turn, told.upto), *sentence(broken))
    if not told.upto:
        return whole(turn, manners)
    return sentences(turn, told.upto) or SILENTLY


def told_again(turn: Turn, number: int, span: tuple[int, int, int], manners: Manners) -> str:
    """Render what a request was answered while the turn ran.

    Args:
        turn: the turn.
        number: its number.
        span: how many polls the request brought, and from which sentence to which it was answered.
        manners: what the filler is.
    """
    poll, start, stop = span
    if start == stop:
        return poll_answer(manners, number, poll + 1)
    return str(Response((speaking_poll(sentences(turn, start, stop), number, poll + 1),)))


def _closed(text: str) -> str:
    """Take away a mark of emphasis whose other half stands in another part of the answer."""
    return _LONE.sub("", text) if len(_LONE.findall(text)) % 2 else text


def _messages(rendered: str) -> tuple[Message, ...]:
    """Read messages that were rendered for the ledger."""
    if not rendered:
        return ()
    (played,) = Response.parse(f"id_list_message={rendered}").actions
    return tuple(played.messages) if isinstance(played, Play) else ()
