from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stores import store_factory
from yemot_ai_testing.conformance.stores.bench import StoreFactory


@pytest.fixture(params=["memory", "json", "sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreFactory:
    return store_factory(request, tmp_path)
