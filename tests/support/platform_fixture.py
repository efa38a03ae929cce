"""A platform server that gives recordings, for the conftests of the folders that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from yemot_ai_testing.doubles.platform_server import PlatformServer

__all__ = ["platform"]


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    with PlatformServer() as platform:
        yield platform
