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

__all__ = ["TOKENS", "ErrorResponse", "ModelAPI", "encode_json"]

TOKENS: Final[Mapping[str, int]] = {"input": 100, "cached": 10, "output": 7, "reasoning": 0}
"""What every scripted answer costs."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An HTTP answer that is not an answer."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def error(self) -> Mapping[str, Any]:
        """What the body says of the error."""
        error: Mapping[str, Any] = self.body["error"]
        return error


def encode_json(body: Mapping[str, Any]) -> bytes:
    """Return a body as a service sends it; half of a surrogate pair stands in JSON only as an escape."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


class ModelAPI(Protocol):
    """One API, spoken by a double."""

    ENDPOINT: str
    """How the path of its requests ends."""

    STREAM_END: bytes
    """What comes after the last event of a stream."""

    def response_body(self, step: Answer, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of an answer; ``unique_id`` tells it from all others."""
        ...

    def stream_events(self, body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Write the same answer as a stream."""
        ...

    def is_delta(self, event: Mapping[str, Any]) -> bool:
        """Whether the event is a piece of text."""
        ...

    def encode_event(self, event: Mapping[str, Any]) -> bytes:
        """Return the event as it is sent."""
        ...

    def error_response(self, failure: Failure) -> ErrorResponse:
        """Refuse over HTTP."""
        ...

    def error_events(
        self, failure: Failure, unique_id: str, *, request: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        """Return the stream that refuses after status 200; empty where it is refused over HTTP."""
        ...
