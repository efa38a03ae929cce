"""``yemot-ai-testing line FOLDER``: list the extensions of a tree of ``ext.ini`` files, with warnings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.platform.folders import display_path
from yemot_ai_testing.line.platform.tree import Line

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", type=Path, help="the root extension; each folder in it is an extension")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the extensions and the warnings.

    Returns:
        0 without warnings, 1 with warnings, 2 if there is no such folder. What is not simulated and what is
        skipped is printed, too, but is no warning.
    """
    try:
        line = Line.read(arguments.folder)
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for path, extension in sorted(line.extensions.items()):
        row = f"{display_path(path):<16} {extension.kind:<10} {extension.link or ''}"
        sys.stdout.write(f"{row.rstrip()}\n")
    for warning in line.warnings:
        sys.stdout.write(f"{warning}\n")
    return int(any(not warning.is_note for warning in line.warnings))
