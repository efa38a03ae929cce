"""Plant a fault between the line and every application of this process."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from yemot_ai import AIFlow
from yemot_ai.protocol import Request
from yemot_ai_testing.history.recorders.app import RecordedApp
from yemot_ai_testing.line.transports.detect import wrap_transports
from yemot_ai_testing.line.transports.transport import (
    STRICT_HTTP,
    HTTPRules,
    Method,
    Pairs,
    RequestEncoding,
    Transport,
    TransportResponse,
)
from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.turn import Answered, ApplicationFault, Send, Turn

__all__ = ["CallRecords", "PlantedTransport", "is_changed", "plant_application"]

_is_sending: ContextVar[bool] = ContextVar("is_sending", default=False)
"""Whether this code runs in an application that is called through a ``PlantedTransport``."""


def is_changed(turn: Turn, healthy: TransportResponse, response: TransportResponse) -> bool:
    """Return whether the line gets another response; it uses none after a hang-up [OFF]."""
    return response != healthy and not turn.request.hangup


def plant_application(fault: ApplicationFault, marks: Marks, mutation_id: str) -> CallRecords:
    """Plant a fault in what a ``Caller`` calls, and in direct calls of ``AIFlow.handle_request``.

    Returns:
        What the fault knows of the calls so far.
    """
    records = CallRecords(fault, marks, mutation_id)

    def wrap(transport: Transport, app: object, encoding: RequestEncoding) -> Transport:
        # A recorded application has its own transport.
        return transport if isinstance(app, RecordedApp) else PlantedTransport(transport, encoding, records)

    wrap_transports(wrap)
    _plant_flows(records)
    return records


class CallRecords:
    """The answered requests of all calls, and the fault that gets them.

    Args:
        fault: the fault.
        marks: where it is recorded that an application was called, and that the fault has changed something.
        mutation_id: the name of the fault.
    """

    def __init__(self, fault: ApplicationFault, marks: Marks, mutation_id: str) -> None:
        self._fault = fault
        self._mutation_id = mutation_id
        self._marks = marks
        self._answered: dict[str, list[Answered]] = {}
        self._open: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._answered.clear()

    def answer(self, pairs: Pairs, method: Method, send: Send) -> TransportResponse:
        """Return the response of the fault to a request.

        Args:
            pairs: the request.
            method: GET or POST.
            send: sends a request to the application.
        """
        self._marks.use()
        call_id = Request.parse(pairs).call_key
        with self._waiting(call_id):
            sent: list[tuple[Pairs, TransportResponse]] = []

            def send_recorded(changed: Pairs) -> TransportResponse:
                sent.append((changed, send(changed)))
                return sent[-1][1]

            turn = self._turn(call_id, pairs, method)
            response = self._fault(turn, send_recorded)
            is_same = [tuple(changed) for changed, _ in sent] == [tuple(pairs)]
            if not is_same or is_changed(turn, sent[0][1], response):
                self._marks.reach(self._mutation_id)
            self._add(call_id, Answered(pairs, response))
            return response

    def _add(self, call_id: str, answered: Answered) -> None:
        """Add an answered request; the newest call is the last one."""
        with self._lock:
            self._answered[call_id] = [*self._answered.pop(call_id, []), answered]

    def _turn(self, call_id: str, pairs: Pairs, method: Method) -> Turn:
        with self._lock:
            others = (one for other, one in reversed(self._answered.items()) if other != call_id)
            other_words = next(filter(None, map(_last_words, others)), None)
            is_overlapping = any(count for other, count in self._open.items() if other != call_id)
            earlier = tuple(self._answered.get(call_id, ()))
            return Turn(pairs, method, earlier, other_words, is_overlapping)

    @contextmanager
    def _waiting(self, call_id: str) -> Iterator[None]:
        with self._lock:
            self._open[call_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[call_id] -= 1


def _last_words(answered: Sequence[Answered]) -> Answered | None:
    return next((one for one in reversed(answered) if one.messages), None)


class PlantedTransport(Transport):
    """A transport to an application with a fault.

    Args:
        transport: the transport to the healthy application.
        encoding: how requests are encoded.
        records: has the fault.
    """

    def __init__(self, transport: Transport, encoding: RequestEncoding, records: CallRecords) -> None:
        self._transport = transport
        self._method: Method = encoding.method
        self._records = records

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Send a request, and return what the fault makes of it."""

        def send(changed: Pairs) -> TransportResponse:
            token = _is_sending.set(True)
            try:
                return self._transport.send(changed, timeout=timeout, rules=rules)
            finally:
                _is_sending.reset(token)

        return self._records.answer(pairs, self._method, send)

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()


def _plant_flows(records: CallRecords) -> None:
    """Plant the fault in flows that a test or a test client of a framework calls without a line."""
    handle: Callable[..., str] = AIFlow.handle_request
    ahandle: Callable[..., Coroutine[Any, Any, str]] = AIFlow.ahandle_request

    def handle_request(flow: AIFlow, params: Any, *, path: str = "") -> str:  # noqa: ANN401 - as AIFlow takes it
        if _is_sending.get():
            return handle(flow, params, path=path)
        pairs = Request.parse(params).pairs
        return records.answer(
            pairs, "GET", lambda changed: TransportResponse(handle(flow, changed, path=path))
        ).body

    async def ahandle_request(flow: AIFlow, params: Any, *, path: str = "") -> str:  # noqa: ANN401 - as above
        if _is_sending.get():
            return await ahandle(flow, params, path=path)
        loop, pairs = asyncio.get_running_loop(), Request.parse(params).pairs

        def send(changed: Pairs) -> TransportResponse:
            answering = ahandle(flow, changed, path=path)
            return TransportResponse(asyncio.run_coroutine_threadsafe(answering, loop).result())

        return (await asyncio.to_thread(records.answer, pairs, "GET", send)).body

    flow_class: Any = AIFlow
    flow_class.handle_request, flow_class.ahandle_request = handle_request, ahandle_request
