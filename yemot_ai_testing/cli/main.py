"""The command ``yemot-ai-testing`` and its arguments."""

# ruff: noqa: PLC0415 - each command imports only what it needs: `lint` imports neither YAML nor Codex

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]

_REAL_SPECS = "real|real@VERSION|PATH"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; default: those of the process.

    Returns:
        The exit code of the command; argparse exits with 2 for wrong arguments.
    """
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`| head`) has closed the pipe; flushing it at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


class _CommandParser(argparse.ArgumentParser):
    """The parser of a command, whose module adds the arguments: it is imported if the command is run."""

    module = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - argparse's signature
        if self.module:
            importlib.import_module(f"yemot_ai_testing.cli.{self.module}").add_arguments(self)
        return super().parse_known_args(args, namespace)


class _VersionAction(argparse.Action):
    """Print the version; only this imports the library."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from yemot_ai import __version__

        print(f"{parser.prog} {__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("yemot-ai-testing", description="Test a phone agent without a phone.")
    parser.add_argument("--version", action=_VersionAction, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_CommandParser)

    commands.add_parser("lint", help="report errors and warnings in responses").module = "lint"
    commands.add_parser("explain", help="explain each part of a response").module = "explain"

    _add_line(commands.add_parser("line", help="list the extensions of ext.ini files, with warnings"))

    codex = commands.add_parser(
        "codex", help="install or find the real Codex; create a fake one"
    ).add_subparsers(required=True, metavar="ACTION")
    install = codex.add_parser("install", help="download a version from its registry into the cache")
    install.add_argument("version", nargs="?", help="default: the version of the recordings")
    install.set_defaults(command=_install)
    which = codex.add_parser("which", help="print the path of a binary")
    which.add_argument("spec", nargs="?", default="real", metavar=_REAL_SPECS)
    which.set_defaults(command=_which)
    codex.add_parser("fake", help="create a fake; print the folder to put on PATH").module = "codex_fake"

    _add_record(commands.add_parser("record", help="record what the real Codex does, case by case"))
    _add_drift(commands.add_parser("drift", help="compare two versions of Codex"))

    _add_contract(commands.add_parser("contract", help="check executables against the rules of Codex"))

    schema = commands.add_parser("schema", help="print the JSON Schema of *.call.yaml")
    schema.set_defaults(command=_schema)
    return parser


def _add_line(line: argparse.ArgumentParser) -> None:
    line.add_argument("folder", type=Path, help="the root extension; each folder in it is an extension")
    line.set_defaults(command=_line)


def _add_record(record: argparse.ArgumentParser) -> None:
    record.add_argument("--codex", default="real", metavar=_REAL_SPECS)
    record.add_argument(
        "--interface",
        choices=("exec", "app-server"),
        default="exec",
        help="which cases: of codex exec --json (default) or of codex app-server",
    )
    record.add_argument("--out", type=Path, metavar="DIR", help="default: codex-recordings/<version>")
    record.add_argument("--script", type=Path, metavar="FILE", help="your own turns, as JSON or YAML")
    record.add_argument(
        "--live",
        action="store_true",
        help="use your own Codex, with your login and at your cost, instead of a scripted model service",
    )
    record.set_defaults(command=_record)


def _add_drift(drift: argparse.ArgumentParser) -> None:
    drift.add_argument(
        "corpora", nargs="*", metavar="OLD NEW", help="recorded versions, or folders of recordings"
    )
    drift.add_argument(
        "--codex",
        metavar=_REAL_SPECS,
        help="record this binary now, and compare it with the newest recorded version, or with OLD",
    )
    forms = drift.add_mutually_exclusive_group()
    for form in ("json", "markdown"):
        forms.add_argument(f"--{form}", action="store_const", const=form, dest="form", help=f"print {form}")
    drift.set_defaults(command=_drift, form="table")


def _add_contract(contract: argparse.ArgumentParser) -> None:
    contract.description = (
        "Check executables against the rules of codex exec --json or of codex app-server, without a key and "
        "without a network. "
        "Exit code: 0 no rule is broken, 1 a rule is broken, 2 an executable cannot be run."
    )
    contract.add_argument(
        "--codex",
        dest="executables",
        nargs="+",
        action="extend",
        metavar="SPEC",
        help="fake, fake@VERSION, real, real@VERSION or a path; default: real and fake",
    )
    contract.add_argument(
        "--interface",
        choices=("exec", "app-server", "all"),
        default="exec",
        help="which rules: of codex exec --json (default), of codex app-server, or both",
    )
    contract.add_argument("--rule", dest="rules", nargs="+", action="extend", metavar="ID", help="only these")
    contract.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not a table")
    contract.add_argument("--jobs", type=int, default=4, metavar="N", help="rules in parallel (default: 4)")
    contract.set_defaults(command=_contract)


def _line(arguments: argparse.Namespace) -> int:
    from yemot_ai_testing.cli.line import run

    return run(arguments)


def _install(arguments: argparse.Namespace) -> int:
    from yemot_ai_testing.codex.binary import RECOMMENDED_VERSION, BinaryNotFoundError, install

    try:
        print(install(arguments.version or RECOMMENDED_VERSION))
    except (BinaryNotFoundError, ValueError) as error:
        return _fail(error)
    return 0


def _which(arguments: argparse.Namespace) -> int:
    from yemot_ai_testing.codex.binary import BinaryNotFoundError, CodexSpecError, locate

    try:
        print(locate(arguments.spec))
    except (BinaryNotFoundError, CodexSpecError) as error:
        return _fail(error)
    return 0


def _record(arguments: argparse.Namespace) -> int:
    from yemot_ai_testing.cli.record import run

    return run(arguments)


def _drift(arguments: argparse.Namespace) -> int:
    from yemot_ai_testing.cli.drift import run

    return run(arguments)


def _contract(arguments: argparse.Namespace) -> int:
    from yemot_ai_testing.cli.contract import run

    return run(arguments)


def _schema(_: argparse.Namespace) -> int:
    from yemot_ai_testing.scenario.format.schema import schema

    print(json.dumps(schema(), ensure_ascii=False, indent=2))
    return 0


def _fail(error: Exception) -> int:
    print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
