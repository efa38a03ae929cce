from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.property.faults import (
    broken_agents,
    broken_crowds,
    broken_flows,
    broken_processes,
    broken_stores,
    broken_streams,
    broken_tools,
    broken_wording,
    foreign_healthy,
    foreign_streaming,
    healthy,
)
from tests.property.faults.search import MAX_EXAMPLES, MAX_SECONDS, example_count, search_violation, table_row
from tests.property.faults.subject import BROKEN, HEALTHY, Subject

MODULES = (
    broken_agents,
    broken_crowds,
    broken_flows,
    broken_processes,
    broken_stores,
    broken_streams,
    broken_tools,
    broken_wording,
    foreign_healthy,
    foreign_streaming,
    healthy,
)
TITLE = "planted faults: fault | found by | examples | CPU s | slowness"


@pytest.mark.parametrize("subject", BROKEN, ids=lambda one: one.name)
def test_each_fault_is_found_in_few_examples(
    subject: Subject, record_property: Callable[[str, object], None]
) -> None:
    result = search_violation(subject, MAX_EXAMPLES)
    record_property("table", (TITLE, table_row(result)))
    assert result.violation is not None, f"{subject.description}: not found in {result.examples} examples"
    assert result.violation.kind in subject.kinds, str(result.violation)
    assert len(result.violation.trace) <= 15


@pytest.mark.generated  # in a process of few tests: after thousands a search takes several times as long
@pytest.mark.parametrize("subject", BROKEN, ids=lambda one: one.name)
def test_each_fault_is_found_in_few_seconds(subject: Subject) -> None:
    result = search_violation(subject, MAX_EXAMPLES)
    assert result.violation is not None
    assert result.seconds < MAX_SECONDS * result.slowness


@pytest.mark.generated
@pytest.mark.parametrize("subject", HEALTHY, ids=lambda one: one.name)
def test_no_violation_is_found_in_a_healthy_application(
    subject: Subject, record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> None:
    seeded = pytestconfig.getoption("--hypothesis-seed") is not None
    result = search_violation(subject, example_count(subject), seeded=seeded)
    record_property("table", (TITLE, table_row(result)))
    assert result.violation is None, str(result.violation)


def test_there_are_enough_faults() -> None:
    assert len(BROKEN) >= 20
    assert len({subject.name for subject in BROKEN + HEALTHY}) == len(BROKEN + HEALTHY)
    assert len(MODULES) == 11
