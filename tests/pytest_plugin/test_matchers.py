"""All expectations of a turn: those that match pass, the others fail with their kind."""

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
MATCHING = [
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
NOT_MATCHING = [
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
def play(project: pytest.Pytester, run: Run, write: Write) -> Callable[[list[str]], pytest.RunResult]:
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


@pytest.mark.slow
def test_matching_expectations_pass(play: Callable[[list[str]], pytest.RunResult]) -> None:
    expected = [hears.replace(" f/1/hi,", " f-/1/hi,") for hears in MATCHING]
    play(expected).assert_outcomes(passed=len(MATCHING))


@pytest.mark.slow
def test_other_expectations_fail_with_their_kind(play: Callable[[list[str]], pytest.RunResult]) -> None:
    result = play([hears for hears, _ in NOT_MATCHING])
    result.assert_outcomes(failed=len(NOT_MATCHING))
    result.stdout.fnmatch_lines([f"*: {kind} · turn 1 of 1" for _, kind in NOT_MATCHING])


def test_the_last_turn_can_have_expectations(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("age.py", APP)
    last = (
        '{presses: "30", hears: {contains: להתראות, play: f-/1/bye, goto: hangup, read: false, ends: true}}'
    )
    write("age.call.yaml", f"app: age:app\nscenarios: [{{name: א, turns: [{{hears: גילך}}, {last}]}}]\n")
    run("--yemot-scenario=age.call.yaml").assert_outcomes(passed=1)


def test_dead_air_between_the_two_limits_is_a_warning(
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
