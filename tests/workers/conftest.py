from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.stores import store_factory
from tests.workers.worker_group import WorkerGroup, start_workers
from yemot_ai_testing.conformance.stores.bench import StoreFactory

StartGroup = Callable[..., WorkerGroup]
"""``start_workers``, over the store of the test; the groups are closed at its end."""


@pytest.fixture(params=["json", "sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreFactory:
    return store_factory(request, tmp_path)


@pytest.fixture
def start_group(make_store: StoreFactory) -> Iterator[StartGroup]:
    with ExitStack() as stack:

        def start(*arguments: Any, **settings: Any) -> WorkerGroup:  # noqa: ANN401 - those of start_workers
            group = start_workers(make_store, *arguments, **settings)
            stack.callback(group.close)
            return group

        yield start
