"""When the store is away: the caller is kept on the line, and the line asks again.

Nothing is known of the call then, and nothing is needed: a poll that carries its own number keeps
where the line stands, in the line. When the store is back, the call goes on.
"""

from __future__ import annotations

from yemot_ai.flow.dialog import DialogSettings, to_text_messages
from yemot_ai.flow.rendering import HANGUP
from yemot_ai.flow.value_names import count_outage_polls, outage_poll_name
from yemot_ai.protocol import Play, Read, Request, Response, Tap

__all__ = ["outage_response"]

MAX_POLLS = 20
"""How often the line asks again before the caller is let go."""

POLL_WAIT = 3
"""How long the line waits before it asks again."""


def outage_response(request: Request, dialog: DialogSettings) -> str:
    """Return the answer to ``request`` while the store is away."""
    tries, newest = count_outage_polls(request.values)
    if tries >= MAX_POLLS:
        return str(Response((Play(to_text_messages(dialog.internal_error)), HANGUP)))
    messages = dialog.filler_messages if tries else to_text_messages(dialog.store_unavailable)
    mode = Tap(max_digits=1, min_digits=1, seconds=POLL_WAIT, attempts=1, accept_empty=True)
    return str(Response((Read(messages, outage_poll_name(newest + 1), mode),)))
