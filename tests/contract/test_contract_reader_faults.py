"""The trial of our own reader: each planted fault is caught, with the fake and with the real Codex."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.contract.fault_table import Row
from tests.contract.reader_checks import CHECKS
from tests.contract.reader_faults import FAULTS, Fault, planted
from yemot_ai.providers.codex import CodexCLIProvider
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.codex.codex_kit import Codex
    from tests.contract.reader_checks import Check, Maker

TRIAL = "faults of a reader"


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
def test_a_planted_fault_is_caught(
    fault: Fault, codex: Codex, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    executable = "fake" if isinstance(codex, FakeCodex) else "real"
    why_not = fault.not_with_fake if executable == "fake" else ""
    Row(TRIAL, fault.name, fault.check, executable, why_not).note(request)
    with planted(fault, tmp_path) as maker:
        caught = _caught(CHECKS[fault.check], maker, codex)
    # What cannot show must not: else the reason in the table is wrong.
    assert caught != bool(why_not)


def _caught(check: Check, maker: Maker, codex: Codex) -> bool:
    try:
        check(maker, codex)
    except AssertionError:
        return True
    return False


def test_there_are_enough_faults_and_no_idle_check() -> None:
    assert len(FAULTS) >= 20
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {fault.check for fault in FAULTS} == set(CHECKS)


def test_a_fault_that_fits_nowhere_is_refused(tmp_path: Path) -> None:
    stale = Fault("is out of date", "events", "what never stood there", "", "")
    with pytest.raises(LookupError, match="0 times"):
        planted(stale, tmp_path).__enter__()
