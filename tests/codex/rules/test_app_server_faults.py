"""Faults are planted in copies of the fake's program, and the right rules for servers catch them."""

from __future__ import annotations

import pytest

from tests.codex.rules.app_server_faults import FAULTS
from tests.codex.rules.planting import planted
from yemot_ai_testing.codex.rules.app_server import client
from yemot_ai_testing.codex.rules.app_server.bench import open_fake_bench
from yemot_ai_testing.codex.rules.suite import CodexSuite
from yemot_ai_testing.conformance.rule import Breach


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_TIMEOUT", 3.0)  # a message that never comes is a breach
    for rule in FAULTS[name].caught_by:
        with planted(FAULTS[name]) as fake, open_fake_bench(fake) as bench, pytest.raises(Breach):
            CodexSuite.find_rule(f"server-{rule}").check(bench)
