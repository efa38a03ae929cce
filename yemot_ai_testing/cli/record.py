"""``yemot-ai-testing record``: record the behavior of a Codex."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.home import version_of
from yemot_ai_testing.codex.recorder.own_turns import record_live, record_script
from yemot_ai_testing.codex.recorder.recorder import record

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Record and print the paths of the files.

    Returns:
        0 if all cases were recorded, else 1.
    """
    try:
        paths = _record(arguments)
    except (OSError, LookupError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
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
