"""Arrivals: does a request open a new visit, go on with one, or come again?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from yemot_ai.protocol import Request
from yemot_ai.sessions import Answered, Session, Visit, continues

__all__ = ["answered", "arrive", "known_answer", "mark_of", "recall"]


def arrive(session: Session, request: Request) -> Session:
    """Return the session with the visit that ``request`` belongs to.

    A new visit begins when the extension differs, when the values do not go on from those seen,
    or when our last answer led out of the extension.
    """
    visit = session.visit
    if visit is not None and _goes_on(visit, request):
        return session
    number = visit.number + 1 if visit else 1
    # Before the first visit nothing of ours can be old: after a restart that lost the sessions
    # the line still knows which turn it is in.
    first_turn = session.next_turn if visit else 1
    opened = Visit(number, request.extension, first_turn, tuple(session.names))
    return replace(session, visit=opened, phone=request.phone or session.phone)


def recall(recent: Iterable[Answered], request: Request) -> str | None:
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
        return known_answer(known[-1:], request) if not newest.left else None
    again = known_answer(known, request)
    return newest.answer if again is None and request.time < newest.time else again


def mark_of(request: Request) -> str:
    """Mark a request: where the line is, when, and all that it sent."""
    said = repr((request.extension, request.time, request.values)).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def known_answer(known: Iterable[Answered], request: Request) -> str | None:
    """Find the answer that was given to ``request``, byte for byte the same."""
    known = tuple(known)
    if not known:
        return None
    mark = mark_of(request)
    return next((old.answer for old in reversed(known) if old.request == mark), None)


def answered(request: Request, answer: str, *, left: bool = False) -> Answered:
    """Pair a request with its answer."""
    return Answered(mark_of(request), request.time, answer, left)


def _goes_on(visit: Visit, request: Request) -> bool:
    here = visit.extension == request.extension and not visit.left
    return here and continues(visit.seen, request.values)
