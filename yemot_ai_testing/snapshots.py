"""Answers as snapshots: each in a file of its own, byte for byte as the line gets it.

A failing one tells what differs by meaning: ``read.max_digits: 2 → 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from yemot_ai.protocol import Response
from yemot_ai_testing.answers.comparison import compare

__all__ = ["AnswerSnapshotExtension"]


class AnswerSnapshotExtension(SingleFileSnapshotExtension):
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
