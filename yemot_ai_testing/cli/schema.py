"""``yemot-ai-testing schema``: print the JSON Schema of scenario files."""

from __future__ import annotations

import argparse

from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.scenario.format.schema import SCHEMA

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments."""
    parser.set_defaults(command=run)


def run(_: argparse.Namespace) -> int:
    """Print the schema; return 0."""
    print_text(to_json(SCHEMA))
    return 0
