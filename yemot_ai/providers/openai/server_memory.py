"""Find out whether a server keeps its responses: many compatible ones do not, and do not refuse to.

Such a server says in its answer ``store: false`` or ``previous_response_id: null``, has no id for the
response, or does not know at the next turn the id that it gave.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, Final

from yemot_ai.errors import SessionLostError
from yemot_ai.providers.sdk.fields import field

__all__ = ["ServerMemory"]

log = logging.getLogger("yemot_ai")

MAX_IDS: Final = 1000
"""Ids of the newest responses that are remembered."""


class ServerMemory:
    """What the answers of a server show about its memory.

    Args:
        title: the server's name in messages.
        provider: the provider's name in errors.

    Attributes:
        absent: whether the server keeps no responses; logged once.
    """

    def __init__(self, title: str, *, provider: str) -> None:
        self.absent = False
        self._title = title
        self._provider = provider
        self._ids: deque[str] = deque(maxlen=MAX_IDS)

    def check_start(self, response: Any, previous: str | None) -> None:  # noqa: ANN401 - one of the SDK's types
        """Check a response of which nothing was spoken yet.

        Args:
            response: the response, or its beginning.
            previous: the id of the response that it continues; None if it continues none.

        Raises:
            SessionLostError: the server answers without the response that it should continue.
        """
        fields = getattr(response, "model_fields_set", ())
        if previous and "previous_response_id" in fields and response.previous_response_id is None:
            self._note_absent("it answers without the previous response")
            message = f"{self._title} answers without the previous response {previous}"
            raise SessionLostError(message, thread_id=previous, provider=self._provider)

    def keeps(self, response: Any) -> bool:  # noqa: ANN401 - one of the SDK's types
        """Return whether the next turn can name this response."""
        if field(response, "store") is False:
            self._note_absent("it says store: false")
        elif not response.id:
            self._note_absent("its responses have no id")
        else:
            self._ids.append(response.id)
        return not self.absent

    def note_lost(self, response_id: str) -> None:
        """Note that the server does not know a response; one of its newest was never kept."""
        if response_id in self._ids:
            self._note_absent("it does not know the id of its own response")

    def _note_absent(self, reason: str) -> None:
        if not self.absent:
            log.warning(
                "%s keeps no conversation (%s): each further turn carries the history, as with store=False",
                self._title,
                reason,
            )
        self.absent = True
