"""Transports: (name, value) pairs are sent, one response is received.

>>> RequestEncoding(query="secret=x").query_string([("ApiCallId", "1")])
'secret=x?ApiCallId=1'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl, quote, quote_plus

from yemot_ai_testing.line.transports.urls import percent_encoded

__all__ = [
    "FORM_CONTENT_TYPE",
    "GET",
    "STRICT_HTTP",
    "USER_AGENT",
    "FaultCode",
    "HTTPRules",
    "Method",
    "Pairs",
    "RequestEncoding",
    "Transport",
    "TransportFault",
    "TransportResponse",
]

Method: TypeAlias = Literal["GET", "POST"]
Pairs: TypeAlias = Sequence[tuple[str, str]]
FaultCode: TypeAlias = Literal["late", "status", "redirect", "exception", "unreachable", "encoding"]

USER_AGENT = "yemot-core-api/1.0"
"""[OFF] the header of every request."""

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class TransportFault:
    """Why there is no usable response.

    Attributes:
        code: a stable identifier.
        text: what happened.
        cause: the exception, if there is one.
        matters_at_hangup: whether it matters in the answer to a hang-up, of which a line uses nothing.
        hint: what to change, besides what is said of every fault with this code.
    """

    code: FaultCode
    text: str
    cause: BaseException | None = None
    matters_at_hangup: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TransportResponse:
    """The response to one request.

    Attributes:
        body: the response; empty if there is none.
        fault: why it cannot be used, or None.
    """

    body: str = ""
    fault: TransportFault | None = None


@dataclass(frozen=True, slots=True)
class HTTPRules:
    """What a line does with an HTTP status other than 200; no source says it [?].

    Attributes:
        accept_any_2xx: the body of 201 to 299 is an answer, too.
        follow_redirects: 301, 302, 303, 307 and 308 are followed.
    """

    accept_any_2xx: bool = False
    follow_redirects: bool = False


STRICT_HTTP: Final = HTTPRules()
"""Only status 200 is an answer."""


class Transport(Protocol):
    """Carries a request to the application and its response back. Safe for several threads."""

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Send ``pairs`` and wait at most ``timeout`` seconds; faults are returned, not raised.

        Args:
            pairs: the names and values of the request, in order.
            timeout: seconds.
            rules: which HTTP status is an answer; without HTTP they do not matter.
        """
        ...

    def close(self) -> None:
        """Close what the transport has open; by default nothing is."""
        return


@dataclass(frozen=True, slots=True)
class RequestEncoding:
    """How an extension encodes its requests.

    Attributes:
        method: ``GET``, or ``POST`` with the pairs in a form.
        query: the query string of ``api_link``, percent-encoded when it is sent. With GET the line adds
            a second ``?`` after it [LIVE]; with POST it does not change.
        space_as_plus: a space is ``+`` (``api_add_replace_space=yes``) [OFF], else ``%20`` [?].
        path: where an application in this process is called, percent-encoded; a URL has its own path.
    """

    method: Method = "GET"
    query: str = ""
    space_as_plus: bool = False
    path: str = "/"

    def encode(self, pairs: Pairs) -> str:
        """Return ``pairs`` percent-encoded."""
        encode = quote_plus if self.space_as_plus else quote
        return "&".join(f"{encode(name, safe='')}={encode(value, safe='')}" for name, value in pairs)

    def query_string(self, pairs: Pairs) -> str:
        """Return the query string of a request."""
        query = percent_encoded(self.query.partition("#")[0])  # a fragment is never sent
        if self.method == "POST":
            return query
        return f"{query}?{self.encode(pairs)}" if query else self.encode(pairs)

    def form_body(self, pairs: Pairs) -> bytes:
        """Return the form body of a request; empty with GET."""
        return self.encode(pairs).encode() if self.method == "POST" else b""

    def as_received(self, pairs: Pairs) -> Pairs:
        """Return the pairs as a web framework parses them, with the second ``?`` inside a value."""
        if not self.query:
            return pairs
        parsed = parse_qsl(self.query_string(pairs), keep_blank_values=True)
        return [*parsed, *pairs] if self.method == "POST" else parsed


GET: Final = RequestEncoding()
"""The platform's default."""
