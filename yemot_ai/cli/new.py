"""``yemot-ai new``: write a small tested project."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
from pathlib import Path
from typing import Final

from yemot_ai.new import MODELS, ProjectName, write_project

__all__ = ["add_arguments", "run"]

TEST_PACKAGES: Final = ("pytest", "textual", "yaml")
"""What the commands that come next import first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Write a small tested project: a line with a menu and an agent, scenarios, a test, "
        "the ext.ini of each extension, and a workflow for CI."
    )
    parser.add_argument("name", metavar="NAME", help="of the project, such as library or my-line")
    parser.add_argument(
        "--model", choices=MODELS, default="codex", help="who answers callers (default: codex)"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="where to write it (default: the folder NAME)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the project and print what comes next; return the exit code.

    Raises:
        ConfigurationError: if the name cannot be used, or the folder is not empty.
    """
    project = ProjectName.parse(arguments.name)
    folder = arguments.into or Path(project.name)
    for path in write_project(project, folder, model=arguments.model):
        print(path)
    print(f"\nnext:\n  cd {shlex.quote(str(folder))}\n  pytest\n  yemot-ai phone {project.module}:flow")
    if not all(map(importlib.util.find_spec, TEST_PACKAGES)):
        print("\nThey need the extras 'testing' and 'phone': README.md says how to install them.")
    return 0
