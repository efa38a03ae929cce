"""HTTP rules that all transports share: which status is an answer, and where a redirect leads.

>>> request = HTTPRequest("POST", "http://127.0.0.1/a", b"q=1")
>>> next_step(request, HTTPReply(302, b"", "/b"), HTTPRules(follow_redirects=True))
HTTPRequest(method='GET', url='http://127.0.0.1/b', body=b'', redirects=1)
>>> next_step(request, HTTPReply(200, b"noop=x"), HTTPRules())
TransportResponse(body='noop=x', fault=None)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from yemot_ai_testing.line.transports.transport import (
    HTTPRules,
    TransportFault,
    TransportResponse,
)
from yemot_ai_testing.line.transports.urls import http_url

__all__ = [
    "FAILURE",
    "LINK_PATH_HINT",
    "HTTPReply",
    "HTTPRequest",
    "header_text",
    "next_step",
    "redirect_fault",
]

OK: Final = 200
SUCCESS: Final = range(200, 300)
FAILURE: Final = range(400, 600)
NO_SUCH_PAGE: Final = 404
OTHER_METHOD: Final = 405
LINK_PATH_HINT: Final = (
    "is the line below a path? Write it into the link, such as http://127.0.0.1:8000/yemot; "
    "in a scenario serve: {command: …, path: /yemot}"
)
"""Where the path of the line is written, if it is called by a link."""
METHOD_HINTS: Final = {
    "GET": 'the line sends GET; for POST write api_url_post=yes, here method="POST"',
    "POST": 'the line sends POST; for GET leave out api_url_post=yes, here method="GET"',
}
GZIP: Final = b"\x1f\x8b"
"""How a compressed body begins; the request does not say that the line takes one."""
REDIRECTS_TO_GET: Final = frozenset({301, 302, 303})
"""After these a client sends GET without a body, as browsers do."""
REDIRECTS_AS_SENT: Final = frozenset({307, 308})
"""After these a client sends the same method and body."""
MAX_REDIRECTS: Final = 5


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """One request to a server.

    Attributes:
        method: ``GET`` or ``POST``.
        url: the whole URL, in ASCII.
        body: the form; empty with GET.
        redirects: how many redirects led to it.
    """

    method: str
    url: str
    body: bytes = b""
    redirects: int = 0


@dataclass(frozen=True, slots=True)
class HTTPReply:
    """What the server sent.

    Attributes:
        status: the status code; None if the application sent none.
        body: the body, undecoded.
        location: the header ``Location``, if there is one.
    """

    status: int | None
    body: bytes
    location: str | None = None


def next_step(
    request: HTTPRequest, reply: HTTPReply, rules: HTTPRules, *, path_hint: str = LINK_PATH_HINT
) -> HTTPRequest | TransportResponse:
    """Return the request that follows a redirect, or the response for the line.

    Args:
        request: what was sent.
        reply: what the server answered.
        rules: what the line accepts; no source says what a line does with a status other than 200 [?].
        path_hint: where the path of the line is written.
    """
    status = reply.status
    if status is None:
        return TransportResponse(fault=TransportFault("exception", "the application sent no status"))
    if status == OK or (rules.accept_any_2xx and status in SUCCESS):
        return _decoded(reply.body)
    if rules.follow_redirects and status in REDIRECTS_TO_GET | REDIRECTS_AS_SENT:
        return _redirected(request, reply)
    hint = {NO_SUCH_PAGE: path_hint, OTHER_METHOD: METHOD_HINTS[request.method]}.get(status, "")
    path = f" at {urlsplit(request.url).path}" if hint else ""
    text = f"the server answered with HTTP status {status}{path}{_way_out(reply)}"
    fault = TransportFault("status", text, matters_at_hangup=status in FAILURE, hint=hint)
    return TransportResponse(reply.body.decode(errors="replace"), fault)


def redirect_fault(text: str) -> TransportResponse:
    """Return the response of a redirect that cannot be followed."""
    return TransportResponse(fault=TransportFault("redirect", text))


def header_text(value: str) -> str:
    """Return the header that a server sent as UTF-8, which HTTP and WSGI hand over as Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _decoded(body: bytes) -> TransportResponse:
    try:
        return TransportResponse(body.decode())
    except UnicodeDecodeError as error:
        text = "compressed (gzip)" if body.startswith(GZIP) else f"not UTF-8 at byte {error.start}"
        fault = TransportFault("encoding", f"the answer is {text}", error, matters_at_hangup=False)
        return TransportResponse(body.decode(errors="replace"), fault)


def _redirected(request: HTTPRequest, reply: HTTPReply) -> HTTPRequest | TransportResponse:
    """Return the request to the ``Location``, relative or absolute."""
    if not reply.location:
        return redirect_fault(f"HTTP status {reply.status} came without a Location")
    if request.redirects == MAX_REDIRECTS:
        text = f"more than {MAX_REDIRECTS} redirects in a row; the last one leads to {reply.location}"
        return redirect_fault(text)
    try:
        url = urlunsplit(http_url(urljoin(request.url, reply.location)))
    except ValueError as error:
        return redirect_fault(f"the redirect leads to {reply.location!r}, which cannot be called: {error}")
    if reply.status in REDIRECTS_TO_GET:
        return HTTPRequest("GET", url, redirects=request.redirects + 1)
    return HTTPRequest(request.method, url, request.body, request.redirects + 1)


def _way_out(reply: HTTPReply) -> str:
    """Return the setting with which the line goes on, for a status that no source speaks of [?]."""
    if reply.status in SUCCESS:
        return "; a line that takes it is accept_any_2xx=True"
    if reply.status in REDIRECTS_TO_GET | REDIRECTS_AS_SENT:
        return f" to {reply.location or 'nowhere'}; a line that follows it is follow_redirects=True"
    return ""
