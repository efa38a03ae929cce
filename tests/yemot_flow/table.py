"""Writes the table of ``docs/from-yemot-flow.md`` from the results of the handlers.

Run it as ``python -m tests.yemot_flow.table``.
"""

from __future__ import annotations

from tests.docs.generated_section import Section, code, table
from tests.yemot_flow.rows import ROWS, ai_flow_result, plain_result

__all__ = ["SECTION", "differences"]

SECTION = Section("from-yemot-flow.md", "differences", "tests.yemot_flow.table")
HEADS = ("", "in yemot-flow", "its response", "the line", "here", "our response")


def differences() -> str:
    """Return the table with the measured responses."""
    return table(
        HEADS,
        (
            (
                str(row.number),
                row.title,
                code(plain_result(row)),
                f"{row.line} {row.source}",
                row.here,
                code(ai_flow_result(row)),
            )
            for row in ROWS
        ),
    )


if __name__ == "__main__":
    SECTION.write(differences())
