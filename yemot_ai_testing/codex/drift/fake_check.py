"""Record what the fake does in each recorded case, as the recorder does with the real Codex."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.folders import folder_placeholders, isolated_environment, make_folders
from yemot_ai_testing.codex.recorder.cases import CASES, SERVICE_ONLY_CASES
from yemot_ai_testing.codex.recorder.session import RecordingSession
from yemot_ai_testing.codex.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from yemot_ai_testing.codex.recordings import Recording
    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["record_fake_cases"]

_MAX_WORKERS: Final = 4


class _FakeModel:
    """The model of a case, as steps of the fake's script.

    In cases that need a model service, the fake replays the recording.
    """

    def __init__(self, fake: FakeCodex, case: str) -> None:
        self._fake = fake
        self._case = case
        self._replayed = False

    def answers(self, text: str | Sequence[str]) -> None:
        self._script(lambda: self._fake.answers(text))

    def fails(self, kind: FailureKind) -> None:
        self._script(lambda: self._fake.fails(kind))

    def hangs(self) -> None:
        self._script(self._fake.hangs)

    def drops(self, text: str | Sequence[str]) -> None:
        self._script(lambda: self._fake.drops(text))

    def emits(self, *items: Mapping[str, Any], text: str | None = None) -> None:
        del items, text
        self._script(lambda: self._fake.replays(self._case))

    def wait_for_requests(self, count: int) -> None:
        self._fake.wait_for_requests(count)

    def _script(self, verb: Callable[[], object]) -> None:
        if self._case not in SERVICE_ONLY_CASES:
            verb()
        elif not self._replayed:
            self._replayed = True
            self._fake.replays(self._case)


def record_fake_cases(
    recorded: Mapping[str, Recording], make_fake: Callable[[], FakeCodex], cases: Iterable[str] = CASES
) -> dict[str, Recording]:
    """Record the cases with a fake.

    Args:
        recorded: the recordings to compare the fake with; cases without a recording are left out.
        make_fake: creates a fake; each case gets a new one.
        cases: the names of the cases.

    Returns:
        The recordings of the fake, by case.
    """
    names = [case for case in cases if case in recorded]
    with ThreadPoolExecutor(_MAX_WORKERS) as pool:
        recordings = pool.map(lambda case: _record_fake_case(recorded[case], make_fake), names)
        return dict(zip(names, recordings, strict=True))


def _record_fake_case(recording: Recording, make_fake: Callable[[], FakeCodex]) -> Recording:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        closing(make_fake()) as fake,
    ):
        folder = make_folders(Path(name).resolve())
        session = RecordingSession(
            fake.executable,
            folder / "work",
            isolated_environment(folder),
            (),
            _FakeModel(fake, recording.case),
            Redactor(folder_placeholders(folder)),
        )
        run = CASES[recording.case](session)
        return session.build_recording(recording.case, recording.version, run, failure_kind=recording.fate)
