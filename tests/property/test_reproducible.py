"""A seed is one evening: the same events, in the same order, at the same times."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.broken_streams import StreamingWrittenByHand
from tests.property.faults.healthy import BlockingHandler, OverFiles, OverSQLite, Speaking, WrittenByHand
from yemot_ai_testing.history import HistoryEvent
from yemot_ai_testing.property import CallMachine

SETTINGS = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)

MACHINES = (Speaking, BlockingHandler, StreamingWrittenByHand, WrittenByHand, OverFiles, OverSQLite)


def evenings(machine: type[CallMachine]) -> list[tuple[HistoryEvent, ...]]:
    """Let some evenings happen; return what happened in each."""
    happened = []

    class Kept(machine):  # type: ignore[misc,valid-type]  # whichever it is
        def teardown(self) -> None:
            super().teardown()
            happened.append(self.history.events)

    run_state_machine_as_test(Kept, settings=SETTINGS)
    return happened


@pytest.mark.parametrize(
    "machine", [Speaking, BlockingHandler, StreamingWrittenByHand, WrittenByHand, OverFiles, OverSQLite]
)
def test_the_same_seed_is_the_same_evening_event_by_event(machine: type[CallMachine]) -> None:
    first, again = evenings(machine), evenings(machine)

    assert [
        number for number, (one, other) in enumerate(zip(first, again, strict=True)) if one != other
    ] == []
