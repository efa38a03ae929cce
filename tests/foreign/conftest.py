from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.foreign.node import start
from tests.foreign.process import serving
from tests.foreign.table import NAIVE_SERVER


@pytest.fixture(scope="session")
def router2() -> Iterator[str]:
    """Return the URL of the server on yemot-router2."""
    with serving(*start()) as address:
        yield address


@pytest.fixture(scope="session")
def naive() -> Iterator[str]:
    """Return the URL of the naive server."""
    with serving(*NAIVE_SERVER) as address:
        yield address
