"""Records what a real Codex binary does, case by case, against a scripted model service.

``yemot-ai-testing record --codex PATH --out DIR`` runs it. No key and no network is needed.
"""

from __future__ import annotations

from pathlib import Path

from yemot_ai_testing.codex.recorder.cases import CASES, FATES
from yemot_ai_testing.codex.recorder.session import studio, version_of
from yemot_ai_testing.codex.recordings import Recording
from yemot_ai_testing.codex.redact import UnpublishableError

__all__ = ["CASES", "UnpublishableError", "check", "publish", "record"]


def record(executable: Path | str, out_dir: Path | str) -> list[Path]:
    """Play every case with a real binary and write ``<case>.json`` into ``out_dir``.

    Args:
        executable: the real Codex.
        out_dir: made if missing; recordings of the same name are replaced.

    Returns:
        The files, in the order of ``CASES``.

    Raises:
        UnpublishableError: a recording still holds a path, an address, an id or a secret.
        ValueError: the executable does not tell its version.
    """
    binary = Path(executable).absolute()
    version = version_of(binary)
    return [publish(_played(case, binary, version), Path(out_dir)) for case in CASES]


def check(recording: Recording) -> None:
    """Look whether a recording may be published.

    Raises:
        UnpublishableError: it still holds a path, an address, an id or a secret.
    """
    found = recording.problems()
    if found:
        raise UnpublishableError(
            f"{recording.case} of Codex {recording.version} holds {'; '.join(dict.fromkeys(found))}"
        )


def publish(recording: Recording, folder: Path) -> Path:
    """Write ``<case>.json`` into ``folder``, if nothing speaks against it.

    Raises:
        UnpublishableError: something does; nothing is written.
    """
    check(recording)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recording.case}.json"
    recording.write(path)
    return path


def _played(case: str, binary: Path, version: str) -> Recording:
    with studio(binary) as place:
        return place.recording(case, version, CASES[case](place), fate=FATES.get(case, ""))
