"""Record the requests and responses of an application, and send requests again.

>>> from yemot_ai_testing.history.history import History
>>> from yemot_ai_testing.line.caller import Caller
>>> history = History(now=lambda: 0.0)
>>> shop = RecordedApp(lambda pairs: "read=t-מה רצונך=order,no,voice", history)
>>> caller = Caller(shop, call_id="00c1", clock=shop.clock)
>>> caller.dial()
'מה רצונך'
>>> [type(event).__name__ for event in history.events]
['RequestSent', 'ResponseReceived']
"""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.history.correlation import spoken_answers, spoken_sentences
from yemot_ai_testing.history.events import RequestSent, ResponseReceived
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.questions import asked_for
from yemot_ai_testing.line.clock import Clock, clock_of
from yemot_ai_testing.line.exchange import final_read
from yemot_ai_testing.line.transports.detect import transport_for
from yemot_ai_testing.line.transports.transport import (
    Method,
    Pairs,
    RequestEncoding,
    Transport,
    TransportResponse,
)
from yemot_ai_testing.line.verbs.keypad import is_poll

__all__ = ["NoAnswerError", "RecordedApp", "call_name", "record_request", "record_response"]

Hook: TypeAlias = Callable[[], object]
MAX_LATENESS = 60
"""Seconds of the line's clock by which a repeated request may be older than the newest one."""

_CALL_PARAMETERS = ("ApiCallId", "ApiTime", "ApiYFCallId", "ApiDID", "ApiRealDID", "ApiPhone", "ApiExtension")


class NoAnswerError(ToolkitError):
    """The application returned no usable response."""


class RecordedApp:
    """Wraps an application as a function of (name, value) pairs, and records its requests.

    Args:
        app: any application that a ``Caller`` can call.
        history: where the events are added.
        clock: the line's clock; by default that of the application.
        method: how the line sends its requests, GET or POST.
        path: where a web application in this process is called.
        timeout: seconds after which the line stops waiting for a response.
        worker: its name, if there are several.
        wait_until_idle: called before a response is recorded; waits for the remaining work of the request.

    Attributes:
        clock: the line's clock.
        before_requests: functions to call, one before each of the next requests.
        before_request: a function to call with the next request, once, before it is sent.
        time_offset: seconds that are added to ``ApiTime`` of further requests.
    """

    def __init__(  # noqa: PLR0913 - what it records, and what it waits for
        self,
        app: object,
        history: History,
        *,
        clock: Clock | None = None,
        method: Method = "GET",
        path: str = "/",
        timeout: float = 10.0,
        worker: str = "",
        wait_until_idle: Hook | None = None,
    ) -> None:
        self.clock = clock or clock_of(app)
        self.before_requests: list[Hook] = []
        self.before_request: Callable[[Pairs], object] | None = None
        self.time_offset = 0
        self._history = history
        self._timeout = timeout
        self._worker = worker
        # In virtual time, sleeping for 0 seconds runs everything that is due.
        self._wait_until_idle = wait_until_idle or functools.partial(self.clock.sleep, 0)
        self._sent_requests: dict[str, list[Pairs]] = defaultdict(list)
        self._shifted: dict[Pairs, Pairs] = {}
        self._method: Method = method
        self._path = path
        self._app = app
        self._transport: Transport
        self.replace_app(app)

    def replace_app(self, app: object) -> None:
        """Send further requests to ``app``."""
        self._app = app
        encoding = RequestEncoding(method=self._method, path=self._path)
        self._transport = transport_for(app, encoding, clock=self.clock)

    def use_method(self, method: Method) -> None:
        """Send further requests with GET or POST."""
        self._method = method
        self.replace_app(self._app)

    def __call__(self, pairs: Pairs) -> str:
        """Send a request; see ``handle_request``."""
        return self.handle_request(pairs)

    async def ahandle_request(self, pairs: Pairs) -> str:
        """Send a request in a thread, so that the event loop is not blocked."""
        return await asyncio.to_thread(self.handle_request, pairs)

    def handle_request(self, pairs: Pairs) -> str:
        """Send a request.

        Raises:
            NoAnswerError: there is no usable response.
        """
        if self.before_requests:
            self.before_requests.pop(0)()
        pairs = self._shift_time(pairs)
        before, self.before_request = self.before_request, None
        if before is not None:
            before(pairs)
        self._sent_requests[_call_id(pairs)].append(pairs)
        response = self._send(pairs, is_repeat=False)
        if response.fault is not None:
            raise NoAnswerError(response.fault.text) from response.fault.cause
        return response.body

    def _shift_time(self, pairs: Pairs) -> Pairs:
        """Return a request with ``time_offset`` added to its time; a repetition has the time of the first."""
        key = tuple(pairs)
        if key not in self._shifted:
            self._shifted[key] = tuple(
                (name, str(int(value) + self.time_offset) if name == "ApiTime" else value)
                for name, value in key
            )
        return self._shifted[key]

    def resend(self, call_id: str, *, back: int = 0) -> str:
        """Send one of the last requests of a call again; the line does not use the response.

        A request that is ``MAX_LATENESS`` older than the newest one is not sent: no line waits so long.

        Args:
            call_id: the ID of the call.
            back: 0 for the last request, 1 for the one before.

        Returns:
            The response, byte for byte; "" if nothing was sent.
        """
        sent = self._sent_requests[call_id]
        again = sent[max(len(sent) - 1 - back, 0)] if sent else ()
        if not again or abs(_time_of(sent[-1]) - _time_of(again)) > MAX_LATENESS:
            return ""
        return self._send(again, is_repeat=True).body

    def _send(self, pairs: Pairs, *, is_repeat: bool) -> TransportResponse:
        number = record_request(self._history, pairs, is_repeat=is_repeat, worker=self._worker)
        response = self._transport.send(pairs, timeout=self._timeout)
        self._wait_until_idle()
        fault = "" if response.fault is None else f"{response.fault.code}: {response.fault.text}"
        if response.fault is not None and response.fault.code == "late":
            fault = "late"
        record_response(self._history, number, response.body, fault=fault)
        return response


def record_request(history: History, pairs: Pairs, *, is_repeat: bool = False, worker: str = "") -> int:
    """Record that a request is sent, for tests without a ``RecordedApp``.

    Returns:
        The ID of the request, for ``record_response``.
    """
    number, call = history.next_number(), call_name(_call_id(pairs))
    hangup = ("hangup", "yes") in pairs
    phone = dict(pairs).get("ApiPhone", "")
    history.add(
        RequestSent(history.now(), number, call, _fingerprint(pairs), hangup, is_repeat, worker, phone)
    )
    return number


def record_response(history: History, request_id: int, body: str, *, fault: str = "") -> None:
    """Record the response to a request."""
    sentences = spoken_sentences(body)
    history.add(
        ResponseReceived(
            history.now(),
            request_id,
            body,
            fault,
            spoken_answers(body),
            _awaits_caller(body),
            sentences,
            asked_for(body),
        )
    )


def call_name(call_id: str) -> str:
    """Return a short name for a call: its ID without leading zeros."""
    return f"call {call_id.lstrip('0') or '0'}"


def _call_id(pairs: Pairs) -> str:
    return next((value for name, value in pairs if name == "ApiCallId"), "")


def _time_of(pairs: Pairs) -> int:
    """Return the time of a request in seconds; 0 if it has none."""
    return next((int(value) for name, value in pairs if name == "ApiTime"), 0)


def _fingerprint(pairs: Sequence[tuple[str, str]]) -> str:
    """Return the extension, time and values of a request, which are equal for a repetition."""
    parameters = dict(pair for pair in pairs if pair[0] in _CALL_PARAMETERS)
    values = "&".join(f"{name}={value}" for name, value in pairs if name not in _CALL_PARAMETERS)
    return f"/{parameters.get('ApiExtension', '')} {parameters.get('ApiTime', '')} {values}".rstrip()


def _awaits_caller(body: str) -> bool:
    """Whether the line waits for the caller after this response, or the call has left."""
    read = final_read(body)
    return read is None or not is_poll(read.mode)
