"""``yemot-ai-testing drift``: what two versions of Codex do differently, and whose fault it is."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.drift.drift import Corpus, compare_corpora
from yemot_ai_testing.codex.drift.report import as_json, as_markdown, as_table
from yemot_ai_testing.codex.recorder.recorder import record

if TYPE_CHECKING:
    import argparse

    from yemot_ai_testing.codex.drift.drift import DriftReport

__all__ = ["run"]

_FORMATS: Final = {"table": as_table, "json": as_json, "markdown": as_markdown}


def run(arguments: argparse.Namespace) -> int:
    """Compare and print.

    Returns:
        0 if nothing breaks us, 1 if something does, or if there is nothing to compare.
    """
    try:
        report = _make_report(arguments)
    except (LookupError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{_FORMATS[arguments.form](report)}\n")
    return int(report.breaks)


def _make_report(arguments: argparse.Namespace) -> DriftReport:
    named = list(arguments.corpora)
    if arguments.codex is None:
        if len(named) != 2:  # noqa: PLR2004 - an old and a new one
            raise ValueError(
                "drift compares two: OLD NEW, or OLD and --codex; "
                f"recorded are {', '.join(recordings.versions())}"
            )
        return compare_corpora(Corpus.load(named[0]), Corpus.load(named[1]))
    if len(named) > 1:
        raise ValueError("with --codex at most one other is named: what it is compared with")
    old = Corpus.load(named[0] if named else recordings.versions()[-1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "now"
        binary = locate(arguments.codex)
        record(binary, folder)
        return compare_corpora(old, Corpus.load(folder).with_binary(binary))
