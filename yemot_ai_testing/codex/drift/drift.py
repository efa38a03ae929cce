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
from yemot_ai_testing.codex.drift.differences import Change, changes
from yemot_ai_testing.codex.drift.fake_check import performed
from yemot_ai_testing.codex.drift.reader_check import is_turn, reading, shown
from yemot_ai_testing.codex.fake.double import FakeCodex

if TYPE_CHECKING:
    from yemot_ai_testing.codex.drift.differences import Severity
    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["CODEX", "FAKE", "READER", "Corpus", "Difference", "Report", "Verdict", "drift"]

Verdict = Literal["Codex changed", "our reader is wrong", "our fake is wrong"]
CODEX: Final[Verdict] = "Codex changed"
READER: Final[Verdict] = "our reader is wrong"
FAKE: Final[Verdict] = "our fake is wrong"

_RANKS: Final = ("breaks us", "lost field", "new field", "wording")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The recordings of one Codex.

    Attributes:
        name: what the report calls it: the version, with its folder if it is not one of ours.
        recorded: the recordings, by case.
        fake: makes the fake that is to be this Codex.
    """

    name: str
    recorded: Mapping[str, Recording]
    fake: Callable[[], FakeCodex]

    @classmethod
    def of(cls, named: str | Path) -> Corpus:
        """The corpus of a recorded version, or in a folder.

        Raises:
            LookupError: there is neither such a version nor such a folder.
            ValueError: the folder holds something else.
        """
        if str(named) in recordings.versions():
            version = str(named)
            return cls(version, recordings.of(version), lambda: FakeCodex(version))
        folder = Path(named)
        if not folder.is_dir():
            raise LookupError(f"{named} is no folder; recorded are {', '.join(recordings.versions())}")
        recorded = recordings.load(folder)
        told = sorted({recording.version for recording in recorded.values()})
        return cls(f"{', '.join(told)} ({folder})", recorded, lambda: FakeCodex(recordings=folder))

    def named(self, place: Path) -> Corpus:
        """The same, as what was recorded of the program at ``place``."""
        version = next(iter(self.recorded.values())).version
        return replace(self, name=f"{version} ({place})")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise, in however many cases.

    Attributes:
        verdict: whose doing it is.
        severity: how bad it is.
        what: the thing: an event, a field, an exit code, a line.
        before: how it was, or how it should be.
        after: how it is.
        where: which Codex it is about: ``0.163.0 → 0.169.0``, or one of them.
        cases: in which cases.
    """

    verdict: Verdict
    severity: Severity
    what: str
    before: str
    after: str
    where: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
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


def drift(old: Corpus, new: Corpus) -> Report:
    """Compare two corpora, and try our reader and our fake on both."""
    both = sorted(old.recorded.keys() & new.recorded.keys())
    way = f"{old.name} → {new.name}"
    found: list[Difference] = []
    for case in both:
        found += _of_codex(old.recorded[case], new.recorded[case], way)
    for corpus in (old, new):
        found += _of_reader(corpus)
        found += _of_fake(corpus)
    missing = sorted(old.recorded.keys() ^ new.recorded.keys())
    return Report(old.name, new.name, _gathered(found), tuple(missing), len(both))


def _of_codex(old: Recording, new: Recording, way: str) -> Iterator[Difference]:
    for change in _changes(old, new):
        yield _difference(CODEX, change, way, old.case)


def _changes(old: Recording, new: Recording) -> tuple[Change, ...]:
    """What differs; of a turn that comes to something else only that, for all of it is otherwise then."""
    return tuple(_fates(old, new)) or tuple(changes(old, new))


def _fates(old: Recording, new: Recording) -> Iterator[Change]:
    """The same situation comes to something else: whoever relied on it is broken."""
    if not is_turn(old) or not is_turn(new):
        return
    before, after = shown(old), shown(new)
    if before.kind != after.kind:
        yield Change("breaks us", "what the turn comes to", str(before), str(after))
    lost = reading(old).counters - reading(new).counters
    if before.kind == after.kind and lost:
        yield Change("breaks us", f"counters {', '.join(sorted(lost))}", "told", "not found")


def _of_reader(corpus: Corpus) -> Iterator[Difference]:
    for case, recording in corpus.recorded.items():
        if not is_turn(recording):
            continue
        should, does = shown(recording), reading(recording)
        if should.kind == does.kind and should.text == does.text:
            continue
        # Nobody knows why it failed, but that it failed.
        if not should.kind and does.kind != "answer":
            continue
        wrong = Change("breaks us", "what our reader makes of the turn", _told(should), _told(does))
        yield _difference(READER, wrong, corpus.name, case)


def _told(made: object) -> str:
    text = getattr(made, "text", "")
    return f"{made}: {text}" if text else str(made)


def _of_fake(corpus: Corpus) -> Iterator[Difference]:
    for case, played in performed(corpus.recorded, corpus.fake).items():
        recording = corpus.recorded[case]
        for change in _changes(recording, played):
            yield _difference(FAKE, change, corpus.name, case)


def _difference(verdict: Verdict, change: Change, where: str, case: str) -> Difference:
    return Difference(verdict, change.severity, change.what, change.before, change.after, where, (case,))


def _gathered(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """The same difference in several cases is one."""
    gathered: dict[Difference, list[str]] = {}
    for difference in found:
        gathered.setdefault(replace(difference, cases=()), []).extend(difference.cases)
    whole = [replace(shared, cases=tuple(cases)) for shared, cases in gathered.items()]
    verdicts = (READER, FAKE, CODEX)
    return tuple(
        sorted(whole, key=lambda one: (_RANKS.index(one.severity), verdicts.index(one.verdict), one.what))
    )
