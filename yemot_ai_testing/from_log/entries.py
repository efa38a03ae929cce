"""What a log has: requests with their responses, and the model's answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from yemot_ai.protocol import Request
from yemot_ai_testing.line.transports.transport import Method

__all__ = ["LogExchange", "LogTurn", "LoggedCall"]

OK = 200
MAX_TIME = 4e9
"""Unix seconds of the year 2096: a greater number is no time."""


@dataclass(frozen=True, slots=True)
class LogExchange:
    """One request of the line, as a log has it.

    Attributes:
        request: the request.
        body: the response; None if the log does not have it.
        at: when the request came, in Unix seconds; None if it is not known.
        seconds: how long the response took; None if it is not known.
        status: the status of HTTP; None if it is not known, or if there was no response.
        method: the method of HTTP.
        has_turns: the log also has what the model answered: it is a record of ``yemot-ai serve``.
    """

    request: Request
    body: str | None = None
    at: float | None = None
    seconds: float | None = None
    status: int | None = None
    method: Method = "GET"
    has_turns: bool = False

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """The values that the line sent, without its own."""
        return self.request.values

    @property
    def time(self) -> float | None:
        """When it was sent, in Unix seconds: as the log says, else as the line says; None if not known."""
        times = (self.at, self.request.time)
        return next((time for time in times if time is not None and 0 < time < MAX_TIME), None)

    @property
    def is_failed(self) -> bool:
        """Whether the server responded with another status than 200."""
        return self.status is not None and self.status != OK

    def repeats(self, other: LogExchange) -> bool:
        """Return whether this request has the values of ``other`` again, in the same extension."""
        return (
            self.values == other.values
            and self.request.extension == other.request.extension
            and self.request.hangup == other.request.hangup
        )


@dataclass(frozen=True, slots=True)
class LogTurn:
    """A question to the model and its answer, from a record of ``yemot-ai serve``.

    Attributes:
        call_id: the call.
        at: when it was answered, in Unix seconds.
        seconds: how long the answer took.
        text: the question.
        answer: the answer as the model wrote it; of an interrupted one, what was spoken.
        failure: the kind of the error; empty if there was none.
        interrupted: whether the caller did not wait for its end.
    """

    call_id: str
    at: float
    seconds: float
    text: str
    answer: str
    failure: str = ""
    interrupted: bool = False

    @property
    def started(self) -> float:
        """When the model was asked, in Unix seconds."""
        return self.at - self.seconds


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call.

    Attributes:
        number: its place among the calls of the log, by time, from 1.
        exchanges: its requests, in order.
        turns: the model's answers, in order.
    """

    number: int
    exchanges: tuple[LogExchange, ...]
    turns: tuple[LogTurn, ...] = field(default=())

    @property
    def time(self) -> float | None:
        """When it began, in Unix seconds."""
        return self.exchanges[0].time
