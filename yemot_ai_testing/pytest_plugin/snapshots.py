"""Syrupy snapshots of responses: of one response, or of all turns of a call (``--yemot-snapshot``).

Each snapshot is one file with the bytes that the line gets. A failure shows the difference field by field:
``read.max_digits: 2 → 1``. The snapshot of a call has the last response of each turn. It leaves out polls,
because their number depends on the speed of the machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from yemot_ai.protocol import Response
from yemot_ai_testing.pytest_plugin.current_test import current_test
from yemot_ai_testing.response_diff import compare
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult

__all__ = [
    "CallSnapshotExtension",
    "ResponseSnapshotExtension",
    "check_snapshot",
    "snapshot_of",
    "yemot_snapshot",
]

_NO_RESPONSE = "(no answer)"


class ResponseSnapshotExtension(SingleFileSnapshotExtension):
    """Stores the raw response, so that a review shows what the line of a caller gets."""

    file_extension = "yemot.txt"
    _write_mode = WriteMode.TEXT

    @classmethod
    def serialize(cls, data: object, **_: Any) -> str:  # noqa: ANN401 - syrupy's signature
        """Return the text of a response.

        Args:
            data: a raw response, or a ``Response``.

        Raises:
            TypeError: it is neither.
        """
        if isinstance(data, str | Response):
            return str(data)
        raise TypeError(f"a response is a str or a Response, not {data!r}: try caller.raw == yemot_snapshot")

    def diff_lines(self, serialized_data: object, snapshot_data: object) -> Iterator[str]:
        """Yield the differences between the snapshot and the received response."""
        if not snapshot_data:
            yield str(serialized_data)  # there is no snapshot yet
        else:
            yield from compare(str(snapshot_data), str(serialized_data))


class CallSnapshotExtension(ResponseSnapshotExtension):
    """Stores the last response of each turn, one a line."""

    def diff_lines(self, serialized_data: object, snapshot_data: object) -> Iterator[str]:
        """Yield the differences turn by turn."""
        received, stored = str(serialized_data).splitlines(), str(snapshot_data or "").splitlines()
        pairs = zip_longest(stored, received, fillvalue=_NO_RESPONSE)
        for number, (before, after) in enumerate(pairs, start=1):
            if before != after:
                is_missing = _NO_RESPONSE in {before, after}
                lines = [f"{before} → {after}"] if is_missing else compare(before, after)
                yield from (f"turn {number}: {line}" for line in lines)


def snapshot_of(item: pytest.Item) -> SnapshotAssertion:
    """Return the snapshot of a test, as syrupy's fixture does.

    Raises:
        pytest.UsageError: syrupy is disabled in this run.
    """
    session = getattr(item.config, "_syrupy", None)
    if session is None:
        raise pytest.UsageError("snapshots need the plugin syrupy: leave out -p no:syrupy, or add -p syrupy")
    option = item.config.option
    return SnapshotAssertion(
        session=session,
        extension_class=ResponseSnapshotExtension,
        test_location=PyTestLocation(item),
        update_snapshots=option.update_snapshots,
        update_new_snapshots_only=getattr(option, "update_new_snapshots_only", False),
    )


@contextmanager
def yemot_snapshot() -> Iterator[SnapshotAssertion]:
    """Provide a snapshot of raw responses where a fixture is not available.

    Each context starts with the first snapshot of the test, so all examples of a ``@given`` test are compared
    with the same snapshot.

    Raises:
        pytest.UsageError: no pytest test is running.
    """
    item = current_test()
    if item is None:
        raise pytest.UsageError("yemot_snapshot() works only inside a test that pytest runs")
    yield snapshot_of(item)


def check_snapshot(result: ScenarioResult, item: pytest.Item) -> ScenarioResult:
    """Compare the responses of a call with its snapshot.

    Returns:
        ``result``, with a failure if they differ; unchanged if the call has failed or was skipped.
    """
    if result.failure is not None or result.fake_only is not None:
        return result
    snapshot = snapshot_of(item).use_extension(CallSnapshotExtension)
    # What is answered to a hang-up is not heard.
    heard = ([one.body for one in turn.exchanges if not one.hangup] for turn in result.turns)
    responses = "".join(f"{bodies[-1] if bodies else _NO_RESPONSE}\n" for bodies in heard)
    if responses == snapshot:
        return result
    lines = tuple(_differences(responses, snapshot))
    return dataclasses.replace(result, failure=ScenarioFailure("response", result.scenario.location, lines))


def _differences(responses: str, snapshot: SnapshotAssertion) -> Iterator[str]:
    stored = snapshot.executions[snapshot.num_executions - 1].recalled_data
    if stored is None:
        yield "there is no snapshot of this call yet; to write it: --snapshot-update"
        return
    yield "the responses differ from the snapshot; if that is intended: --snapshot-update"
    yield from CallSnapshotExtension().diff_lines(responses, stored)
