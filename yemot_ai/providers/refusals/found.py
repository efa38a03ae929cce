"""A refusal where an answer should be: in a response with status 200, or in an event of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yemot_ai.providers.refusals.body import ErrorBody
from yemot_ai.providers.refusals.table import refusal_kind

__all__ = ["is_whole_body", "refusal_in"]


def refusal_in(response: object) -> ErrorBody | None:
    """Return the refusal that a response is; None if it is none.

    It is one if the table knows it, or if it has a message, and beside it a code or nothing at all.

    >>> refusal_in({"detail": "Model foo not found"}).message
    'Model foo not found'
    >>> refusal_in({"message": "Try it another day."}).message
    'Try it another day.'
    >>> refusal_in({"choices": [{"message": {"content": "Model foo not found"}}]})

    Args:
        response: an object of an SDK, decoded JSON, or a text.
    """
    items = response if isinstance(response, list) else [response]  # Gemini's body is a list
    plain = [_plain(item) for item in items]
    body = ErrorBody.parse(plain)
    is_refusal = refusal_kind(body) is not None or (
        body.has_message and (bool(body.codes) or all(map(_has_one_value, plain)))
    )
    return body if is_refusal else None


def _has_one_value(value: object) -> bool:
    """Whether an object has nothing beside its message: Bedrock gives the code of an error in a header."""
    return isinstance(value, Mapping) and sum(field is not None for field in value.values()) == 1


def is_whole_body(response: Any) -> bool:  # noqa: ANN401 - an HTTP response of the SDK's library
    """Return whether a response to a request for a stream is JSON of a known length: it has no events."""
    kind: str = response.headers.get("content-type", "")
    return kind.startswith("application/json") and "content-length" in response.headers


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(warnings=False) if callable(dump) else value
