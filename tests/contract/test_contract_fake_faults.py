"""The trial of the suite: mistakes are planted in copies of the fake, and the right cases see them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.fake_faults import FAULTS, Fault, planted
from tests.contract.fault_table import Row

TRIAL = "faults of a fake"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault, request: pytest.FixtureRequest) -> None:
    Row(TRIAL, fault.name, ", ".join(fault.cases), "fake").note(request)
    with planted(fault) as suite, ThreadPoolExecutor() as pool:
        # At once: whoever waits for ever is waited for, and not once for each case.
        outcomes = dict(
            zip(fault.cases, pool.map(lambda case: suite.run(case).outcome, fault.cases), strict=True)
        )
    assert outcomes == dict.fromkeys(fault.cases, "breached")
