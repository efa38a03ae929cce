"""The script methods and the queue that all doubles share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import Codex, exec_provider, run_async
from yemot_ai.errors import ProviderCrashError
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.script import FakeOnlyError, Gate, Script, ScriptMismatchError
from yemot_ai_testing.doubles.scriptable import ScriptableCodex
from yemot_ai_testing.doubles.steps import Answer, Step


class RecordingDouble(ScriptableCodex):
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)


def test_every_method_adds_one_step_and_can_be_chained() -> None:
    double = RecordingDouble()
    double.answers("א").answers(["א", "ב"], after=2).fails("overloaded", retry_after=3).hangs().drops("א")
    double.crashes(2, "boom").malformed("x").unknown_session().busy_session()
    assert [type(step).__name__ for step in double.steps] == [
        "Answer",
        "Answer",
        "Failure",
        "Hang",
        "Drop",
        "Crash",
        "Malformed",
        "UnknownSession",
        "BusySession",
    ]


@pytest.mark.parametrize(
    ("script", "error", "message"),
    [
        (
            lambda double: double.answers(5),
            TypeError,
            'such as "hello", or a list of its pieces, not 5',
        ),
        (lambda double: double.answers(["א", 5]), TypeError, "a list of its pieces, not \\['א', 5]"),
        (lambda double: double.answers([]), ValueError, "at least one piece"),
        (lambda double: double.answers("א", after=-1), ValueError, "after is a number of seconds from 0 on"),
        (lambda double: double.answers("א", after=math.nan), ValueError, "such as 2.5, not nan"),
        (lambda double: double.answers("א", after="5s"), TypeError, "seconds such as 2.5, not '5s'"),
        (lambda double: double.fails("overloaded", after=-1), ValueError, "after is a number of seconds"),
        (lambda double: double.fails("overloaded", retry_after="1"), TypeError, "retry_after is a number"),
        (lambda double: double.fails("tired"), ValueError, "one of rate_limited, unauthorized"),
        (lambda double: double.drops(None), TypeError, "a list of its pieces, not None"),
    ],
)
def test_an_invalid_step_raises_an_error_that_names_the_allowed_values(
    script: Callable[[Any], object], error: type[Exception], message: str
) -> None:
    double = RecordingDouble()
    with pytest.raises(error, match=message):
        script(double)
    assert double.steps == []


def test_an_empty_answer_is_an_answer() -> None:
    double = RecordingDouble()
    double.answers("")
    assert double.steps == [Answer(("",))]


def test_an_answer_is_its_pieces_joined() -> None:
    assert Answer(("שלום ", "עולם")).text == "שלום עולם"


def test_a_gate_is_open_until_hold() -> None:
    gate = Gate()
    through: list[str] = []
    gate.when_open(lambda: through.append("open"))
    gate.hold()
    gate.when_open(lambda: through.append("waited"))
    assert (through, gate.held, gate.wait(0.01)) == (["open"], True, False)
    gate.release()
    assert (through, gate.held, gate.wait(0.01)) == (["open", "waited"], False, True)


def test_a_complete_script_passes_its_check() -> None:
    script = Script()
    script.add(Answer(("א",)))
    assert script.take("שלום") == Answer(("א",))
    script.assert_complete()


def test_the_real_codex_refuses_a_malformed_step(real: RealCodex) -> None:
    with pytest.raises(FakeOnlyError, match="only the fake"):
        real.malformed()


@pytest.mark.slow
def test_a_step_about_a_session_fails_a_call_that_resumes_none(codex: Codex) -> None:
    codex.unknown_session()
    with pytest.raises(ProviderCrashError, match="no step scripted"):
        run_async(ask_provider(exec_provider(), "שלום"))
    with pytest.raises(ScriptMismatchError, match="שלום"):
        codex.assert_complete()
