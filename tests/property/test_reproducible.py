"""The same seed gives the same history: the same events, in the same order, at the same times."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.broken_streams import StreamingWrittenByHand
from tests.property.faults.healthy import BlockingHandler, OverFiles, OverSQLite, Speaking, WrittenByHand
from tests.property.machine_settings import machine_settings
from yemot_ai_testing.history import HistoryEvent, LeftoversCounted
from yemot_ai_testing.property import CallMachine


class SpeakingInOrder(Speaking):
    """Runs tasks as they come: in random orders, some of its histories differ on a busy machine."""

    orders_tasks = False


MACHINES = (SpeakingInOrder, BlockingHandler, StreamingWrittenByHand, WrittenByHand, OverFiles, OverSQLite)


def without_threads(event: HistoryEvent) -> HistoryEvent:
    """Return an event without the number of threads: asyncio's pool has as many as were busy in real time."""
    return replace(event, threads=0) if isinstance(event, LeftoversCounted) else event


def histories(machine: type[CallMachine]) -> list[tuple[HistoryEvent, ...]]:
    """Run the machine; return the events of each example."""
    examples = []

    class Recording(machine):  # type: ignore[misc,valid-type]  # a class in a variable
        def teardown(self) -> None:
            super().teardown()
            examples.append(tuple(map(without_threads, self.history.events)))

    run_state_machine_as_test(Recording, settings=machine_settings(8, 20))
    return examples


@pytest.mark.parametrize("machine", MACHINES)
def test_the_same_seed_gives_the_same_events(machine: type[CallMachine]) -> None:
    first, again = histories(machine), histories(machine)

    assert [
        number for number, (one, other) in enumerate(zip(first, again, strict=True)) if one != other
    ] == []
