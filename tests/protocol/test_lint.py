from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.lint_examples import ERRORS, KNOWN_NAME, MARK, WARNINGS
from yemot_ai.protocol import Problem, Response, lint
from yemot_ai.protocol.lint_rules import RULES
from yemot_ai_testing.property import responses

ANSWERS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "answers.jsonl").read_text("utf-8").splitlines()
]
PIECES = [
    "id_list_message=", "read=", "go_to_folder=", "noop", "api_log_no", "&", "=", ".", ",", "-", "t-", "f-",
    "g-hangup", "date-28/07/2022", "voice", "record", "no", "yes", "Ok", "1", "*", "שלום", "/1", "OK", "\n",
    "Api", "hangup", ":",
]  # fmt: skip


texts = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(PIECES), max_size=12).map(
    "".join
)


def errors(text: str) -> list[Problem]:
    return [problem for problem in lint(text) if problem.level == "error"]


def codes(text: str) -> list[str]:
    return [problem.code for problem in lint(text)]


@pytest.mark.parametrize("row", ANSWERS)
def test_every_known_response_is_judged_correctly(row: dict[str, Any]) -> None:
    assert (not errors(row["text"])) is row["valid"]


@settings(deadline=None)  # slow machines must not fail it
@given(texts)
def test_a_text_without_errors_parses(text: str) -> None:
    if not errors(text):
        Response.parse(text)


@settings(deadline=None)  # slow machines must not fail it
@given(texts)
def test_every_problem_has_a_known_rule_and_a_position_in_the_text(text: str) -> None:
    for problem in lint(text):
        rule = RULES[problem.code]
        assert (problem.level, problem.source) == (rule.level, rule.source)
        assert problem.message.endswith(rule.hint)
        assert 0 <= problem.position <= len(text)


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(responses())
def test_a_valid_response_has_no_error(response: Response) -> None:
    assert errors(str(response)) == []


@pytest.mark.parametrize(("marked", "code"), ERRORS)
def test_an_error_has_its_code_and_its_position(marked: str, code: str) -> None:
    text, position = marked.replace(MARK, ""), marked.index(MARK)
    assert (code, position) in [(problem.code, problem.position) for problem in errors(text)]


@pytest.mark.parametrize(("marked", "code"), WARNINGS)
def test_each_warning_has_its_code_and_its_position(marked: str, code: str) -> None:
    text, position = marked.replace(MARK, ""), marked.index(MARK)
    assert [(problem.code, problem.level, problem.position) for problem in lint(text)] == [
        (code, "warning", position)
    ]


def test_the_position_in_a_text_counts_from_its_type_wherever_it_stands() -> None:
    text = f"id_list_message= t-{'א ' * 150}ב&go_to_folder=/1"
    (position,) = (problem.position for problem in lint(text) if problem.code == "too-many-words")
    assert text[position] == "ב"


def test_a_name_that_the_call_knows_is_a_warning_at_the_name() -> None:
    marked, code = KNOWN_NAME
    (problem,) = lint(marked.replace(MARK, ""), ("x",))
    assert (problem.code, problem.position) == (code, marked.index(MARK))


def test_every_rule_has_an_example_that_breaks_it() -> None:
    assert {code for _, code in [*ERRORS, *WARNINGS, KNOWN_NAME]} == set(RULES)


@pytest.mark.parametrize(
    "text",
    [
        "id_list_message=t-בשעה 12:30, בערב?&go_to_folder=hangup",
        "id_list_message=t-a.g-hangup",
        "read=t-רק רגע=ai_3w1,no,1,1,1,No,,,,,1,Ok,None,,no",
        "read=t-דברו=ai_1,no,voice",
        "OK",
    ],
)
def test_a_good_response_has_no_problem(text: str) -> None:
    assert lint(text) == []


def test_all_problems_are_listed_in_order() -> None:
    assert codes("hangup=yes&read=t-a-b=Api,,voice,,maybe") == [
        "unknown-action",
        "text-character",
        "name",
        "choice",
    ]


def test_a_message_has_the_reason_and_the_hint() -> None:
    (problem,) = lint("id_list_message=t-a-b")
    assert problem.message == (
        "text: '-' is not allowed here; pass the text through speakable(); "
        "in another language, write , for ., write a space for -"
    )


def test_codes_are_kebab_case_and_unconfirmed_rules_are_warnings() -> None:
    for code, rule in RULES.items():
        assert code == code.lower().replace("_", "-")
        assert rule.level == "warning" or rule.source in {"[OFF]", "[LIVE]"}


def _runs(text: str, words: int = 4) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text)
    return {tuple(found[index : index + words]) for index in range(len(found) - words + 1)}


@pytest.mark.parametrize("marked", [marked for marked, _ in [*ERRORS, *WARNINGS, KNOWN_NAME]])
def test_no_reason_repeats_its_hint(marked: str) -> None:
    for problem in lint(marked.replace(MARK, ""), ("x",)):
        hint = RULES[problem.code].hint
        assert _runs(problem.message.removesuffix(hint)).isdisjoint(_runs(hint))
