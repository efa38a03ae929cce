from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.property.faults import broken_agents, broken_flows, broken_stores, broken_streams, healthy
from tests.property.faults.subject import BROKEN, GOOD, Creature
from tests.property.faults.trial import EXAMPLES, SECONDS, evenings, row, tried

ROOMS = (broken_agents, broken_flows, broken_stores, broken_streams, healthy)
TITLE = "zoo: what is wrong | found by | evenings | CPU s"


@pytest.mark.parametrize("creature", BROKEN, ids=lambda one: one.name)
def test_each_fault_is_found_within_its_budget(
    creature: Creature, record_property: Callable[[str, object], None]
) -> None:
    trial = tried(creature, EXAMPLES)
    record_property("table", (TITLE, row(trial)))
    assert trial.violation is not None, f"{creature.what}: not found in {trial.examples} evenings"
    assert trial.violation.kind in creature.kinds, str(trial.violation)
    assert len(trial.violation.trace) <= 15
    assert trial.seconds < SECONDS


@pytest.mark.parametrize("creature", GOOD, ids=lambda one: one.name)
def test_nothing_is_found_in_a_healthy_one(
    creature: Creature, record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> None:
    seeded = pytestconfig.getoption("--hypothesis-seed") is not None
    trial = tried(creature, evenings(creature), seeded=seeded)
    record_property("table", (TITLE, row(trial)))
    assert trial.violation is None, str(trial.violation)


def test_the_zoo_is_large_enough() -> None:
    assert len(BROKEN) >= 20
    assert len({creature.name for creature in BROKEN + GOOD}) == len(BROKEN + GOOD)
    assert len(ROOMS) == 5
