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
from dataclasses import dataclass
from typing import Any

from yemot_ai_testing.line.transports.transport import (
    GET,
    STRICT_HTTP,
    HTTPRules,
    Pairs,
    RequestEncoding,
    Transport,
    TransportFault,
    TransportResponse,
)

__all__ = ["PairsTransport", "call_directly", "call_with_timeout", "response_of_future", "timed_out"]


def call_directly(call: Callable[[], object], timeout: float) -> TransportResponse:  # noqa: ARG001 - in virtual time the line compares clocks afterwards
    """Call in this thread, where an engine in virtual time lets time pass."""
    try:
        return as_response(call())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - every exception of the application is its response
        return app_raised(error)


def call_with_timeout(call: Callable[[], object], timeout: float) -> TransportResponse:
    """Call in a new thread, and stop waiting after ``timeout`` seconds as the line does."""
    future: Future[object] = Future()
    # In the context of the sender: from it an engine in virtual time knows which call waits.
    resolve = functools.partial(contextvars.copy_context().run, _resolve, future, call)
    threading.Thread(target=resolve, name="yemot-request", daemon=True).start()
    return response_of_future(future, timeout)


def response_of_future(future: Future[object], timeout: float) -> TransportResponse:
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
    if isinstance(body, TransportResponse):
        return body
    if isinstance(body, str):
        return TransportResponse(body)
    return TransportResponse(
        fault=TransportFault("exception", f"the application returned {body!r}, not a string")
    )


def _resolve(future: Future[object], call: Callable[[], object]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        future.set_exception(error)


@dataclass(frozen=True, slots=True)
class PairsTransport(Transport):
    """Calls ``handle(pairs)`` with all names and values in the order of the request.

    Attributes:
        handle: the application.
        encoding: how requests are encoded.
        run: calls a function of no arguments within a number of seconds.
    """

    handle: Callable[[Pairs], object]
    encoding: RequestEncoding = GET
    run: Callable[[Callable[[], Any], float], TransportResponse] = call_with_timeout

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Call the application; there is no HTTP, so ``rules`` do not matter."""
        del rules
        received = self.encoding.as_received(pairs)
        return self.run(lambda: self.handle(received), timeout)
