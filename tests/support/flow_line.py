from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from yemot_ai import AIFlow
from yemot_ai.protocol import Read, Response, lint

ANSWER_TIMEOUT = 20.0


@dataclass
class Line:
    """The line, request by request, for tests that a ``Caller`` cannot express.

    Attributes:
        workers: the flows of several workers: a request goes to the next one, unless ``at`` names one.
        response: the last response, except to a hang-up.
    """

    flow: AIFlow
    call_id: str = "c1"
    extension: str = ""
    time: int = 1000
    values: list[tuple[str, str]] = field(default_factory=list)
    phone: str = "0501234567"
    workers: Sequence[AIFlow] = ()
    response: str = ""
    turns: Iterator[int] = field(default_factory=itertools.count)

    def enter(self, extension: str | None = None, *, keep: bool = False, at: int | None = None) -> str:
        """Enter an extension, or this one again; the line clears or keeps its values."""
        self.extension = self.extension if extension is None else extension
        if not keep:
            self.values.clear()
        return self.send(at=at)

    def send(self, *values: tuple[str, str], at: int | None = None) -> str:
        self.values += values
        self.time += 5
        return self.again(at)

    def again(self, at: int | None = None) -> str:
        """Send the last request again."""
        self.response = self._handle(self.request(), at)
        assert not [problem for problem in lint(self.response) if problem.level == "error"], self.response
        return self.response

    def gives(self, value: str, at: int | None = None) -> str:
        """Send a value for the name of the last read."""
        return self.send((self.asked, value), at=at)

    def polls(self, at: int | None = None) -> str:
        assert self.is_polling, self.response
        return self.gives("Ok", at)

    def waits(self, at: int | None = None) -> str:
        """Poll until there is an answer."""
        deadline = time.monotonic() + ANSWER_TIMEOUT
        while self.is_polling:
            assert time.monotonic() < deadline, self.response
            self.polls(at)
        return self.response

    def says(self, text: str) -> str:
        self.gives(text)
        return self.waits()

    def hang_up(self, at: int | None = None) -> str:
        return self._handle([*self.request(), ("hangup", "yes"), ("ApiHangupExtension", "/")], at)

    def request(self) -> list[tuple[str, str]]:
        api_params = [
            ("ApiCallId", self.call_id),
            ("ApiPhone", self.phone),
            ("ApiExtension", self.extension),
            ("ApiTime", str(self.time)),
        ]
        return [*api_params, *self.values]

    @property
    def asked(self) -> str:
        """The name of the last read."""
        last = tuple(Response.parse(self.response))[-1]
        assert isinstance(last, Read), self.response
        return last.name

    @property
    def is_polling(self) -> bool:
        last = tuple(Response.parse(self.response))[-1]
        return isinstance(last, Read) and ("w" in last.name or "x" in last.name)

    def _handle(self, request: Sequence[tuple[str, str]], at: int | None) -> str:
        flow = self.flow
        if self.workers:
            flow = self.workers[next(self.turns) % len(self.workers) if at is None else at]
        return flow.handle_request(request)
