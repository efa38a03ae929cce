"""A progress bar on standard error, if that is a terminal and Rich is installed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

__all__ = ["OnProgress", "no_progress", "progress_bar"]

OnProgress: TypeAlias = Callable[[str, float], object]
"""Called with the name of what runs, and with its share that is done, from 0 to 1."""


def no_progress(_name: str, _share: float) -> None:
    """Show nothing."""


@contextlib.contextmanager
def progress_bar() -> Iterator[OnProgress]:
    """Return what shows the progress; a context manager."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - it may not be installed
        from rich.progress import Progress  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        yield no_progress
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("hunt", total=1.0)
        yield lambda name, share: progress.update(task, description=name, completed=share)
