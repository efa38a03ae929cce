"""Writes the table of ``docs/from-yemot-flow.md`` from what the handlers were measured to do.

Run it as ``python -m tests.yemot_flow.table``.
"""

from __future__ import annotations

from tests.docs.generated_section import Section, code, table
from tests.yemot_flow.rows import ROWS, shown_by_ours, shown_by_plain

__all__ = ["SECTION", "differences"]

SECTION = Section("from-yemot-flow.md", "differences", "tests.yemot_flow.table")
HEADS = ("", "in yemot-flow", "its answer", "the line", "here", "our answer")


def differences() -> str:
    """Return the table; every answer in it was given a moment ago."""
    return table(
        HEADS,
        (
            (
                str(row.number),
                row.title,
                code(shown_by_plain(row)),
                f"{row.line} {row.source}",
                row.here,
                code(shown_by_ours(row)),
            )
            for row in ROWS
        ),
    )


if __name__ == "__main__":
    SECTION.write(differences())
