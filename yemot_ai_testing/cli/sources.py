"""Where the command line finds answers: its arguments, standard input, a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from yemot_ai_testing.cli.log_parsing import answers_in

__all__ = ["Found", "given", "logged"]


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and where it was found.

    Attributes:
        text: the answer. Bytes that are no UTF-8 are halves of characters, which no answer may contain.
        source: for a person, e.g. ``line 3`` or ``server.log:17``.
    """

    text: str
    source: str


def given(texts: Iterable[str], *, whole: bool) -> Iterator[Found]:
    """The answers among the arguments; ``-`` stands for those of standard input.

    Args:
        texts: the arguments.
        whole: take all of standard input as one answer, its line ends included, instead of one a line.
    """
    for number, text in enumerate(texts, start=1):
        if text != "-":
            yield Found(text, f"argument {number}")
        elif whole:
            yield Found(_standard_input(), "standard input")
        else:
            yield from _by_line(_standard_input())


def logged(path: Path) -> Iterator[Found]:
    """The answers in a log; ``-`` is one on standard input.

    Raises:
        OSError: it cannot be read.
    """
    if str(path) == "-":
        yield from _in_lines(sys.stdin.buffer, "standard input")
        return
    with path.open("rb") as log:
        yield from _in_lines(log, str(path))


def _in_lines(lines: Iterable[bytes], source: str) -> Iterator[Found]:
    for number, line in enumerate(lines, start=1):
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        yield from (Found(answer, f"{source}:{number}") for answer in answers_in(text))


def _by_line(text: str) -> Iterator[Found]:
    """One answer a line; empty lines part them. Nothing at all is one empty answer."""
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), start=1)]
    some = [Found(line, f"line {number}") for number, line in lines if line.strip()]
    yield from some or [Found("", "standard input")]


def _standard_input() -> str:
    raw = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read() if raw is None else raw.read().decode("utf-8", "surrogateescape")
