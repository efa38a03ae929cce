"""Faults of what runs tools: they change a turn with tools, and nothing without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai import YemotAI
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.mutation.catalog import MUTATIONS, select
from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.mutation import Mutation
from yemot_ai_testing.mutation.planted_ai import PlantedProvider

TOOL_FAULTS = [mutation for mutation in MUTATIONS if mutation.kind == "tools"]


def ask(mutation: Mutation, marks: Marks, *, calls: int) -> tuple[list[str], ScriptedProvider]:
    """Let a model order two things, or nothing; return what was ordered, and the model."""
    ordered: list[str] = []

    def place_order(item: str) -> str:
        """Place an order."""
        ordered.append(item)
        return f"{item} comes"

    double = ScriptedProvider()
    if calls:
        double.calls(*(("place_order", {"item": item}) for item in ("pizza", "cake")[:calls]))
    double.answers("בדרך")
    planted = PlantedProvider(double, mutation.fault, marks, mutation.id)
    ai = YemotAI(provider=planted, tools=[place_order] if calls else [])
    assert ai.reply("c1", "אני רוצה להזמין") == "בדרך"
    return ordered, double


def results(double: ScriptedProvider) -> list[tuple[str, ...]]:
    return [each.results for request in double.requests for each in request.rounds]


@pytest.mark.parametrize(
    ("name", "ordered", "known"),
    [
        ("tool-called-twice", ["pizza", "cake"] * 2, ("pizza comes", "cake comes") * 2),
        ("tool-not-run", [], ("done", "done")),
        ("results-unknown", ["pizza", "cake"], ("the result is unknown",) * 2),
        ("results-exchanged", ["pizza", "cake"], ("cake comes", "pizza comes")),
    ],
)
def test_a_fault_of_tools_changes_what_runs_or_what_the_model_learns(
    name: str, ordered: list[str], known: tuple[str, ...], tmp_path: Path
) -> None:
    (mutation,) = select([name])
    marks = Marks(tmp_path)
    ran, double = ask(mutation, marks, calls=2)
    assert (ran, results(double)) == (ordered, [known])
    assert marks.reached() == {name}


@pytest.mark.parametrize("mutation", TOOL_FAULTS, ids=lambda mutation: mutation.id)
def test_a_fault_of_tools_changes_nothing_without_tools(mutation: Mutation, tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    ordered, double = ask(mutation, marks, calls=0)
    assert (ordered, len(double.requests), marks.reached()) == ([], 1, frozenset())


def test_the_results_of_one_call_cannot_be_exchanged(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    ask(select(["results-exchanged"])[0], marks, calls=1)
    assert marks.reached() == frozenset()


def test_tools_that_are_not_offered_are_not_called(tmp_path: Path) -> None:
    double, marks = ScriptedProvider(), Marks(tmp_path)
    (mutation,) = select(["tools-not-offered"])
    planted = PlantedProvider(double.answers("כן"), mutation.fault, marks, mutation.id)

    def order() -> None:
        """Order."""

    YemotAI(provider=planted, tools=[order]).reply("c1", "שלום")
    assert double.requests[0].tools == ()
    assert marks.reached() == {"tools-not-offered"}
