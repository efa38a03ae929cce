"""The interface of the API modules: ``responses``, ``chat``, ``messages``, ``transcription``.

An API module is pure: bodies, events and bytes of one answer; no server, no clock.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.steps import Answer, Calls, CutReason, Failure

__all__ = [
    "TOKENS",
    "ErrorResponse",
    "ModelAPI",
    "argument_pieces",
    "call_ids",
    "encode_event",
    "encode_json",
    "encode_named_event",
    "no_calls",
    "no_cut",
    "no_error_events",
]

TOKENS: Final[Mapping[str, int]] = {"input": 100, "cached": 10, "output": 7, "reasoning": 0}
"""The token usage of every scripted answer."""


_PIECE: Final = 8
"""Characters of a call's arguments in one event."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An HTTP response with an error."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def object(self) -> Mapping[str, Any]:
        """The body; of a list, its only element."""
        body: Mapping[str, Any] = self.body[0] if isinstance(self.body, list) else self.body
        return body

    @property
    def error(self) -> Mapping[str, Any]:
        """The error object of the body; the body itself if it has none."""
        error = self.object.get("error", self.object)
        return error if isinstance(error, dict) else {"message": str(error)}


def encode_json(body: object) -> bytes:
    """Return a body as bytes; non-ASCII text is escaped only if it has a lone surrogate."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def encode_event(event: Mapping[str, Any]) -> bytes:
    """Return the bytes of a server-sent event without a name."""
    return b"data: %s\n\n" % encode_json(event)


def encode_named_event(event: Mapping[str, Any]) -> bytes:
    """Return the bytes of a server-sent event whose name is its type."""
    return b"event: %s\n%s" % (event["type"].encode(), encode_event(event))


def no_error_events(
    failure: Failure, unique_id: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return nothing: the API fails before it streams."""
    del failure, unique_id, request
    return ()


def no_cut(body: Mapping[str, Any], reason: CutReason) -> dict[str, Any]:
    """Return the body unchanged: no answer of the API is cut."""
    del reason
    return dict(body)


def no_calls(step: Calls, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Raise ``LookupError``: nothing of the API calls tools."""
    del unique_id, request
    raise LookupError(f"{step!r}: this API has no tools")


def call_ids(prefix: str, step: Calls, unique_id: str) -> list[str]:
    """Return the ids of the calls of an answer; they look like those of the service.

    Args:
        prefix: the prefix that the service gives them.
        step: the calls.
        unique_id: the id of the answer.
    """
    names = (f"{unique_id}.{number}" for number, _ in enumerate(step.tools))
    return [prefix + hashlib.sha256(name.encode()).hexdigest()[:24] for name in names]


def argument_pieces(arguments: str) -> list[str]:
    """Return the arguments of a call in the pieces of a stream."""
    return [arguments[start : start + _PIECE] for start in range(0, len(arguments), _PIECE)]


class ModelAPI(Protocol):
    """One HTTP API of a model service."""

    ENDPOINT: str
    """The end of the path of its requests."""

    HAS_ITEMS: bool
    """Whether an answer is a list of items, of which several can be messages."""

    STREAM_END: bytes
    """The bytes after the last event of a stream."""

    def response_body(self, step: Answer, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of an answer with the id ``unique_id``."""
        ...

    def calls_body(self, step: Calls, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of an answer that calls tools; its text is that of the step."""
        ...

    def stream_events(self, body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the events of the same answer as a stream."""
        ...

    def cut_body(self, body: Mapping[str, Any], reason: CutReason) -> dict[str, Any]:
        """Return the body of an answer that was cut by ``length`` or ``content_filter``."""
        ...

    def failed_events(
        self, error: ErrorResponse, unique_id: str, *, request: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        """Return the events of a stream that fails; the last one reports the error."""
        ...

    def is_delta(self, event: Mapping[str, Any]) -> bool:
        """Return whether the event is a piece of text."""
        ...

    def encode_event(self, event: Mapping[str, Any]) -> bytes:
        """Return the bytes of an event."""
        ...

    def error_response(self, failure: Failure) -> ErrorResponse:
        """Return the HTTP response of a failure."""
        ...

    def error_events(
        self, failure: Failure, unique_id: str, *, request: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        """Return the events of a failure after status 200; empty if the API sends an HTTP error instead."""
        ...
