"""Arrivals: does a request open a new visit, go on with one, or come again?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from yemot_ai.protocol import Request
from yemot_ai.sessions import CachedResponse, Session, Visit, continues

__all__ = ["cached_response", "enter_visit", "find_identical_response", "find_response", "fingerprint"]


def enter_visit(session: Session, request: Request) -> Session:
    """Return the session with the visit that ``request`` belongs to.

    A new visit begins when the extension differs, when the values do not go on from those seen,
    or when our last answer led out of the extension.
    """
    visit = session.visit
    if visit is not None and _is_same_visit(visit, request):
        return session
    number = visit.number + 1 if visit else 1
    # Before the first visit nothing of ours can be old: after a restart that lost the sessions
    # the line still knows which turn it is in.
    first_turn = session.next_turn if visit else 1
    opened = Visit(number, request.extension, first_turn, tuple(session.names))
    return replace(session, visit=opened, phone=request.phone or session.phone)


def find_response(recent: Iterable[CachedResponse], request: Request) -> str | None:
    """Find the answer that was given to ``request`` before.

    Args:
        recent: the last answers, newest last.
        request: a request that may have come again, or late.

    Returns:
        The answer it had. One that is older than the newest and is not known any more gets the
        newest answer: the line no longer waits for its own. None for a new request.
    """
    known = list(recent)
    if not known:
        return None
    newest = known[-1]
    if request.time is None or newest.time is None:
        # Without a time, a caller who comes back looks like a request that comes back.
        return find_identical_response(known[-1:], request) if not newest.left else None
    again = find_identical_response(known, request)
    return newest.answer if again is None and request.time < newest.time else again


def fingerprint(request: Request) -> str:
    """Mark a request: where the line is, when, and all that it sent."""
    said = repr((request.extension, request.time, request.values)).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def find_identical_response(recent: Iterable[CachedResponse], request: Request) -> str | None:
    """Find the answer that was given to ``request``, byte for byte the same."""
    recent = tuple(recent)
    if not recent:
        return None
    mark = fingerprint(request)
    return next((old.answer for old in reversed(recent) if old.request == mark), None)


def cached_response(request: Request, answer: str, *, left: bool = False) -> CachedResponse:
    """Pair a request with its answer."""
    return CachedResponse(fingerprint(request), request.time, answer, left)


def _is_same_visit(visit: Visit, request: Request) -> bool:
    here = visit.extension == request.extension and not visit.left
    return here and continues(visit.seen, request.values)
