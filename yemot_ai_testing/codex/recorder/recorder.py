"""Record what a real Codex binary does, case by case, with a scripted model service.

``yemot-ai-testing record --codex PATH --out DIR`` runs it. No key and no network is needed.
"""

from __future__ import annotations

from pathlib import Path

from yemot_ai_testing.codex.folders import version_of
from yemot_ai_testing.codex.recorder.cases import CASE_FAILURES, CASES
from yemot_ai_testing.codex.recorder.session import recording_session
from yemot_ai_testing.codex.recordings import Recording
from yemot_ai_testing.codex.redact import UnpublishableError

__all__ = ["CASES", "UnpublishableError", "check_publishable", "record", "save_recording"]


def record(executable: Path | str, out_dir: Path | str) -> list[Path]:
    """Run every case with a real binary and write ``<case>.json`` into ``out_dir``.

    Args:
        executable: the real Codex.
        out_dir: created if missing; recordings of the same name are replaced.

    Returns:
        The files, in the order of ``CASES``.

    Raises:
        UnpublishableError: if a recording contains a path, an address, an id or a secret.
        ValueError: if the executable does not report its version.
    """
    binary = Path(executable).absolute()
    version = version_of(binary)
    return [save_recording(_record_case(case, binary, version), Path(out_dir)) for case in CASES]


def check_publishable(recording: Recording) -> None:
    """Check that a recording has no private data.

    Raises:
        UnpublishableError: if it contains a path, an address, an id or a secret.
    """
    found = recording.private_data()
    if found:
        raise UnpublishableError(
            f"{recording.case} of Codex {recording.version} contains {'; '.join(dict.fromkeys(found))}"
        )


def save_recording(recording: Recording, folder: Path) -> Path:
    """Write ``<case>.json`` into ``folder``.

    Raises:
        UnpublishableError: if the recording has private data; nothing is written.
    """
    check_publishable(recording)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recording.case}.json"
    recording.write(path)
    return path


def _record_case(case: str, binary: Path, version: str) -> Recording:
    with recording_session(binary) as session:
        return session.build_recording(
            case, version, CASES[case](session), failure_kind=CASE_FAILURES.get(case, "")
        )
