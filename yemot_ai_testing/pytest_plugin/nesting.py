"""The pytest runs of this process: ``pytester`` runs one inside of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["begin_run", "end_run", "is_inner_run"]

_runs: list[pytest.Config] = []


def begin_run(config: pytest.Config) -> None:
    """Count a run from its configuration on."""
    _runs.append(config)


def end_run(config: pytest.Config) -> None:
    """Count a run no longer."""
    if config in _runs:
        _runs.remove(config)


def is_inner_run() -> bool:
    """Return whether the newest run is inside of another one."""
    return len(_runs) > 1
