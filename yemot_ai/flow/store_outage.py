"""When the store is away: the caller is kept on the line, and the line asks again.

Nothing is known of the call then, and nothing is needed: a poll that carries its own number keeps
where the line stands, in the line. When the store is back, the call goes on.
"""

from __future__ import annotations

from yemot_ai.flow.dialog import Manners, sentence
from yemot_ai.flow.polling import hang_up
from yemot_ai.flow.value_names import trouble_name, troubles
from yemot_ai.protocol import Play, Read, Request, Response, Tap

__all__ = ["trouble"]

TRIES = 20
"""How often the line asks again before the caller is let go."""

SECONDS = 3
"""How long the line waits before it asks again."""


def trouble(request: Request, manners: Manners) -> str:
    """Return the answer to ``request`` while the store is away."""
    tries, newest = troubles(request.values)
    if tries >= TRIES:
        return str(Response((Play(sentence(manners.fault)), hang_up)))
    messages = manners.filler_messages if tries else sentence(manners.trouble)
    mode = Tap(max_digits=1, min_digits=1, seconds=SECONDS, attempts=1, accept_empty=True)
    return str(Response((Read(messages, trouble_name(newest + 1), mode),)))
