"""``--yemot-repeat N``: each call several times."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

FLAKY = """
calls = []

def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    calls.append(values["ApiCallId"])
    return "read=t-שלום=q1,no,voice" if len(calls) % 3 else "read=t-סליחה=q1,no,voice"
"""
ONE = "scenarios: [{name: לפעמים, turns: [{hears: שלום}]}]\n"


@pytest.fixture
def flaky(project: pytest.Pytester, write: Write) -> pytest.Pytester:
    """A project whose application answers wrongly each third time."""
    write("flaky.py", FLAKY)
    write("shop.call.yaml", ONE)
    return project


def test_a_call_that_fails_sometimes_is_called_flaky(flaky: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-app=flaky:app", "--yemot-scenario", "--yemot-repeat=6")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "shop.call.yaml:1:36: heard · turn 1 of 1 · failed 2 of 6 times",
            "replay: pytest * --yemot-repeat=6 --yemot-scenario",
            "each call was played 6 times: 1 failed",
            "  failed 2 of 6  flaky  shop.call.yaml:1  לפעמים",
        ]
    )
    result.stdout.no_fnmatch_line("*--yemot-update*")


def test_each_play_is_a_call_of_its_own(flaky: pytest.Pytester, run: Run, write: Write) -> None:
    write(
        "conftest.py",
        """
        def pytest_sessionfinish():
            import flaky
            print(f"{len(set(flaky.calls))} calls")
        """,
    )
    run("--yemot-app=flaky:app", "--yemot-scenario", "--yemot-repeat=2", "-s").stdout.fnmatch_lines(
        ["*2 calls*"]
    )


def test_a_call_that_always_fails_is_not_flaky(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("shop.call.yaml", "scenarios: [{name: תמיד, turns: [{hears: ביי}]}]\n")
    result = run("--yemot-app=shop:app", "--yemot-scenario", "--yemot-repeat=2")
    result.stdout.fnmatch_lines(
        ["if the new wording is right: --yemot-update *", "  failed 2 of 2  shop.call.yaml:1  תמיד"]
    )


def test_calls_that_pass_are_counted_once(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-app=shop:app", "--yemot-scenario", "--yemot-repeat=3")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["each call was played 3 times: none failed", "1 call · *"])


def test_without_the_option_nothing_is_said(project: pytest.Pytester, run: Run) -> None:
    run("--yemot-app=shop:app", "--yemot-scenario").stdout.no_fnmatch_line("*each call was played*")


RACE = """
import asyncio

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing.property import EchoProvider


def make():
    flow = AIFlow(YemotAI(provider=EchoProvider()))

    @flow.get("")
    async def race(call):
        order = []

        async def note(name):
            await asyncio.sleep(0)
            order.append(name)

        await asyncio.gather(*(note(name) for name in "אבגדה"))
        await call.read("".join(order), val_name="q")

    return flow
"""


def test_repetitions_run_the_tasks_of_an_application_in_other_orders(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("race.py", RACE)
    write("shop.call.yaml", "scenarios: [{name: סדר, turns: [{hears: אבגדה}]}]\n")
    run("--yemot-app=race:make", "--yemot-scenario").assert_outcomes(passed=1)
    result = run("--yemot-app=race:make", "--yemot-scenario", "--yemot-repeat=4")
    result.stdout.fnmatch_lines(["its tasks ran in another order; *add to the scenario: order: chance *"])


@pytest.mark.parametrize("options", [("--yemot-scenario", "--yemot-update"), ()])
def test_it_is_for_scenarios_that_are_not_updated(
    project: pytest.Pytester, run: Run, options: tuple[str, ...]
) -> None:
    assert run(*options, "--yemot-repeat=2").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_number_below_one_is_a_usage_error(project: pytest.Pytester, run: Run, value: str) -> None:
    assert run("--yemot-scenario", f"--yemot-repeat={value}").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.slow
def test_workers_of_xdist_repeat_too(project: pytest.Pytester, run: Run) -> None:
    result = run("-p", "xdist", "-n", "2", "--yemot-app=shop:app", "--yemot-scenario", "--yemot-repeat=2")
    result.stdout.fnmatch_lines(["each call was played 2 times: none failed"])
