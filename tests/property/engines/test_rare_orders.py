"""How many runs it takes until a planted race is found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from tests.property.engines.races import PRODUCT_RACES, RACES, Race
from yemot_ai_testing.property.engines.order import Order, Size
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.property.engines.search import Program, find_order
from yemot_ai_testing.property.engines.seeded import seeded_engine

MAX_RUNS = {1: 20, 2: 60, 3: 200}
SEEDS = (1, 20_000, 300_000, 4_000_000, 50_000_000)
PROGRAMS: tuple[tuple[Program, int], ...] = (
    *((race, MAX_RUNS[race.depth]) for race in RACES),
    *PRODUCT_RACES,
)
TITLE = "planted races: race | runs allowed | find_order | seeds, size known | seeds"

PROGRAM_NAMES = [getattr(program, "name", getattr(program, "__name__", "")) for program, _ in PROGRAMS]


def fails(program: Program, engine: OrderedEngine) -> bool:
    with closing(engine):
        try:
            program(engine)
        except AssertionError:
            return True
    return False


def size_of(program: Program) -> Size | None:
    """Return the size that a run in the order of arrival shows."""
    engine = seeded_engine(Order())
    fails(program, engine)
    return engine.program_size


def runs_of_seeds(program: Program, first: int, most: int, size: Size | None = None) -> int:
    """Return how many consecutive seeds it takes until the program fails."""
    runs = range(1, most + 1)
    return next((run for run in runs if fails(program, seeded_engine(first + run, size=size))), most + 1)


def runs_of_search(program: Program, first: int, most: int) -> int:
    """Return how many runs the search takes until the program fails."""
    found = find_order(program, runs=most, seed=first)
    return most + 1 if found is None else found.runs


@pytest.mark.parametrize(("program", "most"), PROGRAMS, ids=PROGRAM_NAMES)
def test_each_race_is_found_from_five_of_five_seeds(
    program: Program, most: int, record_property: Callable[[str, object], None]
) -> None:
    searched = [runs_of_search(program, seed, most) for seed in SEEDS]
    sized = [runs_of_seeds(program, seed, most, size_of(program)) for seed in SEEDS]
    seeded = [runs_of_seeds(program, seed, 2 * most) for seed in SEEDS]
    name = PROGRAM_NAMES[[one for one, _ in PROGRAMS].index(program)]
    record_property("table", (TITLE, (name, str(most), f"{searched}", f"{sized}", f"{seeded}")))
    assert max(searched) <= most
    assert max(sized) <= most
    assert max(seeded) <= 2 * most


@pytest.mark.parametrize("race", [race for race in RACES if race.depth == 3], ids=lambda race: race.name)
def test_chance_does_not_find_the_deepest_races(race: Race) -> None:
    assert not any(fails(race, seeded_engine(Order("chance", seed))) for seed in range(MAX_RUNS[3]))
