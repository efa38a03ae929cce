"""Fixtures with a scripted Codex; ``tests/conftest.py`` imports them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.codex import Codex, Shell
from yemot_ai_testing.codex.binary import BinaryNotFoundError, locate
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.scripted_double import unchecked

__all__ = ["codex", "fake", "real", "real_binary", "shell"]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def real_binary() -> Path:
    """The real Codex; without one the test fails, unless YEMOT_WITHOUT_REAL_CODEX=1."""
    try:
        return locate(os.environ.get("YEMOT_CODEX") or "real")
    except BinaryNotFoundError as error:
        if os.environ.get("YEMOT_WITHOUT_REAL_CODEX") == "1":
            pytest.skip(str(error))
        pytest.fail(f"{error} (or set YEMOT_WITHOUT_REAL_CODEX=1 to go without)")


@pytest.fixture(params=["fake", "real"])
def codex(request: pytest.FixtureRequest) -> Codex:
    """A scripted Codex, first on PATH: the fake, then the real one."""
    codex: Codex = request.getfixturevalue(request.param)
    return codex


@pytest.fixture
def fake() -> Iterator[FakeCodex]:
    with unchecked(FakeCodex()) as fake:
        yield fake


@pytest.fixture
def real(real_binary: Path) -> Iterator[RealCodex]:
    with unchecked(RealCodex(real_binary)) as real:
        yield real


@pytest.fixture
def shell(codex: Codex, tmp_path: Path) -> Shell:
    return Shell(codex, tmp_path)
