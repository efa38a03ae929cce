"""What goes over the wire: (name, value) pairs out, one answer back.

>>> Writing(query="secret=x").in_url([("ApiCallId", "1")])
'secret=x?ApiCallId=1'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl, quote, quote_plus

__all__ = [
    "FORM_CONTENT_TYPE",
    "USER_AGENT",
    "FaultCode",
    "Method",
    "Pairs",
    "RequestEncoding",
    "Transport",
    "TransportFault",
    "TransportResponse",
]

Method: TypeAlias = Literal["GET", "POST"]
Pairs: TypeAlias = Sequence[tuple[str, str]]
FaultCode: TypeAlias = Literal["late", "status", "exception", "unreachable", "encoding"]

USER_AGENT = "yemot-core-api/1.0"
"""[OFF] the header of every request."""

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class TransportFault:
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
class TransportResponse:
    """What came back for one request.

    Attributes:
        body: the answer, as far as one came.
        fault: why it cannot be used; None if it can.
    """

    body: str = ""
    fault: TransportFault | None = None


class Transport(Protocol):
    """Carries one request to the application and its answer back. Safe for several threads."""

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Deliver ``pairs`` and wait at most ``timeout`` seconds; faults are returned, not raised."""
        ...

    def close(self) -> None:
        """Let go of what the transport holds."""
        ...


@dataclass(frozen=True, slots=True)
class RequestEncoding:
    """How an extension writes its requests.

    Attributes:
        method: ``GET``, or ``POST`` with the pairs in a form.
        query: what already stands in ``api_link`` after its ``?``. With GET the line adds a second ``?``
            behind it [LIVE]; with POST it stays as it is.
        space_as_plus: a space is ``+`` (``api_add_replace_space=yes``) [OFF], else ``%20`` [?].
    """

    method: Method = "GET"
    query: str = ""
    space_as_plus: bool = False

    def encode(self, pairs: Pairs) -> str:
        """Return ``pairs`` percent-encoded."""
        coded = quote_plus if self.space_as_plus else quote
        return "&".join(f"{coded(name, safe='')}={coded(value, safe='')}" for name, value in pairs)

    def query_string(self, pairs: Pairs) -> str:
        """Return the query string of a request."""
        if self.method == "POST":
            return self.query
        return f"{self.query}?{self.encode(pairs)}" if self.query else self.encode(pairs)

    def form_body(self, pairs: Pairs) -> bytes:
        """Return the form of a request; empty with GET."""
        return self.encode(pairs).encode() if self.method == "POST" else b""

    def as_received(self, pairs: Pairs) -> Pairs:
        """Return the pairs as a web framework would hand them on, the glued ``?`` in their midst."""
        if not self.query:
            return pairs
        own = parse_qsl(self.query_string(pairs), keep_blank_values=True)
        return [*own, *pairs] if self.method == "POST" else own
