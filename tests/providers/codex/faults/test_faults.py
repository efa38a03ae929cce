"""The trial of our own reader: each planted fault is caught, with the fake and with the real Codex."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.faults import process_faults, reader_faults
from tests.providers.codex.faults.checks import CHECKS
from tests.providers.codex.faults.planting import Fault, faults_of, replaces
from tests.support.fault_table import Row
from yemot_ai.providers.codex import CodexCLIProvider, events, process
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.providers.codex.faults.checks import Check
    from tests.support.codex import Codex

TRIAL = "faults of a reader"

FAULTS = faults_of(reader_faults, process_faults)


@pytest.fixture(params=["fake", "real"])
def codex(request: pytest.FixtureRequest) -> Iterator[Codex]:
    with contextlib.ExitStack() as stack:
        if request.param == "fake":
            yield stack.enter_context(FakeCodex())
        else:
            yield stack.enter_context(RealCodex(request.getfixturevalue("real_binary")))


@pytest.mark.parametrize("check", CHECKS)
def test_our_provider_passes(check: str, codex: Codex) -> None:
    CHECKS[check](CodexCLIProvider, codex)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault, codex: Codex, request: pytest.FixtureRequest) -> None:
    executable = "fake" if isinstance(codex, FakeCodex) else "real"
    why_not = fault.not_with_fake if executable == "fake" else ""
    Row(TRIAL, fault.name, fault.check.__name__, executable, why_not).note(request)
    with fault.planted():
        caught = _caught(fault.check, codex)
    # What cannot show must not: else the reason in the table is wrong.
    assert caught != bool(why_not)


def _caught(check: Check, codex: Codex) -> bool:
    try:
        check(CodexCLIProvider, codex)
    except AssertionError:
        return True
    return False


def test_there_are_enough_faults_and_no_idle_check() -> None:
    assert len(FAULTS) >= 39
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {fault.check for fault in FAULTS} == set(CHECKS.values())


def test_a_fault_without_its_seam_is_refused() -> None:
    def is_out_of_date(patch: pytest.MonkeyPatch) -> None:
        replaces(patch, events, process.run_process)

    stale = Fault(is_out_of_date, CHECKS["standard_input_is_closed"])
    with pytest.raises(AttributeError, match="run"), stale.planted():
        pass
