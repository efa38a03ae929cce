"""What two versions of Codex do differently, and whose fault it is if that breaks something.

    report = drift(Corpus.of("0.163.0"), Corpus.of("0.169.0"))
    print(report.breaks, len(report.differences))

Three verdicts: *Codex changed*; *our reader is wrong* (it makes something else of a recorded turn than
the turn shows); *our fake is wrong* (played in the same case, it does not do what was recorded).
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


@dataclass(frozen=True, slots=True)
class Corpus:
    """The recordings of one Codex.

    Attributes:
        name: what the report calls it: the version, with its folder if it is not one of ours.
        recorded: the recordings, by case.
        make_fake: makes the fake that is to be this Codex.
    """

    name: str
    recorded: Mapping[str, Recording]
    make_fake: Callable[[], FakeCodex]

    @classmethod
    def load(cls, source: str | Path) -> Corpus:
        """The corpus of a recorded version, or in a folder.

        Raises:
            LookupError: there is neither such a version nor such a folder.
            ValueError: the folder holds something else.
        """
        if str(source) in recordings.versions():
            version = str(source)
            return cls(version, recordings.load_version(version), lambda: FakeCodex(version))
        folder = Path(source)
        if not folder.is_dir():
            raise LookupError(f"{source} is no folder; recorded are {', '.join(recordings.versions())}")
        recorded = recordings.load_folder(folder)
        told = sorted({recording.version for recording in recorded.values()})
        return cls(f"{', '.join(told)} ({folder})", recorded, lambda: FakeCodex(recordings=folder))

    def with_binary(self, binary: Path) -> Corpus:
        """The same, as what was recorded of the program at ``binary``."""
        version = next(iter(self.recorded.values())).version
        return replace(self, name=f"{version} ({binary})")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise, in however many cases.

    Attributes:
        cause: whose doing it is.
        severity: how bad it is.
        what: the thing: an event, a field, an exit code, a line.
        before: how it was, or how it should be.
        after: how it is.
        where: which Codex it is about: ``0.163.0 → 0.169.0``, or one of them.
        cases: in which cases.
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
    """What came of a comparison.

    Attributes:
        old: the name of the one corpus.
        new: the name of the other.
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
    """Compare two corpora, and try our reader and our fake on both."""
    both = sorted(old.recorded.keys() & new.recorded.keys())
    way = f"{old.name} → {new.name}"
    found: list[Difference] = []
    for case in both:
        found += _codex_differences(old.recorded[case], new.recorded[case], way)
    for corpus in (old, new):
        found += _reader_differences(corpus)
        found += _fake_differences(corpus)
    missing = sorted(old.recorded.keys() ^ new.recorded.keys())
    return DriftReport(old.name, new.name, _merge_cases(found), tuple(missing), len(both))


def _codex_differences(old: Recording, new: Recording, versions: str) -> Iterator[Difference]:
    for change in _relevant_changes(old, new):
        yield _difference(CODEX_CHANGED, change, versions, old.case)


def _relevant_changes(old: Recording, new: Recording) -> tuple[Change, ...]:
    """What differs; of a turn that comes to something else only that, for all of it is otherwise then."""
    return tuple(_outcome_changes(old, new)) or tuple(compare_recordings(old, new))


def _outcome_changes(old: Recording, new: Recording) -> Iterator[Change]:
    """The same situation comes to something else: whoever relied on it is broken."""
    if not is_turn(old) or not is_turn(new):
        return
    before, after = outcome_by_recording(old), outcome_by_recording(new)
    if before.kind != after.kind:
        yield Change("breaks us", "what the turn comes to", str(before), str(after))
    lost = outcome_by_reader(old).counters - outcome_by_reader(new).counters
    if before.kind == after.kind and lost:
        yield Change("breaks us", f"counters {', '.join(sorted(lost))}", "told", "not found")


def _reader_differences(corpus: Corpus) -> Iterator[Difference]:
    for case, recording in corpus.recorded.items():
        if not is_turn(recording):
            continue
        should, does = outcome_by_recording(recording), outcome_by_reader(recording)
        if should.kind == does.kind and should.text == does.text:
            continue
        # Nobody knows why it failed, but that it failed.
        if not should.kind and does.kind != "answer":
            continue
        wrong = Change("breaks us", "what our reader makes of the turn", _describe(should), _describe(does))
        yield _difference(READER_WRONG, wrong, corpus.name, case)


def _describe(outcome: object) -> str:
    text = getattr(outcome, "text", "")
    return f"{outcome}: {text}" if text else str(outcome)


def _fake_differences(corpus: Corpus) -> Iterator[Difference]:
    for case, played in record_fake_cases(corpus.recorded, corpus.make_fake).items():
        recording = corpus.recorded[case]
        for change in _relevant_changes(recording, played):
            yield _difference(FAKE_WRONG, change, corpus.name, case)


def _difference(cause: Cause, change: Change, where: str, case: str) -> Difference:
    return Difference(cause, change.severity, change.what, change.before, change.after, where, (case,))


def _merge_cases(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The same difference in several cases is one."""
    gathered: dict[Difference, list[str]] = {}
    for difference in differences:
        gathered.setdefault(replace(difference, cases=()), []).extend(difference.cases)
    whole = [replace(shared, cases=tuple(cases)) for shared, cases in gathered.items()]
    verdicts = (READER_WRONG, FAKE_WRONG, CODEX_CHANGED)
    return tuple(
        sorted(whole, key=lambda one: (_SEVERITIES.index(one.severity), verdicts.index(one.cause), one.what))
    )
