from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.steps import Answer, Drop, Hang, Step
from yemot_ai_testing.history import Violation, ViolationKind
from yemot_ai_testing.property.counterexample import (
    ReplayTarget,
    ViolationError,
    attach_counterexample,
    write_counterexample,
)
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, Scenario
from yemot_ai_testing.scenario.play.target import load_app

TARGET = ReplayTarget("shop:app", "", has_provider=True)


def machine_call(*steps: Step | None) -> MachineCall:
    """Return a call with the utterances 7001, 7002 … and these steps of the model."""
    call = MachineCall(Caller(lambda pairs: "read=t-שלום=said,no,voice"))
    for number, step in enumerate(steps, 7001):
        call.utterance_ids.append(str(number))
        call.record_turn(
            CallerAction("says", f"אמירה {number}"), hears=Expectation(contains=(str(number),)), step=step
        )
    return call


def violation(
    message: str = "a message", *, kind: ViolationKind = "unheard", trace: tuple[str, ...] = ()
) -> Violation:
    return Violation(kind, message, 1.0, "call 1", "7001", trace)


def scenarios(
    folder: Path, found: Violation, *calls: MachineCall, replay: ReplayTarget = TARGET
) -> tuple[Scenario, ...]:
    return load(write_counterexample(folder, "Shop", found, calls, replay)).scenarios


def header(folder: Path) -> str:
    return (folder / "shop-unheard.call.yaml").read_text(encoding="utf-8").partition("name:")[0]


def test_every_line_of_the_trace_is_a_comment(tmp_path: Path) -> None:
    found = violation("bad: | a |\n|---|", trace=("  0.0 s  brings t-א\r\nscenarios: []\x85\u2028\x00",))
    (scenario,) = scenarios(tmp_path, found, machine_call(None))
    assert len(scenario.turns) == 1
    assert "# unheard: bad: | a |\\n|---|\n" in header(tmp_path)


@pytest.mark.parametrize("step", [Answer(("",), every=4.0), Drop(("א", "ב")), Hang("א")])
def test_a_step_of_a_stream_becomes_the_nearest_step_of_a_scenario(step: Step, tmp_path: Path) -> None:
    (scenario,) = scenarios(tmp_path, violation(), machine_call(step))
    assert type(scenario.turns[0].agent[0]) is type(step)
    assert "#   the pace at which the model wrote\n" in header(tmp_path)


def test_a_wrong_answer_is_excluded(tmp_path: Path) -> None:
    (scenario,) = scenarios(tmp_path, violation(kind="stale"), machine_call(None, None))
    heard = [turn.hears for turn in scenario.turns]
    assert heard == [
        Expectation(contains=("7001",)),
        Expectation(contains=("7002",), excludes=("7001",)),
    ]


def silent_call(*, then: int = 0) -> MachineCall:
    """Return a call that three silences must have ended, and which has more turns."""
    call = machine_call(None)
    for _ in range(3):
        call.record_turn(CallerAction("silent"))
    call.must_have_ended(3)
    for _ in range(then):
        call.record_turn(CallerAction("silent"))
        call.must_have_ended(1)
    return call


def test_a_silence_must_end_the_call_in_its_last_turn_at_the_latest(tmp_path: Path) -> None:
    found = violation(kind="endless")
    for call in (silent_call(), silent_call(then=2)):
        endless, other = scenarios(tmp_path, found, call, machine_call(None))
        heard = [turn.hears for turn in endless.turns]
        ends = [Expectation(ends="maybe"), Expectation(ends="maybe"), Expectation(ends=True)]
        assert heard == [Expectation(contains=("7001",)), *ends]
        assert other.turns[0].hears == Expectation(contains=("7001",))


def test_a_silence_is_no_fault_where_something_else_was_found(tmp_path: Path) -> None:
    (scenario,) = scenarios(tmp_path, violation(), silent_call(then=1))
    assert [turn.hears for turn in scenario.turns[1:]] == [None] * 4


def test_a_scenario_has_the_method_of_the_line(tmp_path: Path) -> None:
    (scenario,) = scenarios(tmp_path, violation(), replace(machine_call(None), method="POST"))
    assert scenario.caller.method == "POST"


def test_a_complete_scenario_has_no_warning(tmp_path: Path) -> None:
    write_counterexample(tmp_path, "Shop", violation(), [machine_call(Answer(("",), 4.0))], TARGET)
    assert "may pass" not in header(tmp_path)


def test_a_scenario_lists_what_it_cannot_express(tmp_path: Path) -> None:
    first = machine_call(Answer(("",), 4.0))
    first.inexpressible.append("a request came late")
    write_counterexample(
        tmp_path,
        "Shop",
        violation(),
        [first, machine_call(None)],
        ReplayTarget("shop:app", "", has_provider=False),
    )
    assert header(tmp_path).endswith(
        "# This file may pass although the bug exists: only the test that found it replays it exactly.\n"
        "# A scenario cannot express:\n"
        "#   in call 1 a request came late\n"
        "#   the steps of the model: the application has no provider that a scenario can script\n"
        "#   that the calls overlapped: scenarios run one after the other, each with its own application\n"
    )


def test_a_scenario_has_the_order_of_tasks(tmp_path: Path) -> None:
    target = replace(TARGET, order="priorities 3, changes 5")
    (scenario,) = scenarios(tmp_path, violation(), machine_call(None), replay=target)
    assert scenario.order == "priorities 3, changes 5"
    assert "# Order of tasks: priorities 3, changes 5\n" in header(tmp_path)


def test_the_order_of_tasks_is_not_expressed_for_an_application_without_a_provider(tmp_path: Path) -> None:
    target = ReplayTarget("shop:app", "", has_provider=False, order="chance 3")
    (scenario,) = scenarios(tmp_path, violation(), machine_call(None), replay=target)
    assert scenario.order is None
    assert "#   the order of tasks: the application has no provider whose" in header(tmp_path)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    error = attach_counterexample(
        ViolationError([violation()]), tmp_path / "found", "Shop", [machine_call(None)], TARGET
    )
    path = tmp_path / "found" / "shop-unheard.call.yaml"
    assert path.is_file()
    assert error.__notes__ == [f"Counterexample written to {path}, with the command that replays it."]


def test_a_violation_is_raised_even_if_the_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "found").write_text("no folder", encoding="utf-8")
    error = attach_counterexample(
        ViolationError([violation()]), tmp_path / "found", "Shop", [machine_call(None)], TARGET
    )
    assert str(error).startswith("unheard: a message")
    (note,) = error.__notes__
    assert note.startswith(f"The counterexample could not be written to {tmp_path / 'found'}: ")


def factory(words: str = "שלום") -> object:
    return lambda pairs: f"read=t-{words}=said,no,voice"


def test_a_function_that_needs_no_arguments_is_a_factory() -> None:
    assert load_app(f"{__name__}:factory") is not factory
