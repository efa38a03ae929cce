"""The command ``yemot-ai`` and its arguments."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any, Final

import yemot_ai
from yemot_ai.console import run_command
from yemot_ai.errors import MissingExtraError, YemotAIError

__all__ = ["main"]

COMMANDS: Final = {
    "new": "write a small tested project",
    "doctor": "examine an installation, a flow and its address",
    "serve": "answer the line over HTTP",
    "ext-ini": "print or write the settings of the extensions that are served at URL",
    "setup": "compare the settings on the line with those of a flow, and write them by the platform's API",
}
"""The commands, each with a module of its name here, and their purposes."""

PLUGIN_GROUP: Final = "yemot_ai.commands"
"""The entry points of commands that other packages have; each is a module with ``add_arguments(parser)``."""

PLUGIN_COMMANDS: Final = {
    "phone": ("call a line by hand: in the terminal, in the browser, step by step", "phone")
}
"""By the names of their entry points: the purposes of the commands, and the extras that they need."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; default: those of the process.

    Returns:
        The exit code of the command; 2 if an error of this package, or of a file, ended it. argparse exits
        with 2 for wrong arguments.
    """
    return run_command("yemot-ai", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        code: int = arguments.run(arguments)
    except YemotAIError as error:
        print(f"yemot-ai: {error}", file=sys.stderr)
        return 2
    return code


class _CommandParser(argparse.ArgumentParser):
    """The parser of a command, whose module adds the arguments: it is imported if the command is run."""

    command = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - argparse's signature
        if self.command:
            _load(self.command).add_arguments(self)
        return super().parse_known_args(args, namespace)


def _load(command: str) -> Any:  # noqa: ANN401 - a module with ``add_arguments``
    if command in PLUGIN_COMMANDS:
        return _load_plugin(command)
    return importlib.import_module(f"yemot_ai.cli.{command.replace('-', '_')}")


def _load_plugin(command: str) -> Any:  # noqa: ANN401 - a module with ``add_arguments``
    """Import the module of a command of another package.

    Raises:
        MissingExtraError: it is not installed, or a package that it needs is not.
    """
    points = entry_points(group=PLUGIN_GROUP, name=command)
    try:
        return next(iter(points)).load()
    except (StopIteration, ImportError) as error:
        package = getattr(error, "name", None) or "yemot_ai_testing"
        raise MissingExtraError(package=package, extra=PLUGIN_COMMANDS[command][1]) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("yemot-ai", description="AI agents on Yemot HaMashiach phone lines.")
    parser.add_argument("--version", action="version", version=f"yemot-ai {yemot_ai.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_CommandParser)
    purposes = COMMANDS | {name: purpose for name, (purpose, _) in PLUGIN_COMMANDS.items()}
    for name, purpose in purposes.items():
        commands.add_parser(name, help=purpose).command = name
    return parser
