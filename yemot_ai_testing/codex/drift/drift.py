"""Compare two versions of Codex, and name the cause of each difference.

    report = compare_corpora(Corpus.load("0.163.0"), Corpus.load("0.169.0"))
    print(report.breaks, len(report.differences))

There are three causes: *Codex changed*; *our reader is wrong* (its result for a recorded turn is not what
the recording shows); *our fake is wrong* (in the same case, it does not do what was recorded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.drift.differences import Change, compare_recordings
from yemot_ai_testing.codex.drift.fake_check import record_fake_cases
from yemot_ai_testing.codex.drift.reader_check import is_turn, outcome_by_reader, outcome_by_recording
from yemot_ai_testing.codex.fake.double import FakeCodex

if TYPE_CHECKING:
    from yemot_ai_testing.codex.drift.differences import Severity
    from yemot_ai_testing.codex.recordings import Recording

__all__ = [
    "CODEX_CHANGED",
    "FAKE_WRONG",
    "READER_WRONG",
    "Cause",
    "Corpus",
    "Difference",
    "DriftReport",
    "compare_corpora",
]

Cause = Literal["Codex changed", "our reader is wrong", "our fake is wrong"]
CODEX_CHANGED: Final[Cause] = "Codex changed"
READER_WRONG: Final[Cause] = "our reader is wrong"
FAKE_WRONG: Final[Cause] = "our fake is wrong"

_SEVERITIES: Final = ("breaks us", "lost field", "new field", "wording")
_CAUSES: Final = (READER_WRONG, FAKE_WRONG, CODEX_CHANGED)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The recordings of one Codex.

    Attributes:
        name: its name in the report: the version, with the folder if it is not a recorded version.
        recorded: the recordings, by case.
        make_fake: creates a fake of this version.
    """

    name: str
    recorded: Mapping[str, Recording]
    make_fake: Callable[[], FakeCodex]

    @classmethod
    def load(cls, source: str | Path) -> Corpus:
        """Load a recorded version, or a folder of recordings.

        Raises:
            LookupError: if there is neither such a version nor such a folder.
            ValueError: if a file of the folder is not a recording.
        """
        if str(source) in recordings.versions():
            version = str(source)
            return cls(version, recordings.load_version(version), lambda: FakeCodex(version))
        folder = Path(source)
        if not folder.is_dir():
            raise LookupError(f"{source} is not a folder; recorded are {', '.join(recordings.versions())}")
        recorded = recordings.load_folder(folder)
        versions = sorted({recording.version for recording in recorded.values()})
        return cls(f"{', '.join(versions)} ({folder})", recorded, lambda: FakeCodex(recordings=folder))

    def with_binary(self, binary: Path) -> Corpus:
        """Return the corpus with a name that has the path of the recorded ``binary``."""
        version = next(iter(self.recorded.values())).version
        return replace(self, name=f"{version} ({binary})")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, in one or several cases.

    Attributes:
        cause: what is responsible.
        severity: how bad it is.
        what: an event, a field, an exit code or a line.
        before: the old or the expected value.
        after: the new or the actual value.
        where: the versions: ``0.163.0 → 0.169.0``, or one of them.
        cases: the cases with this difference.
    """

    cause: Cause
    severity: Severity
    what: str
    before: str
    after: str
    where: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The result of a comparison.

    Attributes:
        old: the name of the old corpus.
        new: the name of the new corpus.
        differences: the worst first.
        missing: the cases that only one of the two has.
        compared: how many cases both have.
    """

    old: str
    new: str
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]
    compared: int

    @property
    def breaks(self) -> bool:
        """Whether something breaks us."""
        return any(difference.severity == "breaks us" for difference in self.differences)


def compare_corpora(old: Corpus, new: Corpus) -> DriftReport:
    """Compare two corpora, and check our reader and our fake against both."""
    common = sorted(old.recorded.keys() & new.recorded.keys())
    versions = f"{old.name} → {new.name}"
    differences: list[Difference] = []
    for case in common:
        differences += _codex_differences(old.recorded[case], new.recorded[case], versions)
    for corpus in (old, new):
        differences += _reader_differences(corpus)
        differences += _fake_differences(corpus)
    missing = sorted(old.recorded.keys() ^ new.recorded.keys())
    return DriftReport(old.name, new.name, _merge_cases(differences), tuple(missing), len(common))


def _codex_differences(old: Recording, new: Recording, versions: str) -> Iterator[Difference]:
    for change in _relevant_changes(old, new):
        yield _difference(CODEX_CHANGED, change, versions, old.case)


def _relevant_changes(old: Recording, new: Recording) -> tuple[Change, ...]:
    """Return the changes; only the outcome if that differs, because all events differ then."""
    return tuple(_outcome_changes(old, new)) or tuple(compare_recordings(old, new))


def _outcome_changes(old: Recording, new: Recording) -> Iterator[Change]:
    """Yield a change if the turn has another outcome: code that relies on the old one breaks."""
    if not is_turn(old) or not is_turn(new):
        return
    before, after = outcome_by_recording(old), outcome_by_recording(new)
    if before.kind != after.kind:
        yield Change("breaks us", "outcome of the turn", str(before), str(after))
    lost = outcome_by_reader(old).counters - outcome_by_reader(new).counters
    if before.kind == after.kind and lost:
        yield Change("breaks us", f"counters {', '.join(sorted(lost))}", "written", "not found")


def _reader_differences(corpus: Corpus) -> Iterator[Difference]:
    for case, recording in corpus.recorded.items():
        if not is_turn(recording):
            continue
        expected, actual = outcome_by_recording(recording), outcome_by_reader(recording)
        if expected.kind == actual.kind and expected.text == actual.text:
            continue
        # The kind of the failure is unknown: any error of the reader is right.
        if not expected.kind and actual.kind != "answer":
            continue
        change = Change("breaks us", "outcome by our reader", _describe(expected), _describe(actual))
        yield _difference(READER_WRONG, change, corpus.name, case)


def _describe(outcome: object) -> str:
    text = getattr(outcome, "text", "")
    return f"{outcome}: {text}" if text else str(outcome)


def _fake_differences(corpus: Corpus) -> Iterator[Difference]:
    for case, fake_recording in record_fake_cases(corpus.recorded, corpus.make_fake).items():
        for change in _relevant_changes(corpus.recorded[case], fake_recording):
            yield _difference(FAKE_WRONG, change, corpus.name, case)


def _difference(cause: Cause, change: Change, where: str, case: str) -> Difference:
    return Difference(cause, change.severity, change.what, change.before, change.after, where, (case,))


def _merge_cases(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Merge equal differences of several cases into one, and sort them."""
    cases_of: dict[Difference, list[str]] = {}
    for difference in differences:
        cases_of.setdefault(replace(difference, cases=()), []).extend(difference.cases)
    merged = [replace(difference, cases=tuple(cases)) for difference, cases in cases_of.items()]
    return tuple(
        sorted(merged, key=lambda one: (_SEVERITIES.index(one.severity), _CAUSES.index(one.cause), one.what))
    )
