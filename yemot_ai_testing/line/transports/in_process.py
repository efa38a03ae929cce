"""Transports to applications in this process: a flow, or any function of (name, value) pairs.

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

from yemot_ai_testing.line.transports.transport import (
    Pairs,
    RequestEncoding,
    TransportFault,
    TransportResponse,
)

__all__ = ["MappingTransport", "PairsTransport", "call_directly", "call_with_timeout"]

CallRunner = Callable[[Callable[[], str], float], TransportResponse]
GET = RequestEncoding()


class PairsTransport:
    """Calls ``handle(pairs)`` with all names and values in the order of the request."""

    def __init__(
        self,
        handle: Callable[[Pairs], str],
        encoding: RequestEncoding = GET,
        *,
        run: CallRunner | None = None,
    ) -> None:
        self._handle = handle
        self._encoding = encoding
        self._run = run or call_with_timeout

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Call the application."""
        received = self._encoding.as_received(pairs)
        return self._run(lambda: self._handle(received), timeout)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class MappingTransport:
    """Calls ``handle(mapping)`` as ``yemot_flow.Flow`` documents it: ``request.values.to_dict()``.

    That conversion keeps the *first* of repeated names. An application on a real server does it, so
    the line must not hide it.
    """

    def __init__(self, handle: Callable[[dict[str, str]], str], encoding: RequestEncoding = GET) -> None:
        self._handle = handle
        self._encoding = encoding

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Call the application."""
        received = self._encoding.as_received(pairs)
        first_values = dict(reversed(list(received)))
        return call_with_timeout(lambda: self._handle(first_values), timeout)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def call_directly(call: Callable[[], str], timeout: float) -> TransportResponse:  # noqa: ARG001 - in virtual time the line compares clocks afterwards
    """Call in this thread, where an engine in virtual time lets time pass."""
    try:
        return as_response(call())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - every exception of the application is its response
        return app_raised(error)


def call_with_timeout(call: Callable[[], str], timeout: float) -> TransportResponse:
    """Call in a new thread, and stop waiting after ``timeout`` seconds as the line does."""
    future: Future[str] = Future()
    # In the context of the sender: from it an engine in virtual time knows which call waits.
    resolve = functools.partial(contextvars.copy_context().run, _resolve, future, call)
    threading.Thread(target=resolve, name="yemot-request", daemon=True).start()
    return response_of_future(future, timeout)


def response_of_future(future: Future[str], timeout: float) -> TransportResponse:
    """Return the result of ``future`` within ``timeout`` seconds, as a response."""
    try:
        return as_response(future.result(timeout))
    except TimeoutError as error:
        if future.done():
            return app_raised(error)
        return timed_out(timeout)
    except (Exception, SystemExit) as error:
        if not future.done():  # raised by a signal handler, not by the application
            raise
        return app_raised(error)


def timed_out(timeout: float) -> TransportResponse:
    """Return the response of a server that took too long."""
    return TransportResponse(fault=TransportFault("late", f"no answer within {timeout:g} s"))


def app_raised(error: BaseException) -> TransportResponse:
    """Return the response of an application that raised."""
    return TransportResponse(
        fault=TransportFault("exception", f"the application raised {type(error).__name__}: {error}", error)
    )


def as_response(body: object) -> TransportResponse:
    """Return ``body`` as a response; a fault if it is no string."""
    if isinstance(body, str):
        return TransportResponse(body)
    return TransportResponse(
        fault=TransportFault("exception", f"the application returned {body!r}, not a string")
    )


def _resolve(future: Future[str], call: Callable[[], str]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        future.set_exception(error)
