"""``--yemot-update``: what was heard becomes what shall be heard, in the user's own files.

Only values under ``hears`` are rewritten, and only those that tell what to hear: ``contains`` (a bare text
too), ``equals``, fields of ``read``, ``play`` and ``goto``. Whatever else fails, fails as ever, and nothing
of a call is rewritten that broke.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from yemot_ai_testing.scenario.format.edit import Edit, EditableYaml, NotRewritableError, YamlPath
from yemot_ai_testing.scenario.play.result import (
    EXPECTATION_KINDS,
    Correction,
    Mismatch,
    ScenarioFailure,
    ScenarioResult,
    TurnResult,
)
from yemot_ai_testing.scenario.report.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yemot_ai_testing.scenario.format.model import Expectation

__all__ = ["ScenarioUpdate"]


@dataclass(slots=True)
class _FileEdits:
    """A file, as it was when its first call was played, and what is to be written into it."""

    source: EditableYaml
    display_path: Path
    edits: dict[YamlPath, Edit] = field(default_factory=dict)

    def without_fixable(self, result: TurnResult, turn: YamlPath) -> TurnResult:
        """Return the result of a turn without what will be rewritten."""
        left = tuple(self._unfixable(result, turn))
        if left or not result.mismatches:
            return replace(result, mismatches=left)
        return replace(result, mismatches=(), status="passed")

    def _unfixable(self, result: TurnResult, turn: YamlPath) -> Iterator[Mismatch]:
        """Yield what stays wrong in a turn."""
        for mismatch in result.mismatches:
            if mismatch.correction is None or result.turn.hears is None:
                yield replace(mismatch, message=f"{mismatch.message} (--yemot-update leaves this to you)")
                continue
            try:
                self._add_edit(result.turn.hears, (*turn, "hears"), mismatch.correction)
            except NotRewritableError as error:
                yield replace(mismatch, message=f"{mismatch.message} (not rewritten: {error})")

    def _add_edit(self, hears: Expectation, place: YamlPath, correction: Correction) -> None:
        part = _value_path(self.source, place, correction.path)
        edit = Edit(part, _old_value(hears, correction.path), _new_value(correction))
        self.source.check(edit)
        self.edits[part] = edit


class ScenarioUpdate:
    """Collects what is to be rewritten in a run, and writes it at the end.

    Attributes:
        written: what was rewritten, a line each.
        refused: which files were not, a line each.
    """

    def __init__(self) -> None:
        self._files: dict[Path, _FileEdits] = {}
        self.written: list[str] = []
        self.refused: list[str] = []

    def collect(self, scenario_result: ScenarioResult, path: Path) -> ScenarioResult:
        """Note what can be rewritten so that the call passes.

        Args:
            scenario_result: of a call that was played on past what ``hears`` says.
            path: its file.

        Returns:
            The outcome without the failures that will be gone.
        """
        if scenario_result.failure is None or scenario_result.failure.kind not in EXPECTATION_KINDS:
            return scenario_result
        try:
            file = self._files.get(path) or _FileEdits(
                EditableYaml(_text_of(path)), scenario_result.scenario.location.path
            )
        except OSError:  # it is gone, and the call fails as it would without --yemot-update
            return scenario_result
        self._files[path] = file
        here: YamlPath = ("scenarios", scenario_result.scenario.index, "turns")
        turns = [
            file.without_fixable(result, (*here, number))
            for number, result in enumerate(scenario_result.turns)
        ]
        left = [(number, result) for number, result in enumerate(turns, start=1) if result.mismatches]
        failure = (
            ScenarioFailure.from_mismatches(left[0][1].mismatches, left[0][1].turn, left[0][0])
            if left
            else None
        )
        return replace(scenario_result, turns=tuple(turns), failure=failure)

    def write(self) -> None:
        """Write the files; a file that has changed meanwhile is left as it is."""
        for path, file in self._files.items():
            if not file.edits:
                continue
            why = _write_file(path, file)
            if why:
                self.refused.append(f"{file.display_path}: not rewritten: {why}")
                continue
            self.written += [
                escape_controls(f"{file.display_path}:{file.source.line(part)}: {edit.old} → {edit.new}")
                for part, edit in file.edits.items()
            ]


def _write_file(path: Path, file: _FileEdits) -> str | None:
    """Write a file, unless something is in the way: then return what."""
    try:
        if path.read_bytes() != file.source.text.encode():
            return "it has changed since it was read"
        path.write_bytes(file.source.apply_edits(file.edits.values()).encode())
    except OSError as error:
        return str(error.strerror or error)
    return None


def _text_of(path: Path) -> str:
    return path.read_bytes().decode()


def _value_path(source: EditableYaml, hears: YamlPath, path: YamlPath) -> YamlPath:
    """Return where a text stands: a list of one may be written without the list, and ``contains`` bare."""
    whole = (*hears, *path)
    if source.has(whole):
        return whole
    alone = (*hears, path[0])
    return alone if source.has(alone) else hears


def _old_value(hears: Expectation, path: YamlPath) -> str | None:
    match path:
        case ("contains" | "play" as key, int(number)):
            texts: tuple[str, ...] = getattr(hears, key)
            return texts[number]
        case ("read", str(name)) if hears.read:
            return _null_to_none(hears.read.fields[name])
        case ("equals" | "goto" as key,):
            text: str | None = getattr(hears, key)
            return text
    raise NotRewritableError(f"{path} is nothing that can be rewritten")


def _new_value(correction: Correction) -> str | None:
    return _null_to_none(correction.value) if correction.path[0] == "read" else correction.value


def _null_to_none(field_text: str) -> str | None:
    return None if field_text == "null" else field_text
