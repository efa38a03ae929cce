"""Reads responses from arguments, standard input and logs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from yemot_ai_testing.from_log.log_parsing import responses_in

__all__ = ["SourcedResponse", "responses_from_arguments", "responses_from_log"]


@dataclass(frozen=True, slots=True)
class SourcedResponse:
    """A response and its source.

    Attributes:
        text: the response. Bytes that are not UTF-8 are lone surrogates, which are errors in a response.
        source: for people, e.g. ``line 3`` or ``server.log:17``.
    """

    text: str
    source: str


def responses_from_arguments(texts: Iterable[str], *, whole: bool) -> Iterator[SourcedResponse]:
    """Yield the responses of the arguments; ``-`` stands for those of standard input.

    Args:
        texts: the arguments.
        whole: take all of standard input as one response, with its line ends, instead of one a line.
    """
    for number, text in enumerate(texts, start=1):
        if text != "-":
            yield SourcedResponse(text, f"argument {number}")
        elif whole:
            yield SourcedResponse(_standard_input(), "standard input")
        else:
            yield from _one_per_line(_standard_input())


def responses_from_log(path: Path) -> Iterator[SourcedResponse]:
    """Yield the responses in a log; ``-`` is standard input.

    Raises:
        OSError: the log cannot be read.
    """
    if str(path) == "-":
        yield from _responses_in_lines(sys.stdin.buffer, "standard input")
        return
    with path.open("rb") as log:
        yield from _responses_in_lines(log, str(path))


def _responses_in_lines(lines: Iterable[bytes], source: str) -> Iterator[SourcedResponse]:
    for number, line in enumerate(lines, start=1):
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        yield from (SourcedResponse(response, f"{source}:{number}") for response in responses_in(text))


def _one_per_line(text: str) -> Iterator[SourcedResponse]:
    """Yield one response a line, without empty lines; an empty input is one empty response."""
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), start=1)]
    responses = [SourcedResponse(line, f"line {number}") for number, line in lines if line.strip()]
    yield from responses or [SourcedResponse("", "standard input")]


def _standard_input() -> str:
    raw = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read() if raw is None else raw.read().decode("utf-8", "surrogateescape")
