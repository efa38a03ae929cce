"""Statuses and checks that both mounts share."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from yemot_ai.web.form import Form, Pairs
from yemot_ai.web.limits import RequestLimits

__all__ = ["CONTENT_TYPE", "METHODS", "accept", "refused_status", "too_large_status"]

log = logging.getLogger("yemot_ai")

CONTENT_TYPE: Final = "text/plain; charset=utf-8"

METHODS: Final = ("GET", "HEAD", "POST")

LONG_QUERY: Final = 3500
"""Bytes: near the limit of servers and proxies; a call in Hebrew reaches it at turn 8 to 12."""


def accept(form: Form, limits: RequestLimits) -> Pairs | None:
    """Return the pairs of a request within the limits; None for another one."""
    return None if limits.find_excess(form.query, form.body) else form.pairs()


def warn_of_long_query(form: Form) -> None:
    """Log that a query nears the limit of servers and proxies."""
    if len(form.query) > LONG_QUERY:
        log.warning(
            "a query of %d bytes: set api_url_post=yes before it no longer fits a URL", len(form.query)
        )


def too_large_status(form: Form, limits: RequestLimits) -> HTTPStatus:
    """Return the status for a request above the limits: 431 if its URL is, else 413."""
    if limits.find_excess(form.query, b""):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def refused_status(method: str, upgrade: str) -> HTTPStatus | None:
    """Return the status for a request that is none of the line's, independently of its body; None for others.

    Args:
        method: its method.
        upgrade: its header ``Upgrade``, "" without.
    """
    if method not in METHODS:
        return HTTPStatus.METHOD_NOT_ALLOWED
    return HTTPStatus.BAD_REQUEST if "websocket" in upgrade.lower() else None
