"""``yemot-ai-testing codex``: install, find or record the real Codex; create a fake one."""

from __future__ import annotations

import argparse
import sys

from yemot_ai_testing.cli import codex_add, codex_fake
from yemot_ai_testing.codex.binary import (
    REAL_SPECS,
    RECOMMENDED_VERSION,
    BinaryNotFoundError,
    CodexSpecError,
    install,
    locate,
)

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command, with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    installing = actions.add_parser("install", help="download a version from its registry into the cache")
    installing.add_argument(
        "version", nargs="?", default=RECOMMENDED_VERSION, help="default: the version of the recordings"
    )
    installing.set_defaults(command=run, find=lambda arguments: install(arguments.version))
    which = actions.add_parser("which", help="print the path of a binary")
    which.add_argument("spec", nargs="?", default="real", metavar=REAL_SPECS)
    which.set_defaults(command=run, find=lambda arguments: locate(arguments.spec))
    codex_add.add_arguments(actions.add_parser("add", help="record a version for this checkout"))
    codex_fake.add_arguments(
        actions.add_parser("fake", help="create a fake; print the folder to put on PATH")
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the path of the binary.

    Returns:
        0; 2 if there is none.
    """
    try:
        path = arguments.find(arguments)
    except (BinaryNotFoundError, CodexSpecError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{path}\n")
    return 0
