"""The log of requests of one flow, and the warnings about what its callers meet."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from yemot_ai.flow.request_log.repetition import RepetitionCounter
from yemot_ai.flow.request_log.summary import (
    AnsweredRequest,
    Observer,
    describe_fields,
    shown_extension,
)
from yemot_ai.protocol import Request
from yemot_ai.redaction import MASKED, MASKING_FILTER

__all__ = ["RequestLog"]

log = logging.getLogger("yemot_ai")

words_log = logging.getLogger("yemot_ai.words")
words_log.addFilter(MASKING_FILTER)  # filters of a logger do not hold for those below it
words_log.setLevel(logging.INFO)  # to log everything at level DEBUG is no request for the words of callers

GRACE_SECONDS: Final = 1.0
"""Seconds above the planned wait after which a held request is a warning."""

MAX_LISTED: Final = 20
"""Extensions that are listed in a warning."""

MAX_WORDS: Final = 200
"""Characters of a value and of a response in the log of words."""


@dataclass(slots=True)
class RequestLog:
    """Logs each answered request at level INFO.

    What was said is logged by ``yemot_ai.words`` at level DEBUG, which has to be set there:
    ``logging.getLogger("yemot_ai.words").setLevel("DEBUG")``.

    Attributes:
        registered: the extensions of handlers and of agents.
        planned_wait: returns how many seconds a request of an extension may be held.
        observers: are called with each answered request.
    """

    registered: tuple[Collection[str], ...]
    planned_wait: Callable[[str], float]
    observers: list[Observer] = field(default_factory=list)
    _repetitions: RepetitionCounter = field(default_factory=RepetitionCounter)

    def add(self, request: Request, response: str, seconds: float) -> None:
        """Log a request that was answered after ``seconds``."""
        if not request.hangup and not any(request.extension in names for names in self.registered):
            self._warn("unknown extension", self._unknown_extension, request)
        if seconds > self.planned_wait(request.extension) + GRACE_SECONDS:
            self._warn("held", _held_too_long, request, seconds, self.planned_wait(request.extension))
        is_logged = log.isEnabledFor(logging.INFO)
        if not is_logged and not self.observers:
            return
        answered = AnsweredRequest(request, response, seconds)
        for observer in self.observers:
            observer(answered)
        if is_logged:
            fields = answered.fields()
            log.info(describe_fields(fields), extra={MASKED: fields})
        if words_log.isEnabledFor(logging.DEBUG):
            value = request.values[-1][1] if request.values else ""
            words_log.debug("call %s: %r got %r", request.call_key, value[:MAX_WORDS], response[:MAX_WORDS])

    def _warn(self, kind: str, describe: Callable[..., str], *values: object) -> None:
        dropped = self._repetitions.count(kind)
        if dropped is not None:
            more = f" ({dropped} more like this were not logged)" if dropped else ""
            log.warning("%s%s", describe(*values), more)

    def _unknown_extension(self, request: Request) -> str:
        known = sorted(name for names in self.registered for name in names)
        listed = ", ".join(map(shown_extension, known[:MAX_LISTED])) + ", …" * (len(known) > MAX_LISTED)
        near = difflib.get_close_matches(request.extension, known, n=1)
        meant = f"; did you mean {shown_extension(near[0])}? This" if near else "; this"
        return (
            f"call {request.call_key}: no handler for extension {shown_extension(request.extension)}{meant} "
            f"flow answers {listed or 'no extension: register one with @flow.ai_agent or @flow.get'}"
        )


def _held_too_long(request: Request, seconds: float, planned: float) -> str:
    return (
        f"call {request.call_key}: a request of extension {shown_extension(request.extension)} was held for "
        f"{seconds:.1f} s instead of {planned:g} s, in silence: is the machine overloaded, or does something "
        "block the event loop?"
    )
