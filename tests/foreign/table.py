"""Writes the tables of ``docs/foreign-servers.md`` from calls to the servers.

Run it as ``python -m tests.foreign.table``; it needs Node and PHP.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.docs.generated_section import table
from tests.foreign.calls import ForeignCall
from tests.foreign.catalog import SERVERS
from tests.foreign.process import serving

__all__ = ["answers"]


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
    for server in filter(lambda server: server.calls, SERVERS.values()):
        with serving(*server.start()) as address:
            server.section.write(answers(server.calls, address))
