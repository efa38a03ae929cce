"""Requests that are not the line's: is the server alive, is it ready, and a person who opens the address.

The line's requests have parameters that begin with ``Api`` [OFF], so any path may be the line's: with one of
these, a request is never a probe.

>>> find_probe("GET", "/healthz", b"", "*/*"), find_probe("GET", "/", b"", "text/html,*/*;q=0.8")
(<Probe.ALIVE: '/healthz'>, <Probe.BROWSER: 'text/html'>)
>>> find_probe("GET", "/healthz", b"ApiCallId=c1", "text/html")
"""

from __future__ import annotations

import enum
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

__all__ = ["Page", "Probe", "alive_page", "browser_page", "find_probe", "ready_page"]

_LINE: Final = re.compile(rb"(?:^|[?&])(?:Api[A-Za-z]+|hangup)=")

_SAFE: Final = (
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    ("referrer-policy", "no-referrer"),  # the address may contain the secret
    ("x-content-type-options", "nosniff"),
    ("x-robots-tag", "noindex"),
)


class Probe(enum.Enum):
    """A request that is not the line's."""

    ALIVE = "/healthz"
    READY = "/readyz"
    BROWSER = "text/html"


@dataclass(frozen=True, slots=True)
class Page:
    """The response to a probe.

    Attributes:
        status: its status.
        content_type: the type of its body.
        body: its body.
        headers: further headers, in lower case.
    """

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = _SAFE


def find_probe(method: str, path: str, query: bytes, accept: str) -> Probe | None:
    """Return which probe a request is; None for one of the line.

    Args:
        method: its method.
        path: its path, below that of the application.
        query: its query.
        accept: its header ``Accept``, "" without.
    """
    if method not in {"GET", "HEAD"} or _LINE.search(query):
        return None
    if path in {Probe.ALIVE.value, Probe.READY.value}:
        return Probe(path)
    return Probe.BROWSER if Probe.BROWSER.value in accept.lower() else None


def alive_page() -> Page:
    """Return the response of a server that answers."""
    return _json_page(HTTPStatus.OK, {"status": "alive"})


def ready_page(checks: Mapping[str, str]) -> Page:
    """Return the response about what calls need.

    Args:
        checks: the parts, each with ``ok`` or the reason why it does not work.
    """
    is_ready = all(result == "ok" for result in checks.values())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return _json_page(status, {"status": "ready" if is_ready else "unavailable", "checks": dict(checks)})


@functools.cache
def browser_page() -> Page:
    """Return the page for a person who opens the address: what it is, and how to try it."""
    body = Path(__file__).with_name("browser_page.html").read_bytes()
    return Page(HTTPStatus.OK, "text/html; charset=utf-8", body)


def _json_page(status: HTTPStatus, content: object) -> Page:
    return Page(status, "application/json", json.dumps(content).encode() + b"\n")
