"""Visits and cached responses: does a request start a visit, continue one, or repeat a request?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from yemot_ai.flow.value_names import Pairs, without_polls
from yemot_ai.protocol import Request, Response
from yemot_ai.protocol.phone_numbers import normalize_number
from yemot_ai.sessions import CachedResponse, Session, Visit

__all__ = [
    "cached_response",
    "enter_visit",
    "find_identical_response",
    "find_response",
    "fingerprint",
    "has_newer_values",
    "is_other_caller",
    "with_response",
]


MAX_LATENESS: Final = 60
"""Seconds by which a request may be late: the line waits for none so long.

A newest time that is further in the future is forged, and must not make all later requests late.
"""


def enter_visit(session: Session, request: Request) -> Session:
    """Return the session with the visit that ``request`` belongs to.

    A new visit starts if the extension differs, if the values do not continue those seen, or if the
    last response led out of the extension.
    """
    visit = session.visit
    if visit is not None and _is_same_visit(visit, request):
        return session
    number = visit.number + 1 if visit else 1
    # In a session's first visit every cursor counts: after a restart that lost the sessions the line
    # still sends the cursor of its turn.
    first_turn = session.next_turn if visit else 1
    opened = Visit(
        number, request.extension, first_turn, tuple(session.names), sends_phone=bool(request.phone)
    )
    return replace(session, visit=opened, phone=session.phone or request.phone)


def is_other_caller(session: Session, request: Request) -> bool:
    """Return whether a request with the id of a call comes from another phone.

    An id is no secret: it is in the logs of the line. A number may be missing only in an extension that does
    not send it (``api_phone_send=no`` [OFF]).
    """
    if session.phone in {"", request.phone}:
        return False
    known, given = normalize_number(session.phone), normalize_number(request.phone)
    if not known or given == known:
        return False
    visit = session.visit or Visit()
    return bool(given) or (visit.sends_phone and visit.extension == request.extension)


def find_response(recent: Iterable[CachedResponse], request: Request) -> str | None:
    """Return the cached response to ``request``, or None for a new request.

    Args:
        recent: the last responses, newest last.
        request: a request that may be repeated or late.

    Returns:
        The response that the request got before. A request that is older than the newest one and has
        no cached response gets the newest response: the line no longer waits for its own.
    """
    cached = list(recent)
    if not cached:
        return None
    newest = cached[-1]
    if request.time is None or newest.time is None:
        # Without a time, a caller who returns looks like a repeated request.
        return find_identical_response(cached[-1:], request) if not newest.left else None
    identical = find_identical_response(cached, request)
    is_late = 0 < newest.time - request.time <= MAX_LATENESS
    return newest.answer if identical is None and is_late else identical


def fingerprint(request: Request) -> str:
    """Return a hash of a request: its extension, time and values."""
    content = repr((request.extension, request.time, request.values)).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def find_identical_response(recent: Iterable[CachedResponse], request: Request) -> str | None:
    """Return the cached response to a request with the same fingerprint, or None."""
    recent = tuple(recent)
    if not recent:
        return None
    wanted = fingerprint(request)
    return next((cached.answer for cached in reversed(recent) if cached.request == wanted), None)


def cached_response(request: Request, response: str, *, left: bool = False) -> CachedResponse:
    """Return the cache entry for a request and its response."""
    return CachedResponse(fingerprint(request), request.time, response, left)


def with_response(session: Session, request: Request, response: Response) -> Session:
    """Return the session after ``request`` got ``response``."""
    left = response.leaves
    visit = replace(session.visit or Visit(), seen=request.values, left=left)
    return session.with_response(cached_response(request, str(response), left=left), visit)


def has_newer_values(visit: Visit | None, request: Request) -> bool:
    """Return whether the line has sent further values since ``request``, to any worker."""
    seen = visit.seen if visit else ()
    return len(without_polls(seen)) > len(without_polls(request.values))


def _is_same_visit(visit: Visit, request: Request) -> bool:
    here = visit.extension == request.extension and not visit.left
    return here and _continues(visit.seen, request.values)


def _continues(seen: Pairs, values: Pairs) -> bool:
    """Return whether a request with ``values`` continues one with ``seen``.

    The line sends every collected value again and appends the new ones [OFF]; constants
    (``api_add_N``) may stand before or after them, so the order is compared name by name.

    >>> _continues((("menu", "1"),), (("menu", "1"), ("ai_1", "שלום")))
    True
    >>> _continues((("menu", "1"),), ())
    False
    """
    if values[: len(seen)] == seen:
        return True
    now = _by_name(values)
    return all(now.get(name, [])[: len(old)] == old for name, old in _by_name(seen).items())


def _by_name(values: Pairs) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    for name, value in values:
        by_name.setdefault(name, []).append(value)
    return by_name
