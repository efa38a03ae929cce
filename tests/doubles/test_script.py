"""The vocabulary that all doubles share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.codex import Codex, asked, provider
from yemot_ai.errors import ProviderCrashError
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.script import (
    Answer,
    FakeOnlyError,
    Gate,
    Script,
    ScriptableCodex,
    ScriptMismatchError,
    Step,
)


class Notebook(ScriptableCodex):
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)


def test_every_verb_adds_one_step_and_can_be_chained() -> None:
    book = Notebook()
    book.answers("א").answers(["א", "ב"], after=2).fails("overloaded", retry_after=3).hangs().drops("א")
    book.crashes(2, "boom").malformed("x").unknown_session().busy_session()
    assert [type(step).__name__ for step in book.steps] == [
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
    ("script", "error", "told"),
    [
        (lambda book: book.answers(5), TypeError, 'a text such as "שלום", or a list of its pieces, not 5'),
        (lambda book: book.answers(["א", 5]), TypeError, "a list of its pieces, not \\['א', 5]"),
        (lambda book: book.answers([]), ValueError, "at least one piece"),
        (lambda book: book.answers("א", after=-1), ValueError, "after is a number of seconds from 0 on"),
        (lambda book: book.answers("א", after=math.nan), ValueError, "such as 2.5, not nan"),
        (lambda book: book.answers("א", after="5s"), TypeError, "seconds such as 2.5, not '5s'"),
        (lambda book: book.fails("overloaded", after=-1), ValueError, "after is a number of seconds"),
        (lambda book: book.fails("overloaded", retry_after="1"), TypeError, "retry_after is a number"),
        (lambda book: book.fails("tired"), ValueError, "one of rate_limited, unauthorized"),
        (lambda book: book.drops(None), TypeError, "a list of its pieces, not None"),
    ],
)
def test_a_step_that_cannot_be_is_refused_with_what_is_allowed(
    script: Callable[[Any], object], error: type[Exception], told: str
) -> None:
    book = Notebook()
    with pytest.raises(error, match=told):
        script(book)
    assert book.steps == []


def test_an_empty_answer_is_an_answer() -> None:
    book = Notebook()
    book.answers("")
    assert book.steps == [Answer(("",))]


def test_an_answer_is_its_pieces_joined() -> None:
    assert Answer(("שלום ", "עולם")).text == "שלום עולם"


def test_a_gate_lets_everybody_through_until_it_is_held() -> None:
    gate = Gate()
    through: list[str] = []
    gate.when_open(lambda: through.append("open"))
    gate.hold()
    gate.when_open(lambda: through.append("waited"))
    assert (through, gate.held, gate.wait(0.01)) == (["open"], True, False)
    gate.release()
    assert (through, gate.held, gate.wait(0.01)) == (["open", "waited"], False, True)


def test_a_complete_script_has_nothing_to_say() -> None:
    script = Script()
    script.add(Answer(("א",)))
    assert script.take("שלום") == Answer(("א",))
    script.assert_complete()


def test_the_real_one_cannot_be_malformed(real: RealCodex) -> None:
    with pytest.raises(FakeOnlyError, match="only the fake"):
        real.malformed()


def test_a_step_about_a_session_fails_whoever_resumes_none(codex: Codex) -> None:
    codex.unknown_session()
    with pytest.raises(ProviderCrashError, match="no step scripted"):
        asked(provider().start_session("שלום"))
    with pytest.raises(ScriptMismatchError, match="שלום"):
        codex.assert_complete()
