"""Record what the fake does in each recorded case, as the recorder does with the real Codex."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.home import fresh_home
from yemot_ai_testing.codex.recorder.cases import CASES, SERVICE_ONLY_CASES
from yemot_ai_testing.codex.recorder.session import RecordingSession
from yemot_ai_testing.codex.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from yemot_ai_testing.codex.recordings import Recording
    from yemot_ai_testing.doubles.steps import Step

__all__ = ["record_fake_cases"]

_MAX_WORKERS: Final = 4


class _FakeModel:
    """The model of a case: the script of the fake.

    In cases that need a model service, the fake replays the recording.
    """

    def __init__(self, fake: FakeCodex, case: str) -> None:
        self._fake = fake
        self._is_replay = case in SERVICE_ONLY_CASES
        if self._is_replay:
            fake.replays(case)

    def add(self, step: Step) -> None:
        if not self._is_replay:
            self._fake.add(step)

    def wait_for_requests(self, count: int) -> None:
        self._fake.wait_for_requests(count)


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
    with fresh_home() as home, closing(make_fake()) as fake:
        model, redactor = _FakeModel(fake, recording.case), Redactor(home.placeholders)
        session = RecordingSession(fake.executable, home.work, home.environment(), (), model, redactor)
        run = CASES[recording.case](session)
        return session.build_recording(recording.case, recording.version, run, failure_kind=recording.fate)
