from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.text_folding import fold_text

FOLDER = Path(__file__).parents[2] / "fixtures" / "scenarios"
FILES = sorted(FOLDER.glob("*.call.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_file_can_be_loaded(path: Path) -> None:
    assert load(path).scenarios


def test_no_two_shipped_scenarios_have_one_name() -> None:
    names = [scenario.name for path in FILES for scenario in load(path).scenarios]
    assert len(names) == len(set(names)) >= 12


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("שָׁלוֹם", "שלום"),
        ('צה"ל', "צה״ל"),
        ("תל־אביב", "תל אביב"),
        ("\u200fשלום\u200e", "שלום"),
        ("רשמתי. עוד משהו?", "רשמתי, עוד משהו?"),
        ("שלום\u00a0  עולם", "שלום עולם"),
    ],
)
def test_texts_that_sound_alike_are_alike(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(("one", "other"), [("שלום", "שלומות"), ("10.5", "10,5"), ("כן?", "כן")])
def test_texts_that_differ_stay_different(one: str, other: str) -> None:
    assert fold_text(one) != fold_text(other)


@pytest.mark.parametrize(("text", "seconds"), [("2s", 2.0), ("500ms", 0.5), ("1.5s", 1.5), ("1m", 60.0)])
def test_a_time_is_written_with_its_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["2", "s", "-1s", "2 s", "2h"])
def test_anything_else_is_no_time(text: str) -> None:
    assert parse_duration(text) is None
