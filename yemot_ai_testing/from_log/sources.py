"""The files that a log is read from: line by line, so that a large one needs no memory; or a HAR file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from yemot_ai_testing.errors import LogFormatError
from yemot_ai_testing.from_log.entries import LogExchange, LogTurn
from yemot_ai_testing.from_log.formats import parse_har_entry, parse_line

__all__ = ["MAX_HAR_BYTES", "MAX_LINE_BYTES", "Entry", "LogFiles", "Place"]

MAX_LINE_BYTES: Final = 2 * 1024 * 1024
"""A longer line is counted as unreadable."""

MAX_HAR_BYTES: Final = 64 * 1024 * 1024
"""A HAR file is one JSON document, and has to be read as a whole."""

_HEAD_BYTES: Final = 4096
_HAR: Final = re.compile(rb"\s*\{\s*\"log\"\s*:\s*\{")
_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_GZIP: Final = b"\x1f\x8b"

Entry = LogExchange | LogTurn


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is: the index of its file, and its offset in bytes, or its index in a HAR file."""

    file: int
    offset: int


@dataclass(slots=True)
class LogFiles:
    """The files of one log.

    Args:
        paths: the files; of a folder all its ``*.jsonl``, as ``yemot-ai serve --record`` writes them.

    Attributes:
        unreadable: how many lines or entries have a request that cannot be read: cut off, or too long.
    """

    paths: Sequence[Path]
    unreadable: int = 0
    _hars: dict[int, list[Any]] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[Place, Entry]]:
        """Yield all entries, each with its place.

        Raises:
            LogFormatError: a file is no log.
            OSError: a file cannot be read.
        """
        for number, path in enumerate(self.paths):
            with path.open("rb") as log:
                head = log.read(_HEAD_BYTES)
                _check_is_text(path, head)
                log.seek(0)
                if _HAR.match(head.removeprefix(_BOM)):
                    self._hars[number] = _har_entries(path, log)
                    found: Iterable[tuple[int, Any]] = enumerate(self._hars[number])
                else:
                    found = _lines(log)
                yield from self._parsed(number, found)

    def read(self, places: Iterable[Place]) -> Iterator[Entry]:
        """Yield the entries at ``places``, in their order.

        Raises:
            OSError: a file cannot be read.
        """
        logs: dict[int, BinaryIO] = {}
        try:
            for place in places:
                if place.file in self._hars:
                    found = _parse(self._hars[place.file][place.offset])
                else:
                    if place.file not in logs:
                        logs[place.file] = self.paths[place.file].open("rb")
                    logs[place.file].seek(place.offset)
                    found = _parse(logs[place.file].readline(MAX_LINE_BYTES))
                if found is not None:
                    yield found
        finally:
            for log in logs.values():
                log.close()

    def _parsed(self, number: int, found: Iterable[tuple[int, Any]]) -> Iterator[tuple[Place, Entry]]:
        for offset, raw in found:
            try:
                entry = None if raw == b"" else _parse(raw)
            except ValueError:
                self.unreadable += 1
                continue
            if entry is not None:
                yield Place(number, offset), entry


def _parse(raw: object) -> Entry | None:
    if not isinstance(raw, bytes):
        if not isinstance(raw, dict):
            raise ValueError("an entry of a HAR file is an object")  # noqa: TRY004 - of the file, not of the code
        return parse_har_entry(raw)
    try:
        text = raw.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        text = raw.decode("cp1255", "replace")  # old servers write Hebrew in it
    return parse_line(text.rstrip("\r\n"))


def _lines(log: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their offsets; of one that is too long only its beginning."""
    offset = 0
    while line := log.readline(MAX_LINE_BYTES):
        start, is_whole = offset, line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
        offset += len(line)
        while not is_whole and (rest := log.readline(MAX_LINE_BYTES)):
            offset += len(rest)
            is_whole = rest.endswith(b"\n")
        yield start, line


def _check_is_text(path: Path, head: bytes) -> None:
    if head.startswith(_GZIP):
        raise LogFormatError(path, "is compressed: unpack it first (gunzip)")
    if head.startswith(_UTF_16):
        raise LogFormatError(path, "is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)")
    if b"\0" in head:
        raise LogFormatError(path, "is binary, and no log")


def _har_entries(path: Path, log: BinaryIO) -> list[Any]:
    text = log.read(MAX_HAR_BYTES + 1)
    if len(text) > MAX_HAR_BYTES:
        megabytes = MAX_HAR_BYTES // 1024**2
        raise LogFormatError(path, f"is a HAR file above {megabytes} MB: export fewer requests")
    try:
        entries = json.loads(text.removeprefix(_BOM))["log"]["entries"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LogFormatError(path, f"begins as a HAR file and is none, or is cut off: {error}") from error
    if not isinstance(entries, list):
        raise LogFormatError(path, "is a HAR file whose log.entries is no list")
    return entries
