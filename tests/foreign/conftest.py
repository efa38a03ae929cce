from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.foreign.catalog import SERVERS, UrlOf
from tests.foreign.php import PhpMissingError
from tests.foreign.process import serving
from tests.support.not_run import not_run


@pytest.fixture(scope="session")
def url_of() -> Iterator[UrlOf]:
    """Return a function that starts a server of the catalog, if it does not run, and returns its URL."""
    with ExitStack() as running:

        @cache
        def start(name: str) -> str:
            try:
                command = SERVERS[name].start()
            except PhpMissingError as error:
                not_run("the tests of servers in PHP", error)
            return running.enter_context(serving(*command))

        yield start


@pytest.fixture
def router2(url_of: UrlOf) -> str:
    """Return the URL of the server on yemot-router2."""
    return url_of("router2")


@pytest.fixture
def naive(url_of: UrlOf) -> str:
    """Return the URL of the naive server."""
    return url_of("naive")
