"""``yemot-ai-testing``: the toolkit from the command line."""

# ruff: noqa: PLC0415 - each command imports only what it needs: `lint` must not wait for YAML or Codex

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; those of the process without.

    Returns:
        The exit code: 0 well, 1 not well; argparse itself exits with 2 for wrong arguments.
    """
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output (`| head`) has seen enough; Python would complain while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("yemot-ai-testing", description="Prove a phone agent without a phone.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_response_commands(
        commands.add_parser("lint", help="say what the line would not understand in answers"),
        commands.add_parser("explain", help="say what each part of an answer means"),
    )

    _add_line(commands.add_parser("line", help="say what the ext.ini files of a line mean, and what is odd"))

    codex = commands.add_parser("codex", help="get or find the real Codex").add_subparsers(
        required=True, metavar="ACTION"
    )
    install = codex.add_parser("install", help="fetch a version from its registry into the cache")
    install.add_argument("version", nargs="?", help="default: the version of the recordings")
    install.set_defaults(command=_install)
    which = codex.add_parser("which", help="say which binary is meant")
    which.add_argument("spec", nargs="?", default="real", metavar="real|PATH|VERSION")
    which.set_defaults(command=_which)

    _add_record(commands.add_parser("record", help="write down what the real Codex does, case by case"))
    _add_drift(commands.add_parser("drift", help="say what differs between two versions of Codex"))

    _add_contract(commands.add_parser("contract", help="hold executables to the rules of Codex"))

    schema = commands.add_parser("schema", help="print the JSON Schema of *.call.yaml")
    schema.set_defaults(command=_schema)
    return parser


def _add_response_commands(lint: argparse.ArgumentParser, explain: argparse.ArgumentParser) -> None:
    from yemot_ai_testing.cli import explain as explain_command
    from yemot_ai_testing.cli import lint as lint_command

    lint_command.add_arguments(lint)
    explain_command.add_arguments(explain)


def _add_line(line: argparse.ArgumentParser) -> None:
    line.add_argument("folder", type=Path, help="the root extension; each folder in it is an extension")
    line.set_defaults(command=_line)


def _add_record(record: argparse.ArgumentParser) -> None:
    record.add_argument("--codex", default="real", metavar="real|PATH|VERSION")
    record.add_argument("--out", type=Path, metavar="DIR", help="default: codex-recordings/<version>")
    record.add_argument("--script", type=Path, metavar="FILE", help="turns of your own, as JSON or YAML")
    record.add_argument(
        "--live",
        action="store_true",
        help="ask your own Codex, with your login and at your cost, instead of a scripted model service",
    )
    record.set_defaults(command=_record)


def _add_drift(drift: argparse.ArgumentParser) -> None:
    drift.add_argument(
        "corpora", nargs="*", metavar="OLD NEW", help="recorded versions, or folders of recordings"
    )
    drift.add_argument(
        "--codex",
        metavar="real|PATH|VERSION",
        help="record this binary now, and compare it with the newest recorded version, or with OLD",
    )
    forms = drift.add_mutually_exclusive_group()
    for form in ("json", "markdown"):
        forms.add_argument(f"--{form}", action="store_const", const=form, dest="form", help=f"print {form}")
    drift.set_defaults(command=_drift, form="table")


def _add_contract(contract: argparse.ArgumentParser) -> None:
    contract.description = (
        "Try every rule of codex exec --json, or of codex app-server, on executables, without a key and "
        "without a network. "
        "Exit code: 0 all held, 1 a rule is broken, 2 an executable cannot be run."
    )
    contract.add_argument(
        "--codex",
        dest="executables",
        nargs="+",
        action="extend",
        metavar="PATH|VERSION|real|fake[@VERSION]",
        help="what to try; default: real and fake",
    )
    contract.add_argument(
        "--face",
        choices=("exec", "app-server", "all"),
        default="exec",
        help="which rules: of codex exec --json (default), of codex app-server, or both",
    )
    contract.add_argument("--case", dest="cases", nargs="+", action="extend", metavar="ID", help="only these")
    contract.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not a table")
    contract.add_argument("--jobs", type=int, default=4, metavar="N", help="cases side by side (default: 4)")
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
    from yemot_ai_testing.codex.binary import BinaryNotFoundError, locate

    try:
        print(locate(arguments.spec))
    except BinaryNotFoundError as error:
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
