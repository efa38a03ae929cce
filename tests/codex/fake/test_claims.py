"""Processes that take the steps of one script at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from yemot_ai_testing import FakeCodex
from yemot_ai_testing.codex.fake.program.app_server_steps import claim_server_step
from yemot_ai_testing.codex.fake.program.process import FakeProcess
from yemot_ai_testing.doubles.scripted_double import unchecked


def listed_too_early(state: Path, add_step: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another process take the steps after the first listing, and a new one come."""
    list_all = os.listdir
    listings: list[list[str]] = []

    def listing(folder: str) -> list[str]:
        names = list_all(folder)
        if not listings:
            for name in names:
                (state / "steps" / name).rename(state / "taken" / name)
            add_step()
        listings.append(names)
        return names

    monkeypatch.setattr(os, "listdir", listing)


@pytest.mark.parametrize(
    "claim",
    [claim_server_step, lambda state: FakeProcess(state, []).claim_step()],
    ids=["app-server", "exec"],
)
def test_a_step_that_comes_while_another_process_takes_the_one_before_is_found(
    claim: Callable[[str], tuple[str, dict[str, object]] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with unchecked(FakeCodex().answers("ראשון")) as codex:
        state = codex.executable.parents[1] / "state"
        listed_too_early(state, lambda: codex.answers("שני"), monkeypatch)
        assert claim(str(state)) is not None
        assert claim(str(state)) is None
