"""The line's side of one call without I/O: builds requests and interprets responses.

It sends nothing and waits for nothing, so that threads, tasks and processes can send its requests. It
supports reads and the end of a call only; ``Caller`` simulates the whole line.

>>> call = SansIOCall("00c1")
>>> dict(call.next_request())["ApiPhone"]
'0501234567'
>>> call.receive_response("read=t-שלום=ai_1,no,voice")
>>> call.awaits_caller, call.submit("אמירה 7001")
(True, None)
>>> call.next_request()[-1]
('ai_1', 'אמירה 7001')
"""

from __future__ import annotations

from yemot_ai.protocol import Read
from yemot_ai_testing.line.exchange import final_read
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.settings import LineSettings
from yemot_ai_testing.line.requests import EPOCH, CallerId, RequestBuilder, ServingExtension, Values
from yemot_ai_testing.line.verbs.keypad import is_poll

__all__ = ["SansIOCall"]


class SansIOCall:
    """One call.

    Args:
        call_id: its ``ApiCallId``.
        extension: the extension of the caller.
        number: the number of the caller.
    """

    def __init__(self, call_id: str, extension: str = "", number: str = "0501234567") -> None:
        self.call_id = call_id
        self._builder = RequestBuilder(LineSettings(), CallerId(number, call_id, yf_call_id=call_id))
        self._serving = ServingExtension(extension, Extension())
        self._values: Values = ()
        self._time = EPOCH
        self._question: Read | None = None
        self._over = False

    @property
    def awaits_caller(self) -> bool:
        """Whether the line waits for the caller."""
        return not self._over and self._question is not None and not self.is_polling

    @property
    def is_polling(self) -> bool:
        """Whether the line polls."""
        return not self._over and self._question is not None and is_poll(self._question.mode)

    def next_request(self) -> Values:
        """Return the request that is due; the same one until ``submit`` is called."""
        return self._builder.build(self._serving, self._values, time=self._time)

    def hangup_request(self) -> Values:
        """Return the request of the hang-up."""
        return (*self.next_request(), *self._builder.hangup_values(self._serving.path))

    def submit(self, value: str) -> None:
        """Submit the value of the open question; then a request is due."""
        if self._question is None:
            raise AssertionError("no question is open")
        self._values = (*self._values, (self._question.name, value))
        self._time += 1
        self._question = None

    def receive_response(self, body: str) -> None:
        """Process a response: open its question, or end the call."""
        self._question = final_read(body)
        self._over = self._over or self._question is None

    def hang_up(self) -> None:
        """End the call."""
        self._over = True
