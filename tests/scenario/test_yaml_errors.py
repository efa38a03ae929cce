"""A text that is not YAML is explained at the place of the mistake, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.load import loads

PATH = Path("shop.call.yaml")
LONG_AFTERWARDS = "      - says: ב\n        hears: ג\n"

COLON = "a colon with a space after it begins a value in YAML: quote the text"
NO_END = "this quote has no end: write the same quote after the text"
INNER_QUOTE = "the text ended at the quote before this: put the other kind of quotes around the text"
INDENTATION = "this line does not fit the lines before it: check its indentation"


def no_end_in_its_line(end: int) -> str:
    return f"this quote has no end in its line, only in line {end}: write the same quote after the text"


def problem_of(turn: str) -> str:
    text = f"scenarios:\n  - name: a\n    turns:\n      - {turn}\n{LONG_AFTERWARDS}"
    with pytest.raises(ScenarioLoadError) as caught:
        loads(text, PATH)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        ("hears: שעות הפתיחה: עשר", f'4:27: {COLON}, hears: "שעות הפתיחה: עשר"'),
        ("says: בשעה: 10: 30", f'4:19: {COLON}, says: "בשעה: 10: 30"'),
        ("hears: {contains: א: ב}", f"4:28: {COLON}"),
        ('hears: "שעות', f"4:16: {NO_END}"),
        ("hears: 'שעות", f"4:16: {NO_END}"),
        ('hears: {contains: "א}', f"4:27: {NO_END}"),
        ('hears: "צה"ל"', f"4:20: {INNER_QUOTE}"),
        ("hears: 'ג'ירפה'", f"4:19: {INNER_QUOTE}"),
        ('hears: "א" ב', f"4:20: {INNER_QUOTE}"),
        ("hears: [א, ב", "4:16: this [ has no end: write ], or quote the text that it begins"),
        ("hears: {contains: א", "4:16: this { has no end: write }, or quote the text that it begins"),
        ("hears: [א]]", "4:19: this ] closes nothing: leave it out, or quote the text"),
        ("hears: @שלום", '4:16: a text cannot begin with @ in YAML: quote the text, hears: "@שלום"'),
        ("hears: - א", '4:16: a text cannot begin with - in YAML: quote the text, hears: "- א"'),
        ("hears: !א", '4:17: a text cannot begin with ! in YAML: quote the text, hears: "!א"'),
        ("hears: %5", '4:16: a text cannot begin with % in YAML: quote the text, hears: "%5"'),
        ("hears: > א", '4:18: a text cannot begin with > in YAML: quote the text, hears: "> א"'),
        (r'hears: "\ש"', "4:17: a \\ in double quotes begins an escape: put single quotes around the text"),
        ("hears: *א", '4:17: a bare * means something else in YAML: quote the key, presses: "*"'),
        ("hears: א\n         - says: ב", f"5:16: {INDENTATION}"),
        ("hears: א\n       says: ב", f"5:8: {INDENTATION}"),
    ],
)
def test_a_mistake_of_yaml_says_what_to_write(turn: str, problem: str) -> None:
    assert problem_of(turn) == f"shop.call.yaml:{problem}"


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ('says: "א\n        hears: "ב"', f"4:15: {no_end_in_its_line(5)}"),
        ("says: 'א\n        hears: 'ב'", f"4:15: {no_end_in_its_line(5)}"),
        ('says: "א\n        hears: "ב: ג"', f"4:15: {no_end_in_its_line(5)}"),
        ('says: "א\n        hears: ""', f"4:15: {no_end_in_its_line(5)}"),
        ('says: "א\n        hears: "ב', f"4:15: {no_end_in_its_line(5)}"),
        ('says: "א\n        # one\n        hears: {contains: "ב"}', f"4:15: {no_end_in_its_line(6)}"),
        ('hears: {contains: "א}\n      - says: "ב"', f"4:27: {no_end_in_its_line(5)}"),
        ('hears: ["א, ב]\n      - says: "ב"', f"4:17: {no_end_in_its_line(5)}"),
        ('says: "א\n      - says: "ב"\n      - hears: "ג"', f"4:15: {no_end_in_its_line(5)}"),
        ("says: \"א\n        hears: 'ב'", f"4:15: {NO_END}"),
        ('says: "א\n          ב"\n        hears: "ג" ד', f"6:20: {INNER_QUOTE}"),
        ('says: "א"\n        hears: "ג', f"5:16: {NO_END}"),
    ],
)
def test_a_quote_that_ends_at_the_next_one_is_named_where_it_was_opened(turns: str, problem: str) -> None:
    assert problem_of(turns) == f"shop.call.yaml:{problem}"
