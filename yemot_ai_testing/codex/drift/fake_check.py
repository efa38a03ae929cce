"""The fake in the place of the real Codex: what it does in each recorded case, recorded in the same way."""

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
    """What a case tells a model, told to the fake.

    What only a model service can bring about the fake plays as it was recorded.
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
    """Play the cases with a fake.

    Args:
        recorded: the recordings that the fake is to be held against; it plays no case without one.
        make_fake: makes the fake; a case has one of its own.
        cases: which ones.

    Returns:
        What the fake did, by case.
    """
    played = [case for case in cases if case in recorded]
    with ThreadPoolExecutor(_MAX_WORKERS) as stages:
        takes = stages.map(lambda case: _record_fake_case(recorded[case], make_fake), played)
        return dict(zip(played, takes, strict=True))


def _record_fake_case(recording: Recording, make_fake: Callable[[], FakeCodex]) -> Recording:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        closing(make_fake()) as fake,
    ):
        folder = make_folders(Path(name).resolve())
        part = _FakeModel(fake, recording.case)
        studio = RecordingSession(
            fake.executable,
            folder / "work",
            isolated_environment(folder),
            (),
            part,
            Redactor(folder_placeholders(folder)),
        )
        take = CASES[recording.case](studio)
        return studio.build_recording(recording.case, recording.version, take, failure_kind=recording.fate)
