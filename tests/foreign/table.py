"""Writes the tables of ``docs/foreign-servers.md`` from calls to the servers.

Run it as ``python -m tests.foreign.table``; it needs Node.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.docs.generated_section import Section, table
from tests.foreign.calls import NAIVE, ROUTER2, ForeignCall
from tests.foreign.node import start
from tests.foreign.process import serving

__all__ = ["NAIVE_SECTION", "NAIVE_SERVER", "ROUTER2_SECTION", "answers"]

ROUTER2_SECTION = Section("foreign-servers.md", "router2", "tests.foreign.table")
NAIVE_SECTION = Section("foreign-servers.md", "naive", "tests.foreign.table")
NAIVE_SERVER = [sys.executable, "server.py"], Path(__file__).parent / "naive"


def answers(calls: Iterable[ForeignCall], url: str) -> str:
    """Make the calls; return the table of the responses and their lint results."""
    return table(
        ("call", "the caller", "its response", "the lint"),
        (
            (call.about if number == 0 else "", *row)
            for call in calls
            for number, row in enumerate(call.rows(url))
        ),
    )


if __name__ == "__main__":
    for section, calls, server in ((ROUTER2_SECTION, ROUTER2, start()), (NAIVE_SECTION, NAIVE, NAIVE_SERVER)):
        with serving(*server) as address:
            section.write(answers(calls, address))
