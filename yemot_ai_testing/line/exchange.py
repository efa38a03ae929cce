"""One request of the line and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Response
from yemot_ai.protocol.grammar import ParseResult, parse_response
from yemot_ai.protocol.lint import lint_parsed
from yemot_ai_testing.errors import LineError
from yemot_ai_testing.line.transports.transport import Pairs, TransportResponse

__all__ = ["LineExchange", "LineProblem", "build_exchange", "build_hangup_exchange"]

HINTS = {
    "late": "answer sooner: hold briefly, then let the line poll; or raise server_timeout",
    "status": "answer with HTTP status 200 and nothing else",
    "exception": "catch it in the application: the caller hears M1607 and leaves the extension",
    "unreachable": "is the server running at this address?",
    "encoding": "send the answer as UTF-8",
    "empty": "answer with an action; go_to_folder=.. leaves the extension on purpose",
}


SURVIVABLE_CODES = frozenset({"after-read", "after-terminal"})
"""Mistakes that the line survives: it does what comes before them."""


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Something wrong with an answer.

    Attributes:
        level: an ``error`` makes the line say M1607.
        code: a stable word: the lint's, or a ``FaultCode``.
        message: what is wrong.
        body: the answer, as far as there is one.
        hint: what to change.
        cause: the exception behind it, if there is one.
        position: which character of the answer it is about.
    """

    level: Literal["error", "warning"]
    code: str
    message: str
    body: str = ""
    hint: str = ""
    cause: BaseException | None = None
    position: int = 0

    def raise_(self) -> None:
        """Raise this problem.

        Raises:
            LineError: always.
        """
        raise LineError(self.message, code=self.code, body=self.body, hint=self.hint) from self.cause


@dataclass(frozen=True, slots=True)
class LineExchange:
    """A request, its answer, and what the line thinks of it.

    Attributes:
        at: when the request went out, on the line's clock.
        seconds: how long the answer took.
        extension: where the caller was.
        pairs: the request, name by name as it was sent.
        body: the answer, byte for byte.
        response: the answer as the line understands it; None if it does not.
        problems: what is wrong with it.
        hangup: the request told the server that the call is over; its answer is not used.
    """

    at: float
    seconds: float
    extension: str
    pairs: tuple[tuple[str, str], ...]
    body: str
    response: Response | None
    problems: tuple[LineProblem, ...] = ()
    hangup: bool = False


def build_exchange(
    pairs: Pairs, transport_response: TransportResponse, *, at: float, seconds: float, extension: str
) -> LineExchange:
    """Return the exchange that ``transport_response`` makes of a request, whose names have a value already."""
    # Read once: the line's judgement is a large part of what a turn costs.
    reading = parse_response(transport_response.body)
    problems = _problems(transport_response, reading, [name for name, _ in pairs])
    response = _usable_response(reading, problems)
    return LineExchange(at, seconds, extension, tuple(pairs), transport_response.body, response, problems)


def build_hangup_exchange(
    pairs: Pairs, transport_response: TransportResponse, *, at: float, seconds: float, extension: str
) -> LineExchange:
    """Return the exchange of a hang-up request: any answer will do, but none is a fault."""
    problems = () if transport_response.fault is None else (_fault_problem(transport_response),)
    return LineExchange(
        at, seconds, extension, tuple(pairs), transport_response.body, None, problems, hangup=True
    )


def _problems(
    transport_response: TransportResponse, reading: ParseResult, known: Collection[str]
) -> tuple[LineProblem, ...]:
    if transport_response.fault is not None:
        return (_fault_problem(transport_response),)
    return tuple(
        LineProblem(found.level, found.code, found.message, transport_response.body, position=found.position)
        for found in lint_parsed(reading, known)
    )


def _fault_problem(transport_response: TransportResponse) -> LineProblem:
    fault = transport_response.fault
    if fault is None:
        raise AssertionError
    return LineProblem(
        "error", fault.code, fault.text, transport_response.body, HINTS[fault.code], fault.cause
    )


def _usable_response(reading: ParseResult, problems: Sequence[LineProblem]) -> Response | None:
    """Return what the line makes of an answer; what follows the last that counts is ignored [OFF]."""
    errors = [problem for problem in problems if problem.level == "error"]
    if not errors:
        return _parse(reading)
    if {problem.code for problem in errors} <= SURVIVABLE_CODES:
        end = min(problem.position for problem in errors)
        return _parse(parse_response(reading.text[:end].rstrip("&")))
    return None


def _parse(reading: ParseResult) -> Response | None:
    try:
        return Response.from_parsed(reading)
    except ResponseSyntaxError:  # the lint promises that this cannot be; if it is, it is M1607
        return None
