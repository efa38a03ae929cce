"""What a model service has to know of an API to speak it: the modules ``*_api`` are such dialects.

A dialect is pure: bodies, events and bytes of one answer; no server, no clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.steps import Answer, Failure

__all__ = ["TOKENS", "Dialect", "Refusal", "written"]

TOKENS: Final[Mapping[str, int]] = {"input": 100, "cached": 10, "output": 7, "reasoning": 0}
"""What every scripted answer costs."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer that is not an answer."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def error(self) -> Mapping[str, Any]:
        """What the body says of the error."""
        error: Mapping[str, Any] = self.body["error"]
        return error


def written(body: Mapping[str, Any]) -> bytes:
    """Return a body as a service sends it; half of a surrogate pair stands in JSON only as an escape."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


class Dialect(Protocol):
    """One API, spoken by a double."""

    ENDPOINT: str
    """How the path of its requests ends."""

    END: bytes
    """What comes after the last event of a stream."""

    def whole(self, step: Answer, number: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of an answer; ``number`` tells it from all others."""
        ...

    def stream_events(self, whole: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Write the same answer as a stream."""
        ...

    def is_delta(self, event: Mapping[str, Any]) -> bool:
        """Whether the event is a piece of text."""
        ...

    def sse(self, event: Mapping[str, Any]) -> bytes:
        """Return the event as it is sent."""
        ...

    def refusal(self, failure: Failure) -> Refusal:
        """Refuse over HTTP."""
        ...

    def refusing_events(
        self, failure: Failure, number: str, *, request: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        """Return the stream that refuses after status 200; empty where it is refused over HTTP."""
        ...
