"""``yemot-ai-testing scenario from-log``: write the calls of a log as scenarios."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from yemot_ai_testing.cli.output import print_text
from yemot_ai_testing.errors import AppError, LogFormatError
from yemot_ai_testing.from_log.conversion import Conversion, WrittenFile, convert, log_paths
from yemot_ai_testing.from_log.scenario import Settings
from yemot_ai_testing.scenario.play.target import parse_command

__all__ = ["add_arguments", "run_from_log"]

DEFAULT_FOLDER: Final = Path("calls")
DEFAULT_LIMIT: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = "Work with scenario files."
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=argparse.ArgumentParser)
    command = commands.add_parser(
        "from-log",
        help="write the calls of a log as scenarios",
        description=(
            "Write the calls of a log as scenarios, those in which something went wrong first. Numbers, "
            "e-mail addresses and the words of --replace are replaced. Exit code: 0 written, 2 nothing found."
        ),
    )
    command.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="records of `yemot-ai serve --record` or their folder, LogApi.ymgr, JSON lines, HAR, access log",
    )
    command.add_argument(
        "--into",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help=f"where the files are written (default: {DEFAULT_FOLDER})",
    )
    application = command.add_mutually_exclusive_group()
    application.add_argument(
        "--app", metavar="MODULE:FLOW", help="the application, for app: of the scenarios"
    )
    application.add_argument(
        "--serve", metavar="COMMAND", help="the command that starts the server, for serve: of the scenarios"
    )
    command.add_argument(
        "--serve-path",
        default="/",
        metavar="PATH",
        help="the path that the line calls on the server of --serve, such as /yemot (default: /)",
    )
    command.add_argument(
        "--replace",
        action="append",
        default=[],
        type=_replacement,
        metavar="WORD=WORD",
        help="replace a name or another word; may be given several times",
    )
    command.add_argument(
        "--limit",
        type=_count,
        default=DEFAULT_LIMIT,
        metavar="N",
        help=f"calls at most (default: {DEFAULT_LIMIT})",
    )
    command.add_argument(
        "--model-answers",
        action="store_true",
        help="take each answer to what was said as the model's: for a server that is no agent of yemot-ai",
    )
    command.set_defaults(command=run_from_log)


def run_from_log(arguments: argparse.Namespace) -> int:
    """Write the calls of a log; return the exit code."""
    try:
        server = parse_command(arguments.serve, arguments.serve_path)
        settings = Settings(server or arguments.app, arguments.model_answers)
        paths = log_paths(arguments.files)
        found = convert(paths, settings, words=dict(arguments.replace), limit=arguments.limit)
        for file in found.files:
            _write(arguments.into, file)
    except (AppError, LogFormatError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"cannot use {error.filename}: {error.strerror}")
    for line in _table(found, arguments.into):
        print_text(line)
    if not found.files:
        return _fail("no calls found: a request of the line has ApiCallId= in its URL, its form or its JSON")
    return 0 if any(file.text for file in found.files) else _fail("no call can be written")


def _write(folder: Path, file: WrittenFile) -> None:
    """Write a scenario file; it has what callers said, so others cannot read it."""
    if not file.text:
        return
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / file.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(file.text)


def _table(found: Conversion, folder: Path) -> Iterator[str]:
    rows = [("call", "time (UTC)", "turns", "why", "file")] if found.files else []
    for file in found.files:
        call = file.call
        why = call.reasons[0].text if call.reasons else ""
        place = f"not written: {file.problem}" if file.problem else str(folder / file.name)
        rows.append((str(call.call.number), call.started, str(len(call.scenario.turns)), why, place))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield _summary(found)


def _summary(found: Conversion) -> str:
    parts = [f"{len(found.files)} of {found.calls} calls, {found.requests} requests"]
    if found.without_id:
        parts.append(f"{found.without_id} requests without an id of a call")
    if found.unreadable:
        parts.append(f"{found.unreadable} lines that cannot be read")
    return "; ".join(parts)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _replacement(text: str) -> tuple[str, str]:
    word, sign, substitute = text.partition("=")
    if not word.strip() or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not WORD=WORD")
    return word.strip(), substitute.strip()


def _fail(reason: str) -> int:
    sys.stderr.write(f"yemot-ai-testing scenario from-log: {reason}\n")
    return 2
