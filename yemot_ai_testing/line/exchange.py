"""One request of the line and its response."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Read, Response
from yemot_ai.protocol.grammar import ParseResult, parse_response
from yemot_ai.protocol.lint import lint_parsed
from yemot_ai_testing.errors import LineError
from yemot_ai_testing.line.transports.transport import Pairs, TransportResponse

__all__ = ["LineExchange", "LineProblem", "build_exchange", "build_hangup_exchange", "final_read"]

HINTS = {
    "late": "answer sooner: hold briefly, then let the line poll; or raise server_timeout",
    "status": "answer with HTTP status 200 and nothing else",
    "redirect": "let the address in api_link answer itself",
    "exception": "catch it in the application: the caller hears M1607 and leaves the extension",
    "unreachable": "is the server running at this address?",
    "encoding": "send the answer as UTF-8, not compressed: what the line does with another one is not known",
    "empty": "answer with an action; go_to_folder=.. leaves the extension on purpose",
}


SURVIVABLE_CODES = frozenset({"after-read", "after-terminal"})
"""Errors that the line survives: it performs the actions before them."""


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A problem of a response.

    Attributes:
        level: an ``error`` makes the line say M1607; or callers hear nothing (``blocked-loop``).
        code: a stable identifier: that of the lint finding, a ``FaultCode``, or ``blocked-loop``.
        message: what is wrong.
        body: the response; empty if there is none.
        hint: what to change.
        cause: the exception, if there is one.
        position: the index of the character in the response.
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
    """A request, its response, and the problems of the response.

    Attributes:
        at: when the request was sent, on the line's clock.
        seconds: how long the response took.
        extension: where the caller was.
        pairs: the names and values of the request, in the order in which they were sent.
        body: the response, byte for byte.
        response: the response as the line understands it; None if it does not.
        problems: what is wrong with it.
        hangup: whether this was the request of a hang-up; its response is not used.
    """

    at: float
    seconds: float
    extension: str
    pairs: tuple[tuple[str, str], ...]
    body: str
    response: Response | None
    problems: tuple[LineProblem, ...] = ()
    hangup: bool = False


def build_exchange(  # noqa: PLR0913 - what is known of one exchange
    pairs: Pairs,
    transport_response: TransportResponse,
    *,
    at: float,
    seconds: float,
    extension: str,
    lenient: bool = False,
) -> LineExchange:
    """Return the exchange of a request; its names count as values that the line has already."""
    body, parsed = transport_response.body, _parse(transport_response.body, lenient)
    problems = _fault_problems(transport_response) or tuple(
        LineProblem(finding.level, finding.code, finding.message, body, position=finding.position)
        for finding in lint_parsed(parsed, [name for name, _ in pairs])
    )
    response = _usable_response(parsed, problems)
    return LineExchange(at, seconds, extension, tuple(pairs), body, response, problems)


def build_hangup_exchange(
    pairs: Pairs, transport_response: TransportResponse, *, at: float, seconds: float, extension: str
) -> LineExchange:
    """Return the exchange of a hang-up request.

    The line uses nothing of its response: any is accepted, but a missing one or an error of the server is a
    problem.
    """
    body, fault = transport_response.body, transport_response.fault
    problems = _fault_problems(transport_response) if fault is not None and fault.matters_at_hangup else ()
    return LineExchange(at, seconds, extension, tuple(pairs), body, None, problems, hangup=True)


def final_read(body: str) -> Read | None:
    """Return the read at the end of a response; None for one without, which a caller is never asked."""
    try:
        *_, last = Response.parse(body)
    except ResponseSyntaxError:  # M1607: the caller leaves the extension
        return None
    return last if isinstance(last, Read) else None


@functools.lru_cache(maxsize=256)
def _parse(body: str, lenient: bool) -> ParseResult:  # noqa: FBT001 - a key of the cache
    """Parse a response: a large part of the cost of a turn, and applications repeat their responses."""
    return parse_response(body, lenient=lenient)


def _fault_problems(response: TransportResponse) -> tuple[LineProblem, ...]:
    fault = response.fault
    if fault is None:
        return ()
    hint = "; ".join(filter(None, (HINTS[fault.code], fault.hint)))
    return (LineProblem("error", fault.code, fault.text, response.body, hint, fault.cause),)


def _usable_response(parsed: ParseResult, problems: Sequence[LineProblem]) -> Response | None:
    """Return the response as the line uses it; the line ignores what follows the last valid action [OFF]."""
    errors = [problem for problem in problems if problem.level == "error"]
    if not errors:
        return _to_response(parsed)
    if {problem.code for problem in errors} <= SURVIVABLE_CODES:
        end = min(problem.position for problem in errors)
        return _to_response(_parse(parsed.text[:end].rstrip("&"), parsed.lenient))
    return None


def _to_response(parsed: ParseResult) -> Response | None:
    try:
        return Response.from_parsed(parsed)
    except ResponseSyntaxError:  # the lint should have reported it; the line plays M1607
        return None
