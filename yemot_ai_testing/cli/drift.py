"""``yemot-ai-testing drift``: compare two versions of Codex and classify the cause of each difference."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.binary import REAL_SPECS, locate
from yemot_ai_testing.codex.drift.drift import Corpus, compare_corpora
from yemot_ai_testing.codex.drift.report import as_json, as_markdown, as_table
from yemot_ai_testing.codex.recorder.recorder import record

if TYPE_CHECKING:
    import argparse

    from yemot_ai_testing.codex.drift.drift import DriftReport

__all__ = ["add_arguments", "run"]

_FORMATS: Final = {"table": as_table, "json": as_json, "markdown": as_markdown}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "corpora", nargs="*", metavar="OLD NEW", help="recorded versions, or folders of recordings"
    )
    parser.add_argument(
        "--codex",
        metavar=REAL_SPECS,
        help="record this binary now, and compare it with the newest recorded version, or with OLD",
    )
    forms = parser.add_mutually_exclusive_group()
    for form in ("json", "markdown"):
        forms.add_argument(f"--{form}", action="store_const", const=form, dest="form", help=f"print {form}")
    parser.set_defaults(form="table")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare the versions and print the report.

    Returns:
        0 if no difference breaks this package, 1 if one does, 2 if the arguments cannot be compared.
    """
    try:
        report = _make_report(arguments)
    except (LookupError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{_FORMATS[arguments.form](report)}\n")
    return int(report.breaks)


def _make_report(arguments: argparse.Namespace) -> DriftReport:
    names = list(arguments.corpora)
    if arguments.codex is None:
        if len(names) != 2:  # noqa: PLR2004 - OLD and NEW
            raise ValueError(
                "drift compares two versions: OLD NEW, or OLD and --codex; "
                f"recorded are {', '.join(recordings.versions())}"
            )
        return compare_corpora(Corpus.load(names[0]), Corpus.load(names[1]))
    if len(names) > 1:
        raise ValueError("--codex takes at most one other version: the one to compare with")
    old = Corpus.load(names[0] if names else recordings.versions()[-1])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "now"
        binary = locate(arguments.codex)
        record(binary, folder)
        return compare_corpora(old, Corpus.load(folder).with_binary(binary))
