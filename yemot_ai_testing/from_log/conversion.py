"""From the files of a log to scenario files: the most interesting calls first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.from_log.calls import CallIndex
from yemot_ai_testing.from_log.entries import LoggedCall
from yemot_ai_testing.from_log.interest import Reason, reasons_of
from yemot_ai_testing.from_log.privacy import Substitutes
from yemot_ai_testing.from_log.scenario import Settings, WrittenCall, file_text, write_call
from yemot_ai_testing.from_log.sensitive import find
from yemot_ai_testing.from_log.sources import LogFiles
from yemot_ai_testing.scenario.format.load import SCENARIO_SUFFIX

__all__ = ["Conversion", "WrittenFile", "convert", "log_paths"]

UNKNOWN_NAME: Final = "פלוני"
"""In place of the name under which a caller has logged in, and of its words."""

ORDINARY: Final = Reason(9, "")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A scenario file.

    Attributes:
        name: its name.
        text: its content; empty if the call cannot be written.
        call: its first call.
        problem: why the call cannot be written; empty if it can.
    """

    name: str
    text: str
    call: WrittenCall
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The result.

    Attributes:
        files: the scenario files, the most interesting call first.
        calls: how many calls the log has.
        requests: how many requests.
        without_id: how many of them belong to no call.
        unreadable: how many lines cannot be read.
    """

    files: tuple[WrittenFile, ...]
    calls: int
    requests: int
    without_id: int
    unreadable: int


def log_paths(given: Iterable[Path]) -> list[Path]:
    """Return the files of a log; a folder stands for its ``*.jsonl``.

    Raises:
        OSError: a folder cannot be read.
    """
    return list(
        chain.from_iterable(sorted(path.glob("*.jsonl")) if path.is_dir() else [path] for path in given)
    )


def convert(paths: Sequence[Path], settings: Settings, *, words: Mapping[str, str], limit: int) -> Conversion:
    """Return the calls of a log as scenario files.

    Args:
        paths: the files of the log.
        settings: how calls are written.
        words: names and other words, each with its substitute.
        limit: how many calls are written at most.

    Raises:
        LogFormatError: a file is no log.
        OSError: a file cannot be read.
    """
    files = LogFiles(paths)
    index = CallIndex.build(files)
    ranked = sorted(_ranked(index))[:limit]
    chosen = [index.call(number) for _, number in ranked]
    substitutes = Substitutes({**_login_names(chosen), **words}, _numbers(chosen))
    written = [write_call(call, reasons_of(call), substitutes, settings) for call in chosen]
    return Conversion(
        tuple(_file(call, len(index)) for call in written),
        len(index),
        index.requests,
        index.without_id,
        files.unreadable,
    )


def _ranked(index: CallIndex) -> Iterator[tuple[int, int]]:
    for call in index:
        reasons = reasons_of(call)
        yield (reasons[0] if reasons else ORDINARY).rank, call.number


def _file(written: WrittenCall, total: int) -> WrittenFile:
    name = f"call-{written.call.number:04}{SCENARIO_SUFFIX}"
    try:
        return WrittenFile(name, file_text(Path(name), [written], total), written)
    except ScenarioLoadError as error:
        return WrittenFile(name, "", written, error.problems[0].partition(": ")[2])


def _login_names(calls: Iterable[LoggedCall]) -> dict[str, str]:
    names = {call.exchanges[0].request.newest("ApiEnterIDName") or "" for call in calls}
    words = {word for name in names for word in (name.strip(), *name.split()) if len(word) > 1}
    return dict.fromkeys(words, UNKNOWN_NAME)


def _numbers(calls: Iterable[LoggedCall]) -> set[str]:
    """Return all numbers of the calls: none of them is a substitute."""
    texts = (
        text
        for call in calls
        for exchange in call.exchanges
        for text in (*(value for _, value in exchange.request.pairs), exchange.body or "")
    )
    answers = (turn.answer for call in calls for turn in call.turns)
    return {found.digits for text in {*texts, *answers} for found in find(text, ())}
