"""A hunt finds planted faults, and accuses no healthy line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hunt.doc_lines import PAGES, write_lines
from tests.hunt.replayed import failures
from tests.hunt.zoo import subject
from yemot_ai_testing.cli.main import main

TITLE = "hunts: fault | found by | examples | seconds"

STREAMING = (
    "RepeatsASentence",
    "LosesASentenceToACopy",
    "LosesTheLastSentence",
    "NewestFirst",
    "SpeaksOnAfterAKey",
    "ForgetsWhatBrokeOff",
    "GivesUpOnePollTooEarly",
)
WHOLE = (
    "AsksTwiceOnRerun",
    "NoLock",
    "AnswersOfThePreviousCall",
    "ForgetsAtTheThirdTurn",
    "LeaksOnHangUp",
    "CrossesSessions",
    "LoopsOnSilence",
    "AnswersAfterHangUp",
    "NeverInTime",
    "SwapsAnswers",
    "SwapsAnswersOfThree",
    "IgnoresTheCaller",
    "BeginsAgainAtMidnight",
    "ReadsTheQueryOnly",
    "GreetsTheCallerBefore",
    "DropsFinalLetters",
)
FLOWS = ("TalksToItself", "AsksInTheBackground", "KeepsTheFirstAnswer", "PlainYemotFlow", "DesignDocument")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FLOWS, *STREAMING, *WHOLE])
def test_a_planted_fault_is_found_within_its_examples(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    options = [] if name in FLOWS else ["--blocks", "--reset-key=0"]
    code = main(
        [
            "hunt",
            f"tests.hunt.zoo:{name}",
            "--seconds=60",
            "--seed=2",
            f"--into={tmp_path}",
            "--json",
            *options,
        ]
    )
    searches = [one for one in json.loads(capsys.readouterr().out)["searches"] if one["violation"]]

    for one in searches:
        row = (name, one["violation"]["kind"], str(one["examples"]), str(one["seconds"]))
        record_property("table", (TITLE, row))
    assert code == 1
    assert {one["violation"]["kind"] for one in searches} <= {*subject(name).kinds}
    for one in searches:
        file = Path(one["file"])
        assert failures(file) or "This file may pass although" in file.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "target",
    [
        "yemot_ai.reference:flow",
        "tests.hunt.zoo:PlainHandler",
        "tests.hunt.zoo:BlockingHandler",
        "tests.hunt.zoo:FunctionAgent",
        "tests.hunt.zoo:Keyboard",
        "tests.hunt.zoo:SpokenByHand",
        "tests.hunt.zoo:StreamingWrittenByHand",
    ],
)
def test_a_healthy_line_is_not_accused(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--blocks", "--reset-key=0"] if target.endswith("ByHand") else []
    code = main(["hunt", target, "--examples=12", "--seed=2", f"--into={tmp_path}", *options])
    assert code == 0, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_lines_of_the_documentation_are_not_accused(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    targets = write_lines(page, tmp_path)
    assert targets
    for target in targets:
        assert main(["hunt", target, "--examples=6", "--seed=2"]) == 0, capsys.readouterr().out
