"""The fake in the place of the real Codex: what it does in each recorded case, recorded in the same way."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.recorder.cases import CASES, SERVICE_ONLY
from yemot_ai_testing.codex.recorder.session import Studio, environment, furnished, places
from yemot_ai_testing.codex.redact import Scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from yemot_ai_testing.codex.recordings import Recording
    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["performed"]

_AT_ONCE: Final = 4


class _Part:
    """What a case tells a model, told to the fake.

    What only a model service can bring about the fake plays as it was recorded.
    """

    def __init__(self, fake: FakeCodex, case: str) -> None:
        self._fake = fake
        self._case = case
        self._replayed = False

    def answers(self, text: str | Sequence[str]) -> None:
        self._plays(lambda: self._fake.answers(text))

    def fails(self, kind: FailureKind) -> None:
        self._plays(lambda: self._fake.fails(kind))

    def hangs(self) -> None:
        self._plays(self._fake.hangs)

    def drops(self, text: str | Sequence[str]) -> None:
        self._plays(lambda: self._fake.drops(text))

    def emits(self, *items: Mapping[str, Any], text: str | None = None) -> None:
        del items, text
        self._plays(lambda: self._fake.replays(self._case))

    def wait_asked(self, count: int) -> None:
        self._fake.wait_asked(count)

    def _plays(self, verb: Callable[[], object]) -> None:
        if self._case not in SERVICE_ONLY:
            verb()
        elif not self._replayed:
            self._replayed = True
            self._fake.replays(self._case)


def performed(
    recorded: Mapping[str, Recording], stage: Callable[[], FakeCodex], cases: Iterable[str] = CASES
) -> dict[str, Recording]:
    """Play the cases with a fake.

    Args:
        recorded: the recordings that the fake is to be held against; it plays no case without one.
        stage: makes the fake; a case has one of its own.
        cases: which ones.

    Returns:
        What the fake did, by case.
    """
    played = [case for case in cases if case in recorded]
    with ThreadPoolExecutor(_AT_ONCE) as stages:
        takes = stages.map(lambda case: _performed(recorded[case], stage), played)
        return dict(zip(played, takes, strict=True))


def _performed(recording: Recording, stage: Callable[[], FakeCodex]) -> Recording:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        closing(stage()) as fake,
    ):
        folder = furnished(Path(name).resolve())
        part = _Part(fake, recording.case)
        studio = Studio(
            fake.executable, folder / "work", environment(folder), (), part, Scrub(places(folder))
        )
        take = CASES[recording.case](studio)
        return studio.recording(recording.case, recording.version, take, fate=recording.fate)
