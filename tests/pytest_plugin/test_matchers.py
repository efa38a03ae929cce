"""Everything that can be expected of a turn: what agrees passes, what does not fails, each in its way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

APP = """
import time

def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    if "q" in values:
        return "id_list_message=t-להתראות.f-/1/bye&go_to_folder=hangup"
    time.sleep(0.05)
    return "id_list_message=t-שלום עולם.f-/1/hi&read=t-מה גילך=q,no,3,1,7,No"
"""
AGREE = [
    "שלום",
    "{contains: [שָׁלוֹם, 'גילך']}",
    "{excludes: [ביי, להתראות]}",
    '{equals: "שלום־עולם f/1/hi, מה גילך."}',
    '{matches: "^שלום.*גילך$"}',
    "{read: true}",
    "{read: {mode: tap, name: q, max_digits: 3, min_digits: 1, reuse: false}}",
    "{play: [t-שלום עולם, f-/1/hi]}",
    "{play: f-/1/hi}",
    "{ends: false}",
    "{same: false}",
    "{within: 4s}",
    "{within: [3s, 4s]}",
]
DISAGREE = [
    ("ביי", "heard"),
    ("{contains: [שלום, ביי]}", "heard"),
    ("{excludes: עולם}", "heard"),
    ("{equals: שלום}", "heard"),
    ('{matches: "^עולם"}', "heard"),
    ("{read: false}", "response"),
    ("{read: {mode: voice}}", "response"),
    ("{read: {max_digits: 2}}", "response"),
    ("{play: [f-/1/hi, t-שלום עולם]}", "response"),
    ("{goto: /2}", "response"),
    ("{ends: true}", "ends"),
    ("{same: true}", "response"),
    ("{within: 10ms}", "dead_air"),
]


@pytest.fixture
def played(project: pytest.Pytester, run: Run, write: Write) -> Callable[[list[str]], pytest.RunResult]:
    """Play a call for each of several expectations of its first turn."""
    write("age.py", APP)

    def play(expected: list[str]) -> pytest.RunResult:
        calls = "".join(
            f"  - name: '{number}'\n    turns: [{{hears: {hears}}}]\n"
            for number, hears in enumerate(expected)
        )
        write("age.call.yaml", f"app: age:app\nscenarios:\n{calls}")
        return run("--yemot-scenario=age.call.yaml")

    return play


def test_what_agrees_passes(played: Callable[[list[str]], pytest.RunResult]) -> None:
    expected = [hears.replace(" f/1/hi,", " f-/1/hi,") for hears in AGREE]
    played(expected).assert_outcomes(passed=len(AGREE))


def test_what_does_not_agree_fails_with_its_kind(played: Callable[[list[str]], pytest.RunResult]) -> None:
    result = played([hears for hears, _ in DISAGREE])
    result.assert_outcomes(failed=len(DISAGREE))
    result.stdout.fnmatch_lines([f"*: {kind} · turn 1 of 1" for _, kind in DISAGREE])


def test_the_last_turn_can_be_expected_too(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("age.py", APP)
    last = (
        '{presses: "30", hears: {contains: להתראות, play: f-/1/bye, goto: hangup, read: false, ends: true}}'
    )
    write("age.call.yaml", f"app: age:app\nscenarios: [{{name: א, turns: [{{hears: גילך}}, {last}]}}]\n")
    run("--yemot-scenario=age.call.yaml").assert_outcomes(passed=1)


def test_a_silence_between_the_two_bounds_is_a_warning(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("age.py", APP)
    write(
        "age.call.yaml",
        "app: age:app\nscenarios: [{name: א, turns: [{hears: {within: [10ms, 9s]}}]}]\n",
    )
    result = run("--yemot-scenario=age.call.yaml", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*s of silence, more than 0.01 s*"])
