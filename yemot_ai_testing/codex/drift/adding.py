"""Add a version of Codex to the recordings of a checkout."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.drift.drift import Corpus, compare_corpora
from yemot_ai_testing.codex.recorder.recorder import record

if TYPE_CHECKING:
    from yemot_ai_testing.codex.drift.drift import DriftReport

__all__ = ["add_version"]


def add_version(binary: Path, version: str, *, force: bool) -> DriftReport:
    """Record a binary, and write its recordings unless a difference breaks this package.

    Args:
        binary: the real Codex.
        version: the version that it reports.
        force: write the recordings in any case.

    Returns:
        The differences from the newest other version that is recorded.

    Raises:
        UnpublishableError: a recording contains a path, an address, an id or a secret.
    """
    newest = [recorded for recorded in recordings.versions() if recorded != version][-1]
    with tempfile.TemporaryDirectory() as temporary:
        runs, servers = Path(temporary) / "exec", Path(temporary) / "app-server"
        record(binary, runs)
        record(binary, servers, "app-server")
        report = compare_corpora(Corpus.load(newest), Corpus.load(runs).with_binary(binary))
        if force or not report.breaks:
            folder = recordings.folder()
            for source, target in ((runs, folder / version), (servers, folder / "app-server" / version)):
                shutil.copytree(source, target, dirs_exist_ok=True)
    return report
