"""What goes over the wire: (name, value) pairs out, one answer back.

>>> glued("secret=x", [("ApiCallId", "1")], method="GET")
'secret=x?ApiCallId=1'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl, quote

from yemot_ai_testing.line.settings import Method

__all__ = [
    "FORM",
    "USER_AGENT",
    "Answer",
    "Fault",
    "FaultCode",
    "Pairs",
    "Transport",
    "encoded",
    "glued",
    "received",
]

Pairs: TypeAlias = Sequence[tuple[str, str]]
FaultCode: TypeAlias = Literal["late", "status", "exception", "unreachable", "encoding"]

USER_AGENT = "yemot-core-api/1.0"
"""[OFF] the header of every request."""

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer that could be read.

    Attributes:
        code: a stable word.
        text: what happened.
        cause: the exception behind it, if there is one.
    """

    code: FaultCode
    text: str
    cause: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request.

    Attributes:
        body: the answer, as far as one came.
        fault: why it cannot be used; None if it can.
    """

    body: str = ""
    fault: Fault | None = None


class Transport(Protocol):
    """Carries one request to the application and its answer back. Safe for several threads."""

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Deliver ``pairs`` and wait at most ``timeout`` seconds; faults are returned, not raised."""
        ...

    def close(self) -> None:
        """Let go of what the transport holds."""
        ...


def encoded(pairs: Pairs) -> str:
    """Return ``pairs`` percent-encoded; a space is ``%20``, for ``+`` is a switch of the line [OFF]."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def glued(query: str, pairs: Pairs, *, method: Method) -> str:
    """Return the query string of a request.

    Args:
        query: what already stands in ``api_link`` after its ``?``.
        pairs: what the line adds.
        method: with GET the line adds a second ``?`` [LIVE]; with POST its pairs are in the body.
    """
    if method == "POST":
        return query
    return f"{query}?{encoded(pairs)}" if query else encoded(pairs)


def received(query: str, pairs: Pairs, *, method: Method) -> Pairs:
    """Return the pairs as a web framework would hand them on, the glued ``?`` in their midst."""
    if not query:
        return pairs
    own = parse_qsl(glued(query, pairs, method=method), keep_blank_values=True)
    return [*own, *pairs] if method == "POST" else own
