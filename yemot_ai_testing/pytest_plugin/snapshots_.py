"""The answers of a whole call as one syrupy snapshot: ``--yemot-snapshot``.

What stands in it is the answer that each turn ended with, byte for byte: polls in between come and go with
the speed of the machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import pytest
from syrupy.assertion import SnapshotAssertion

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.pytest_plugin.snapshots import ResponseSnapshotExtension, snapshot_of
from yemot_ai_testing.response_diff import compare
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult

__all__ = ["check_snapshot"]

NO_RESPONSE = "(no answer)"


class CallSnapshotExtension(ResponseSnapshotExtension):
    """Writes a line for each turn."""

    def diff_lines(self, serialized_data: object, snapshot_data: object) -> Iterator[str]:
        """Tell turn by turn what differs, by meaning."""
        now, before = str(serialized_data).splitlines(), str(snapshot_data or "").splitlines()
        for number, (was, said) in enumerate(zip_longest(before, now, fillvalue=NO_RESPONSE), start=1):
            if was != said:
                told = [f"{was} → {said}"] if NO_RESPONSE in {was, said} else compare(was, said)
                yield from (f"turn {number}: {line}" for line in told)


def check_snapshot(result: ScenarioResult, item: pytest.Item) -> ScenarioResult:
    """Return what came of a call, failed if its answers are not those of its snapshot."""
    if result.failure is not None or result.fake_only is not None:
        return result
    snapshot = snapshot_of(item).use_extension(CallSnapshotExtension)
    answers = _response_lines(result)
    if answers == snapshot:
        return result
    lines = tuple(_differences(answers, snapshot))
    return dataclasses.replace(result, failure=ScenarioFailure("response", result.scenario.location, lines))


def _response_lines(outcome: ScenarioResult) -> str:
    return "".join(f"{_last_response(turn.exchanges)}\n" for turn in outcome.turns)


def _last_response(exchanges: Sequence[LineExchange]) -> str:
    """Return the last answer that a caller was there to hear."""
    heard = [exchange.body for exchange in exchanges if not exchange.hangup]
    return heard[-1] if heard else NO_RESPONSE


def _differences(answers: str, snapshot: SnapshotAssertion) -> Iterator[str]:
    kept = snapshot.executions[snapshot.num_executions - 1].recalled_data
    if kept is None:
        yield "there is no snapshot of this call yet; the way out: --snapshot-update"
        return
    yield "the answers are not those of the snapshot; if they are meant: --snapshot-update"
    yield from CallSnapshotExtension().diff_lines(answers, kept)
