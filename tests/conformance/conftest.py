"""Collects what the broken providers of these tests leave open, before another test is blamed for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    yield
    gc.collect()
