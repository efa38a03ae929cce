"""``yemot-ai-testing codex add``: add a version of Codex to the recordings of this checkout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from yemot_ai_testing.codex.binary import RECOMMENDED_VERSION, install

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Install a version, record it, compare it with the newest recorded version, write the recordings, "
        "and check the rules of the contract on the binary and on the fake of that version. Nothing is "
        "written if a difference breaks this package, unless --force is given."
    )
    parser.add_argument("spec", metavar="VERSION|PATH", help="a version, or an executable")
    parser.add_argument("--force", action="store_true", help="write the recordings in any case")
    parser.add_argument("--rule", dest="rules", nargs="+", action="extend", metavar="ID", help="only these")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0; 1 if a difference breaks this package or a rule is broken; 2 if there is no such Codex.
    """
    # The other actions of the command need neither a recorder nor a phone line.
    from yemot_ai_testing.cli import contract  # noqa: PLC0415
    from yemot_ai_testing.codex.drift.adding import add_version  # noqa: PLC0415
    from yemot_ai_testing.codex.drift.report import as_table  # noqa: PLC0415
    from yemot_ai_testing.codex.home import version_of  # noqa: PLC0415

    try:
        binary = Path(arguments.spec) if Path(arguments.spec).is_file() else install(arguments.spec)
        version = version_of(binary)
        report = add_version(binary, version, force=arguments.force)
    except (OSError, LookupError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{as_table(report)}\n")
    if report.breaks and not arguments.force:
        sys.stderr.write("Nothing was written; mend what breaks us, or use --force\n")
        return 1
    parser = argparse.ArgumentParser()
    contract.add_arguments(parser)
    rules = ["--rule", *arguments.rules] if arguments.rules else []
    subjects = ["--interface", "all", "--codex", str(binary), f"fake@{version}"]
    exit_code = contract.run(parser.parse_args([*subjects, *rules]))
    if version != RECOMMENDED_VERSION:
        sys.stdout.write(f"Set RECOMMENDED_VERSION in yemot_ai_testing/codex/binary.py to {version}\n")
    return exit_code
