"""Responses without an answer: polls keep the caller on the line until the store is back.

No session is needed: each poll has its number in its name, and the line sends all names again, so the
call continues where it was.
"""

from __future__ import annotations

import logging

from yemot_ai.errors import StoreError
from yemot_ai.errors.code_errors import report_code_error
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.flow.rendering import HANGUP, one_level_up
from yemot_ai.flow.value_names import count_outage_polls, outage_poll_name
from yemot_ai.protocol import Play, Read, Request, Response, Tap

__all__ = ["error_response", "outage_response"]

log = logging.getLogger("yemot_ai")

MAX_POLLS = 20
"""Polls in a row before the call is ended."""

POLL_WAIT = 3
"""Seconds that the line waits before it asks again."""


def error_response(request: Request, error: Exception, dialog: DialogSettings) -> str:
    """Log why a request has no answer, and return the response to it."""
    if isinstance(error, StoreError):
        log.error("call %s: the store is away, the line will ask again: %s", request.call_key, error)
        return outage_response(request, dialog)
    log.error("call %s: no answer", request.call_key, exc_info=error)
    report_code_error("no answer to a request", error)
    apology = Play(dialog.to_messages(dialog.internal_error))
    return str(Response((apology, one_level_up(request.extension))))


def outage_response(request: Request, dialog: DialogSettings) -> str:
    """Return the response to ``request`` while the store is away."""
    polls, newest = count_outage_polls(request.values)
    if polls >= MAX_POLLS:
        return str(Response((Play(dialog.to_messages(dialog.internal_error)), HANGUP)))
    messages = dialog.filler_messages if polls else dialog.to_messages(dialog.store_unavailable)
    mode = Tap(max_digits=1, min_digits=1, seconds=POLL_WAIT, attempts=1, accept_empty=True)
    return str(Response((Read(messages, outage_poll_name(newest + 1), mode),)))
