from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.script import Answer, Drop, Hang, Step
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

OURS = ReplayTarget("shop:app", "", has_provider=True)


def talk(*steps: Step | None) -> MachineCall:
    """Return a call in which 7001, 7002 … were said, and the model did this."""
    one = MachineCall(Caller(lambda pairs: "read=t-שלום=said,no,voice"))
    for mark, step in enumerate(steps, 7001):
        one.utterance_ids.append(str(mark))
        one.record_turn(
            CallerAction("says", f"אמירה {mark}"), hears=Expectation(contains=(str(mark),)), step=step
        )
    return one


def violation(
    message: str = "so it was", *, kind: ViolationKind = "unheard", story: tuple[str, ...] = ()
) -> Violation:
    return Violation(kind, message, 1.0, "call 1", "7001", story)


def scenarios(
    folder: Path, what: Violation, *talks: MachineCall, replay: ReplayTarget = OURS
) -> tuple[Scenario, ...]:
    return load(write_counterexample(folder, "Shop", what, talks, replay)).scenarios


def head(folder: Path) -> str:
    return (folder / "shop-unheard.call.yaml").read_text(encoding="utf-8").partition("name:")[0]


def test_whatever_an_answer_holds_the_story_stays_a_comment(tmp_path: Path) -> None:
    what = violation("bad: | a |\n|---|", story=("  0.0 s  brings t-א\r\nscenarios: []\x85\u2028\x00",))
    (scenario,) = scenarios(tmp_path, what, talk(None))
    assert len(scenario.turns) == 1
    assert "# unheard: bad: | a |\\n|---|\n" in head(tmp_path)


@pytest.mark.parametrize("step", [Answer(("",), every=4.0), Drop(("א", "ב")), Hang("א")])
def test_what_a_stream_did_is_said_as_well_as_a_scenario_can(step: Step, tmp_path: Path) -> None:
    (scenario,) = scenarios(tmp_path, violation(), talk(step))
    assert type(scenario.turns[0].agent[0]) is type(step)
    assert "#   the pace at which the model wrote\n" in head(tmp_path)


def test_what_was_heard_wrongly_may_not_be_heard(tmp_path: Path) -> None:
    (scenario,) = scenarios(tmp_path, violation(kind="stale"), talk(None, None))
    heard = [turn.hears for turn in scenario.turns]
    assert heard == [
        Expectation(contains=("7001",)),
        Expectation(contains=("7002",), excludes=("7001",)),
    ]


def test_a_file_that_says_all_of_it_does_not_doubt_itself(tmp_path: Path) -> None:
    write_counterexample(tmp_path, "Shop", violation(), [talk(Answer(("",), 4.0))], OURS)
    assert "may pass" not in head(tmp_path)


def test_a_file_says_what_it_cannot_say(tmp_path: Path) -> None:
    first = talk(Answer(("",), 4.0))
    first.inexpressible.append("a request came late")
    write_counterexample(
        tmp_path, "Shop", violation(), [first, talk(None)], ReplayTarget("shop:app", "", has_provider=False)
    )
    assert head(tmp_path).endswith(
        "# It may pass though the fault is there: the test that found it plays it exactly, this file\n"
        "# only as far as a scenario can say it. Not in it is:\n"
        "#   in call 1 a request came late\n"
        "#   what the model did: the application is no flow of ours, whose model could be told to\n"
        "#   that the calls overlapped: they come one after the other, each to an application of its own\n"
    )


def test_an_error_tells_where_it_is_written_down(tmp_path: Path) -> None:
    error = attach_counterexample(
        ViolationError([violation()]), tmp_path / "found", "Shop", [talk(None)], OURS
    )
    path = tmp_path / "found" / "shop-unheard.call.yaml"
    assert path.is_file()
    assert error.__notes__ == [f"It is written down in {path}, with the command that plays it again."]


def test_what_was_wrong_is_told_though_it_cannot_be_written_down(tmp_path: Path) -> None:
    (tmp_path / "found").write_text("no folder", encoding="utf-8")
    error = attach_counterexample(
        ViolationError([violation()]), tmp_path / "found", "Shop", [talk(None)], OURS
    )
    assert str(error).startswith("unheard: so it was")
    (note,) = error.__notes__
    assert note.startswith(f"It could not be written to {tmp_path / 'found'}: ")


def factory(words: str = "שלום") -> object:
    return lambda pairs: f"read=t-{words}=said,no,voice"


def test_a_function_that_needs_no_arguments_is_a_factory() -> None:
    assert load_app(f"{__name__}:factory") is not factory
