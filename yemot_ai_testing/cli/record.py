"""``yemot-ai-testing record``: record the behavior of a Codex."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from yemot_ai_testing.codex.binary import REAL_SPECS, locate
from yemot_ai_testing.codex.home import version_of
from yemot_ai_testing.codex.recorder.own_turns import record_live, record_script
from yemot_ai_testing.codex.recorder.recorder import record

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--codex", default="real", metavar=REAL_SPECS)
    parser.add_argument(
        "--interface",
        choices=("exec", "app-server"),
        default="exec",
        help="which cases: of codex exec --json (default) or of codex app-server",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: codex-recordings/<version>")
    parser.add_argument("--script", type=Path, metavar="FILE", help="your own turns, as JSON or YAML")
    parser.add_argument(
        "--live",
        action="store_true",
        help="use your own Codex, with your login and at your cost, instead of a scripted model service",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Record and print the paths of the files.

    Returns:
        0; 2 if a case cannot be recorded.
    """
    try:
        paths = _record(arguments)
    except (OSError, LookupError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{path}\n" for path in paths)
    return 0


def _record(arguments: argparse.Namespace) -> list[Path]:
    if arguments.live and arguments.script is None:
        raise ValueError("--live asks your own Codex, at your cost: name the prompts with --script FILE")
    binary = locate(arguments.codex)
    if arguments.interface == "app-server" and (arguments.live or arguments.script):
        raise ValueError("--script and --live record turns of codex exec: leave out --interface app-server")
    out = arguments.out or Path("codex-recordings") / version_of(binary)
    if arguments.live:
        return record_live(binary, arguments.script, out)
    if arguments.script:
        return record_script(binary, arguments.script, out)
    return record(binary, out, arguments.interface)
