"""Mutation tests of the exec provider: each planted fault is caught, with the fake and the real Codex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.faults import process_faults, reader_faults
from tests.providers.codex.faults.checks import CHECKS
from tests.providers.codex.faults.planting import Fault, faults_of, replaces
from yemot_ai.providers.codex import CodexCLIProvider, events, process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.providers.codex.faults.checks import Check
    from tests.support.codex import Codex

TABLE = "faults of a reader: planted fault | caught by | executable | not caught because"

FAULTS = faults_of(reader_faults, process_faults)


@pytest.mark.parametrize("executable", ["fake", "real"])
@pytest.mark.parametrize("check", CHECKS)
def test_our_provider_passes(check: str, executable: str, request: pytest.FixtureRequest) -> None:
    CHECKS[check](CodexCLIProvider, request.getfixturevalue(executable))


# The contract compares the fake with the real one. A fault that cannot show with it is tried with the other.
TRIALS = [(fault, "fake") for fault in FAULTS] + [(fault, "real") for fault in FAULTS if fault.not_with_fake]


@pytest.mark.parametrize(("fault", "executable"), TRIALS, ids=lambda value: getattr(value, "name", value))
def test_a_planted_fault_is_caught(
    fault: Fault,
    executable: str,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    reason = fault.not_with_fake if executable == "fake" else ""
    record_property("table", (TABLE, (fault.name, fault.check.__name__, executable, reason)))
    codex = request.getfixturevalue(executable)
    with fault.planted():
        caught = _caught(fault.check, codex)
    # A fault with a reason must not be caught: otherwise the reason is wrong.
    assert caught != bool(reason)


def _caught(check: Check, codex: Codex) -> bool:
    try:
        check(CodexCLIProvider, codex)
    except AssertionError:
        return True
    return False


def test_there_are_enough_faults_and_every_check_has_one() -> None:
    assert len(FAULTS) >= 39
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {fault.check for fault in FAULTS} == set(CHECKS.values())


def test_a_fault_whose_function_is_missing_is_refused() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        replaces(patch, events, process.run_process)

    stale = Fault(plant, CHECKS["standard_input_is_closed"])
    with pytest.raises(AttributeError, match="run"), stale.planted():
        pass
