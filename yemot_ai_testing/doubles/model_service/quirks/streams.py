"""Quirks of a stream, in any API: its comments and its last bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from yemot_ai_testing.doubles.model_service.served import ServedEvent

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.model_service.served import Rewrite, ServedAnswer

__all__ = ["begins_with_comment", "without_done"]


def begins_with_comment(text: str) -> Rewrite:
    """Return a rewrite that begins the stream with a comment, which clients ignore."""

    def rewrite(answer: ServedAnswer) -> ServedAnswer:
        return replace(answer, events=(ServedEvent(text), *answer.events))

    return rewrite


def without_done(answer: ServedAnswer) -> ServedAnswer:
    """Leave out ``data: [DONE]``."""
    return replace(answer, end=b"")
