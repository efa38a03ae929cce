"""Answers as snapshots: each in a file of its own, byte for byte as the line gets it.

A failing one tells what differs by meaning: ``read.max_digits: 2 → 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from yemot_ai.protocol import Response
from yemot_ai_testing.pytest_plugin.current_test import current_test
from yemot_ai_testing.response_diff import compare

__all__ = ["ResponseSnapshotExtension", "snapshot_of", "yemot_snapshot"]


class ResponseSnapshotExtension(SingleFileSnapshotExtension):
    """Writes the raw answer, so that a review shows what a caller's line would get."""

    file_extension = "yemot.txt"
    _write_mode = WriteMode.TEXT

    @classmethod
    def serialize(cls, data: object, **_: Any) -> str:  # noqa: ANN401 - syrupy's own signature
        """Return the answer.

        Args:
            data: the raw answer, or a ``Response``.

        Raises:
            TypeError: it is neither.
        """
        if isinstance(data, str | Response):
            return str(data)
        raise TypeError(f"an answer is a str or a Response, not {data!r}: try caller.raw == yemot_snapshot")

    def diff_lines(self, serialized_data: object, snapshot_data: object) -> Iterator[str]:
        """Tell what differs between the snapshot and what was received, by meaning."""
        if not snapshot_data:
            yield str(serialized_data)  # there is no snapshot yet
        else:
            yield from compare(str(snapshot_data), str(serialized_data))


def snapshot_of(item: pytest.Item) -> SnapshotAssertion:
    """Return the snapshot of a test, as syrupy's own fixture does.

    Raises:
        pytest.UsageError: syrupy is switched off in this run.
    """
    session = getattr(item.config, "_syrupy", None)
    if session is None:
        raise pytest.UsageError(
            "snapshots need the plugin of syrupy: leave out -p no:syrupy, or add -p syrupy"
        )
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
    """Provide a snapshot of raw answers where the fixture cannot go.

    Each time it is entered it begins anew, so all examples of a ``@given`` test are held to one snapshot.

    Raises:
        pytest.UsageError: no test of pytest runs here.
    """
    item = current_test()
    if item is None:
        raise pytest.UsageError("yemot_snapshot() is entered in a test that pytest runs")
    yield snapshot_of(item)
