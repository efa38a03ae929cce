"""``--yemot-update``: write what was heard into the scenario files.

Only these values under ``hears`` are rewritten: ``contains`` (also as a plain text), ``equals``, fields of
``read``, ``play`` and ``goto``. Other failures still fail; calls that could not continue are not rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from yemot_ai_testing.scenario.format.edit import EditableYaml, NotRewritableError
from yemot_ai_testing.scenario.format.model import Edit, YamlPath
from yemot_ai_testing.scenario.play.result import (
    EXPECTATION_KINDS,
    Mismatch,
    PlayedTurn,
    ScenarioFailure,
    ScenarioResult,
)
from yemot_ai_testing.scenario.report.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ScenarioUpdate"]


@dataclass(slots=True)
class _FileEdits:
    """A file as it was when its first call was played, and its edits."""

    source: EditableYaml
    display_path: Path
    edits: dict[YamlPath, Edit] = field(default_factory=dict)

    def without_fixable(self, result: PlayedTurn, turn: YamlPath) -> PlayedTurn:
        """Return the result of a turn without the mismatches that the edits fix."""
        unfixable = tuple(self._unfixable(result, turn))
        if unfixable or not result.mismatches:
            return replace(result, mismatches=unfixable)
        return replace(result, mismatches=(), status="passed")

    def _unfixable(self, result: PlayedTurn, turn: YamlPath) -> Iterator[Mismatch]:
        """Yield the mismatches that no edit fixes."""
        for mismatch in result.mismatches:
            if mismatch.correction is None:
                yield replace(mismatch, message=f"{mismatch.message} (not changed by --yemot-update)")
                continue
            try:
                self._add_edit((*turn, "hears"), mismatch.correction)
            except NotRewritableError as error:
                yield replace(mismatch, message=f"{mismatch.message} (not rewritten: {error})")

    def _add_edit(self, hears: YamlPath, correction: Edit) -> None:
        path = (*hears, *correction.path)
        while not self.source.has(path):  # a list of one text may be a plain text, and so may ``contains``
            path = path[:-1]
        edit = replace(correction, path=path)
        self.source.check(edit)
        self.edits[path] = edit


class ScenarioUpdate:
    """Collect the edits of a run and write them at its end.

    Attributes:
        written: one line for each rewritten value.
        refused: one line for each file that was not written.
    """

    def __init__(self) -> None:
        self._files: dict[Path, _FileEdits] = {}
        self.written: list[str] = []
        self.refused: list[str] = []

    def collect(self, scenario_result: ScenarioResult, path: Path) -> ScenarioResult:
        """Collect the edits with which the call passes.

        Args:
            scenario_result: the result of a call that continued after failures of ``hears``.
            path: the file of the scenario.

        Returns:
            The result without the failures that the edits fix.
        """
        if scenario_result.failure is None or scenario_result.failure.kind not in EXPECTATION_KINDS:
            return scenario_result
        try:
            file = self._files.get(path) or _FileEdits(
                EditableYaml(path.read_bytes().decode()), scenario_result.scenario.location.path
            )
        except OSError:  # it cannot be read: the call fails as without --yemot-update
            return scenario_result
        self._files[path] = file
        turns_path: YamlPath = ("scenarios", scenario_result.scenario.index, "turns")
        turns = [
            file.without_fixable(result, (*turns_path, number))
            for number, result in enumerate(scenario_result.turns)
        ]
        failure = next(
            (
                ScenarioFailure.from_mismatches(result.mismatches, result.turn, number)
                for number, result in enumerate(turns, start=1)
                if result.mismatches
            ),
            None,
        )
        return replace(scenario_result, turns=tuple(turns), failure=failure)

    def write(self) -> None:
        """Write the files, except those that have changed since they were read."""
        for path, file in self._files.items():
            if not file.edits:
                continue
            problem = _write_file(path, file)
            if problem:
                self.refused.append(f"{file.display_path}: not rewritten: {problem}")
                continue
            for yaml_path, edit in file.edits.items():
                place = f"{file.display_path}:{file.source.line(yaml_path)}"
                change = f"{place}: {_shown(edit.old)} → {_shown(edit.new)}"
                self.written.append(escape_controls(change))


def _shown(text: str | None) -> str:
    """Return a value as a file writes it; a text without its quotes, unless it is empty."""
    return "null" if text is None else text or '""'


def _write_file(path: Path, file: _FileEdits) -> str | None:
    """Write a file; return why not if it could not be written."""
    try:
        if path.read_bytes() != file.source.text.encode():
            return "it has changed since it was read"
        path.write_bytes(file.source.apply_edits(file.edits.values()).encode())
    except OSError as error:
        return str(error.strerror or error)
    return None
