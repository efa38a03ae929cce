"""Responses during a store outage: polls keep the caller on the line until the store is back.

No session is needed: each poll has its number in its name, and the line sends all names again, so the
call continues where it was.
"""

from __future__ import annotations

from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.flow.rendering import HANGUP
from yemot_ai.flow.value_names import count_outage_polls, outage_poll_name
from yemot_ai.protocol import Play, Read, Request, Response, Tap

__all__ = ["outage_response"]

MAX_POLLS = 20
"""Polls in a row before the call is ended."""

POLL_WAIT = 3
"""Seconds that the line waits before it asks again."""


def outage_response(request: Request, dialog: DialogSettings) -> str:
    """Return the response to ``request`` while the store is away."""
    polls, newest = count_outage_polls(request.values)
    if polls >= MAX_POLLS:
        return str(Response((Play(dialog.to_messages(dialog.internal_error)), HANGUP)))
    messages = dialog.filler_messages if polls else dialog.to_messages(dialog.store_unavailable)
    mode = Tap(max_digits=1, min_digits=1, seconds=POLL_WAIT, attempts=1, accept_empty=True)
    return str(Response((Read(messages, outage_poll_name(newest + 1), mode),)))
