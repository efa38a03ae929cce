"""``yemot-ai doctor``: examine an installation, a flow and its address."""

from __future__ import annotations

import argparse

from yemot_ai.doctor import examine, render_json, render_table

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Examine Python and the packages; with module:flow its extensions, models, store and secret; "
        "with --url "
        "also what a line gets there. No model is asked, and no key is printed. "
        "Exit code: 0 without errors, 1 with errors."
    )
    parser.add_argument("flow", nargs="?", metavar="module:flow", help="the flow to examine")
    parser.add_argument(
        "--url", metavar="URL", help="call this URL as the line does, and hang up: by GET and by POST"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; return the exit code."""
    findings = examine(arguments.flow, arguments.url)
    print(render_json(findings) if arguments.json else render_table(findings), end="")
    return int(any(finding.level == "error" for finding in findings))
