"""Where the command line finds answers: its arguments, standard input, a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from yemot_ai_testing.cli.log_parsing import responses_in

__all__ = ["SourcedResponse", "responses_from_arguments", "responses_from_log"]


@dataclass(frozen=True, slots=True)
class SourcedResponse:
    """An answer, and where it was found.

    Attributes:
        text: the answer. Bytes that are no UTF-8 are halves of characters, which no answer may contain.
        source: for a person, e.g. ``line 3`` or ``server.log:17``.
    """

    text: str
    source: str


def responses_from_arguments(texts: Iterable[str], *, whole: bool) -> Iterator[SourcedResponse]:
    """The answers among the arguments; ``-`` stands for those of standard input.

    Args:
        texts: the arguments.
        whole: take all of standard input as one answer, its line ends included, instead of one a line.
    """
    for number, text in enumerate(texts, start=1):
        if text != "-":
            yield SourcedResponse(text, f"argument {number}")
        elif whole:
            yield SourcedResponse(_standard_input(), "standard input")
        else:
            yield from _one_per_line(_standard_input())


def responses_from_log(path: Path) -> Iterator[SourcedResponse]:
    """The answers in a log; ``-`` is one on standard input.

    Raises:
        OSError: it cannot be read.
    """
    if str(path) == "-":
        yield from _responses_in_lines(sys.stdin.buffer, "standard input")
        return
    with path.open("rb") as log:
        yield from _responses_in_lines(log, str(path))


def _responses_in_lines(lines: Iterable[bytes], source: str) -> Iterator[SourcedResponse]:
    for number, line in enumerate(lines, start=1):
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        yield from (SourcedResponse(answer, f"{source}:{number}") for answer in responses_in(text))


def _one_per_line(text: str) -> Iterator[SourcedResponse]:
    """One answer a line; empty lines part them. Nothing at all is one empty answer."""
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), start=1)]
    some = [SourcedResponse(line, f"line {number}") for number, line in lines if line.strip()]
    yield from some or [SourcedResponse("", "standard input")]


def _standard_input() -> str:
    raw = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read() if raw is None else raw.read().decode("utf-8", "surrogateescape")
