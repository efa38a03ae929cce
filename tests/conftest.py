"""What all tests share: how much Hypothesis tries, marks, tables in the report, servers.

Tests that name no number of examples try Hypothesis's own; those of ``tests/fuzz`` try 60 to 1,000, and
100,000 with ``--hypothesis-profile=nightly`` (``tox -e nightly``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.support.codex_fixtures import codex, fake, real, real_binary, shell
from tests.support.flow_line import Line
from tests.support.not_run import write_not_run
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.doubles.platform_server import PlatformServer

__all__ = ["codex", "fake", "real", "real_binary", "shell"]

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

collect_ignore = ["downstream"]  # projects of their own, whose suites run on the wheel: tox -e downstream

# How long an example takes says how busy the machine is.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")
settings.register_profile(
    "nightly", max_examples=100_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a real Redis server."""
    # The first command of the README runs without the extra of Redis.
    from tests.support.redis_server import RedisServer  # noqa: PLC0415

    with closing(RedisServer().start()) as server:
        yield server.url


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    """A scripted provider; its script is checked at the end."""
    provider = ScriptedProvider()
    yield provider
    provider.assert_complete()


@pytest.fixture
def ai(provider: ScriptedProvider) -> YemotAI:
    return YemotAI(provider=provider)


@pytest.fixture
def flow(ai: YemotAI) -> AIFlow:
    return AIFlow(ai)


@pytest.fixture
def line(flow: AIFlow) -> Line:
    return Line(flow)


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    """A platform server that gives recordings."""
    with PlatformServer() as platform:
        yield platform


SLOW_FOLDERS: Final = (
    "codex/rules", "fuzz", "growth", "load", "property", "providers/codex/faults", "providers/codex/safety",
    "workers",
)  # fmt: skip
"""Folders whose tests all have the mark ``slow``; elsewhere it stands at the test."""


GENERATED_FOLDERS: Final = ("fuzz", "property/strategies")
"""Folders whose tests all have the mark ``generated``; elsewhere it stands at the test or the file."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of whole folders, and refuse names that differ between the workers of pytest-xdist."""
    unstable = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if unstable:
        raise pytest.UsageError(f"give an id to what has an address in its name: {unstable[0]}")
    marks = ((SLOW_FOLDERS, pytest.mark.slow), (GENERATED_FOLDERS, pytest.mark.generated))
    for folders, mark in marks:
        paths = tuple(f"{Path(__file__).parent / folder}/" for folder in folders)
        for item in items:
            if str(item.path).startswith(paths):
                item.add_marker(mark)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the tables whose rows tests have recorded, and which tests were not run for want of a program.

    A test records a row with ``record_property("table", (title, cells))``. The title names the columns:
    ``faults: fault | caught by``. Properties also arrive from pytest-xdist.
    """
    tables: dict[str, list[list[str]]] = {}
    for title, cells in sorted(_rows(terminalreporter)):
        tables.setdefault(title, []).append(cells)
    for title, rows in tables.items():
        heads = [*title.split(" | "), "test"]
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        terminalreporter.section(title.partition(":")[0])
        for line in (heads, *rows):
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            terminalreporter.write_line("  ".join(padded).rstrip())
    write_not_run(terminalreporter)


def _rows(terminalreporter: TerminalReporter) -> Iterator[tuple[str, list[str]]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                if name == "table" and report.when == "call":
                    title, cells = value
                    yield title, [*cells, outcome]
