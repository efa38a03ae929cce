"""Applications in this very process: a flow, or any function of (name, value) pairs.

>>> transport = PairsTransport(lambda pairs: f"go_to_folder=/{dict(pairs)['choice']}")
>>> transport.send([("choice", "3")], timeout=1).body
'go_to_folder=/3'
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future

from yemot_ai_testing.line.transports.transport import Answer, Fault, Pairs, Writing

__all__ = ["MappingTransport", "PairsTransport", "bounded", "immediate"]

Runner = Callable[[Callable[[], str], float], Answer]
GET = Writing()


class PairsTransport:
    """Calls ``handle(pairs)``; every name and value in the order the line sent them."""

    def __init__(
        self, handle: Callable[[Pairs], str], writing: Writing = GET, *, run: Runner | None = None
    ) -> None:
        self._handle = handle
        self._writing = writing
        self._run = run or bounded

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Call the application."""
        arrived = self._writing.received(pairs)
        return self._run(lambda: self._handle(arrived), timeout)

    def close(self) -> None:
        """Nothing is held."""


class MappingTransport:
    """Calls ``handle(mapping)`` as ``yemot_flow.Flow`` documents it: ``request.values.to_dict()``.

    That conversion keeps the *first* of repeated names. It is the developer's own doing on a real
    server, so the line repeats it here rather than hide it.
    """

    def __init__(self, handle: Callable[[dict[str, str]], str], writing: Writing = GET) -> None:
        self._handle = handle
        self._writing = writing

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Call the application."""
        arrived = self._writing.received(pairs)
        first = dict(reversed(list(arrived)))
        return bounded(lambda: self._handle(first), timeout)

    def close(self) -> None:
        """Nothing is held."""


def immediate(call: Callable[[], str], timeout: float) -> Answer:  # noqa: ARG001 - virtual time: the line compares clocks afterwards
    """Call in this thread, which is where an engine on virtual time lets time pass."""
    try:
        return as_answer(call())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the application raises is its answer
        return crashed(error)


def bounded(call: Callable[[], str], timeout: float) -> Answer:
    """Call in a thread of its own, and walk away after ``timeout`` seconds as the line does."""
    future: Future[str] = Future()
    # In the context of whoever sends: an engine in virtual time knows by it who waits for whom.
    fulfil = functools.partial(contextvars.copy_context().run, _fulfil, future, call)
    threading.Thread(target=fulfil, name="yemot-request", daemon=True).start()
    return outcome(future, timeout)


def outcome(future: Future[str], timeout: float) -> Answer:
    """Return what ``future`` brings within ``timeout`` seconds, as an answer."""
    try:
        return as_answer(future.result(timeout))
    except TimeoutError as error:
        if future.done():
            return crashed(error)
        return late(timeout)
    except (Exception, SystemExit) as error:
        if not future.done():  # not the application's, but of a signal that has come meanwhile
            raise
        return crashed(error)


def late(timeout: float) -> Answer:
    """Return the answer of a server that took too long."""
    return Answer(fault=Fault("late", f"no answer within {timeout:g} s"))


def crashed(error: BaseException) -> Answer:
    """Return the answer of an application that raised."""
    return Answer(fault=Fault("exception", f"the application raised {type(error).__name__}: {error}", error))


def as_answer(body: object) -> Answer:
    """Return ``body`` as an answer, if it is one."""
    if isinstance(body, str):
        return Answer(body)
    return Answer(fault=Fault("exception", f"the application returned {body!r}, not a string"))


def _fulfil(future: Future[str], call: Callable[[], str]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        future.set_exception(error)
