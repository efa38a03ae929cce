"""Record what a real Codex binary does, case by case, with a scripted model service.

``yemot-ai-testing record --codex PATH --out DIR`` runs it. No key and no network is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from yemot_ai_testing.codex.home import version_of
from yemot_ai_testing.codex.recorder.app_server import SERVER_CASES, record_server_case
from yemot_ai_testing.codex.recorder.cases import CASE_FAILURES, CASES
from yemot_ai_testing.codex.recorder.session import recording_session
from yemot_ai_testing.codex.recordings import Recording, ServerRecording
from yemot_ai_testing.codex.redact import UnpublishableError
from yemot_ai_testing.conformance.rule import Interface

__all__ = ["CASES", "SERVER_CASES", "UnpublishableError", "check_publishable", "record", "save_recording"]


def record(executable: Path | str, out_dir: Path | str, interface: Interface = "exec") -> list[Path]:
    """Run every case with a real binary, and write one file for each into ``out_dir``.

    Args:
        executable: the real Codex.
        out_dir: created if missing; recordings of the same name are replaced.
        interface: ``exec``, whose cases become ``<case>.json``, or ``app-server``: ``<case>.jsonl``.

    Returns:
        The files, in the order of ``CASES`` or ``SERVER_CASES``.

    Raises:
        UnpublishableError: if a recording contains a path, an address, an id or a secret.
        ValueError: if the executable does not report its version.
    """
    binary = Path(executable).absolute()
    version = version_of(binary)
    record_all = _record_servers if interface == "app-server" else _record_runs
    return [save_recording(recording, Path(out_dir)) for recording in record_all(binary, version)]


def check_publishable(recording: Recording | ServerRecording) -> None:
    """Check that a recording has no private data.

    Raises:
        UnpublishableError: if it contains a path, an address, an id or a secret.
    """
    found = recording.private_data()
    if found:
        raise UnpublishableError(
            f"{recording.case} of Codex {recording.version} contains {'; '.join(dict.fromkeys(found))}"
        )


def save_recording(recording: Recording | ServerRecording, folder: Path) -> Path:
    """Write the file of a recording into ``folder``.

    Raises:
        UnpublishableError: if the recording has private data; nothing is written.
    """
    check_publishable(recording)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recording.case}{recording.suffix}"
    recording.write(path)
    return path


def _record_runs(binary: Path, version: str) -> Iterator[Recording]:
    for case, run_case in CASES.items():
        with recording_session(binary) as session:
            failure = CASE_FAILURES.get(case, "")
            yield session.build_recording(case, version, run_case(session), failure_kind=failure)


def _record_servers(binary: Path, version: str) -> Iterator[ServerRecording]:
    for case in SERVER_CASES:
        yield record_server_case(case, binary, version)
