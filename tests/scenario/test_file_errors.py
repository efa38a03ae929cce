from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.load import loads

PATH = Path("shop.call.yaml")


def problem_of(text: str) -> str:
    with pytest.raises(ScenarioLoadError) as caught:
        loads(text, PATH)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x", "a call file needs 'scenarios'"),
        ("[]", "must be a mapping"),
        ("&a [*a]", "contains itself"),
        ("[" * 3000 + "]" * 3000, "nested too deeply"),
        ("scenarios: [{name: x, turns: [{hears: y}], [a]: b}]", "must be a word, not a list"),
        ("scenarios: []", "at least one call"),
        ("scenarios: no", "scenarios must be a list, not 'no'"),
        ("scenarios: [{name: x, turns: []}]", "at least one turn"),
        ("scenarios: [{name: x}]", "needs 'turns'"),
        ("scenarios: [{turns: [{hears: x}]}]", "needs 'name'"),
        ("scenarios:\n\t- name: x\n", "a tab cannot indent in YAML: write spaces"),
        ("scenarios:\n  - name: x\n\t  turns: []\n", "a tab cannot indent in YAML: write spaces"),
        ('scenarios: [{name: "a\\nb", turns: [{hears: x}]}]', "must be a text of one line"),
        ('scenarios: [{name: "\\e[31ma", turns: [{hears: x}]}]', "control characters"),
        ('scenarios: [{name: "\\u202Ea", turns: [{hears: x}]}]', "control characters"),
        ('scenarios: [{name: "  ", turns: [{hears: x}]}]', "must be a text of one line"),
        ("scenarios: [{name: 'a::b', turns: [{hears: x}]}]", "without ::"),
        (
            "scenarios: [{name: [], turns: [{hears: x}]}]",
            "must be a text of one line, without :: and control characters, not a list",
        ),
        ("app: shop\nscenarios: [{name: x, turns: [{hears: x}]}]", "module:attribute"),
        ("app: a:b\nserve: x\nscenarios: [{name: x, turns: [{hears: x}]}]", "leave one out"),
        ("serve: ''\nscenarios: [{name: x, turns: [{hears: x}]}]", "must be a program, such as node"),
        ("serve: a 'b\nscenarios: [{name: x, turns: [{hears: x}]}]", "write a list"),
        ("serve: {path: /x}\nscenarios: [{name: x, turns: [{hears: x}]}]", "needs 'command'"),
        ("serve: {command: x, path: y}\nscenarios: [{name: x, turns: [{hears: x}]}]", "with a slash"),
        ("serve: {command: x, pathe: /}\nscenarios: [{name: x, turns: [{hears: x}]}]", "mean 'path'?"),
        ("caller: {method: PUT}\nscenarios: [{name: x, turns: [{hears: x}]}]", "allowed: GET, POST"),
        ("caller: {fone: x}\nscenarios: [{name: x, turns: [{hears: x}]}]", "did you mean 'phone'?"),
    ],
)
def test_a_mistake_in_the_file_is_reported(text: str, message: str) -> None:
    assert message in problem_of(text)


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ('says: ""', "silent: true"),
        ("says: {a: b}", "must be a text, not a mapping"),
        ("says: null", "must be a text, not nothing"),
        ("silent: false", "can only be true"),
        ("silent: yes", "must be true or false, not 'yes'"),
        ("{hangs_up: true, agent: {answers: x}}", "a caller who hangs up gets no answer"),
        ("{says: x, meanwhile: {after: 2s}}", "needs one of hangs_up, presses"),
        ('{says: x, meanwhile: {hangs_up: true, presses: "1"}}', "needs one of hangs_up, presses"),
        ("{says: x, meanwhile: {hangs_up: true, after: 2}}", "such as 2s or 500ms, not '2'"),
        ("{says: x, hears: {within: [4s, 2s]}}", "[warn, fail]"),
        ("{says: x, hears: {within: {a: b}}}", "[warn, fail]"),
        ("{says: x, hears: {within: [2s, x]}}", "such as 2s"),
        ('{says: x, hears: {matches: "("}}', "not a regular expression"),
        ("{says: x, hears: {matches: []}}", "must be a text"),
        ("{says: x, hears: {contains: [a, []]}}", "each item of hears.contains must be a text"),
        ("{says: x, hears: {read: {mode: speech}}}", "allowed: tap, voice, record"),
        ("{says: x, hears: {read: {max_digits: []}}}", "a text, a number, true, false or null"),
        ("{says: x, hears: {ends: nein}}", "allowed: true, false, agent, caller, maybe"),
        ("{says: x, agent: {hangs: true, after: 2s}}", "before one of answers"),
        ("{says: x, agent: {crash: {exit: one}}}", "must be a whole number"),
        ("{says: x, agent: {}}", "agent needs one of"),
        ("{says: x, agent: {cut: length}}", "agent has no 'cut' (did you mean 'cuts'?)"),
        ("{says: x, agent: {cuts: lenght}}", "cannot be 'lenght' (did you mean 'length'?)"),
        ("{says: x, agent: {cuts: max_tokens}}", "allowed: length, content_filter, error"),
        ("{says: x, agent: {cuts: true}}", "must be one of length, content_filter, error, not 'true'"),
        ("{says: x, agent: {cuts: {length: y}}}", "must be one of length, content_filter, error"),
        ("{says: x, agent: {cuts: length, answers: y}}", "the text of an answer that is cut: text"),
        ("{says: x, agent: {cuts: length, texts: y}}", "did you mean 'text'?"),
        ("{says: x, agent: {cuts: length, text: []}}", "agent.text must not be empty"),
        ("{says: x, agent: {cuts: length, thoughts: y}}", "thoughts belongs to answers"),
        ("{says: x, agent: {cuts: length, after: 2s}}", "before one of answers"),
        ("{says: x, agent: {answers: y, text: z}}", "text belongs to cuts"),
        ("{says: x, agent: {answers: y, thought: z}}", "did you mean 'thoughts'?"),
        ("{says: x, agent: {answers: y, thoughts: [z]}}", "agent.thoughts must be a text, not a list"),
        ("{says: x, agent: {fails: refused}}", "did you mean 'refused_request'?"),
        ("{says: x, agent: {fails: refused-request}}", "did you mean 'refused_request'?"),
        ("{says: x, agent: {refused_request: true}}", "no 'refused_request': write fails: refused_request"),
        ("{says: x, agent: {content_filter: true}}", "no 'content_filter': write cuts: content_filter"),
        ("{says: x, agent: {length: true}}", "agent has no 'length': write cuts: length"),
        ("{says: x, agent: {rate_limited: 3}}", "write fails: rate_limited"),
    ],
)
def test_a_mistake_in_a_turn_is_reported(turn: str, message: str) -> None:
    text = f"scenarios:\n  - name: x\n    turns:\n      - hears: y\n      - {turn}\n"
    assert message in problem_of(text)


def test_a_mistake_in_a_step_is_reported_at_its_line() -> None:
    steps = "      - {answers: z}\n      - {cuts: lenght}\n"
    text = f"scenarios:\n- name: x\n  turns:\n  - says: y\n    agent:\n{steps}"
    assert problem_of(text).startswith("shop.call.yaml:7:16: ")


def test_a_count_must_be_a_number() -> None:
    text = "scenarios: [{name: x, turns: [{hears: y}], afterwards: {processes: none}}]"
    assert "whole number, not 'none'" in problem_of(text)
