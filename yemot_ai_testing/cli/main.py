"""The command ``yemot-ai-testing`` and its arguments."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from yemot_ai.console import run_command

__all__ = ["main"]

_COMMANDS = {
    "lint": "report errors and warnings in responses",
    "explain": "explain each part of a response",
    "line": "list the extensions of ext.ini files, with warnings",
    "codex": "install or find the real Codex; create a fake one",
    "record": "record what the real Codex does, case by case",
    "drift": "compare two versions of Codex",
    "contract": "check executables against the rules of Codex",
    "hunt": "look for violations in an application, without a test of it",
    "load": "call a server many times at once, and check exactly once",
    "mutate": "plant faults around a line, and show which tests notice them",
    "scenario": "write the calls of a log as scenarios",
    "schema": "print the JSON Schema of *.call.yaml",
}
"""The commands, each with a module of its name, and their purposes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; default: those of the process.

    Returns:
        The exit code of the command; 2 if the system refuses a file. argparse exits with 2 for wrong
        arguments.
    """
    return run_command("yemot-ai-testing", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    return command(arguments)


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
        from yemot_ai import __version__  # noqa: PLC0415 - see above

        print(f"{parser.prog} {__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("yemot-ai-testing", description="Test a phone agent without a phone.")
    parser.add_argument("--version", action=_VersionAction, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_CommandParser)
    for name, purpose in _COMMANDS.items():
        commands.add_parser(name, help=purpose).module = name
    return parser


if __name__ == "__main__":
    sys.exit(main())
