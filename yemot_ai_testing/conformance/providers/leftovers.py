"""What a turn can leave behind: tasks, threads, child processes, open files and connections."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from yemot_ai_testing.processes.running import descendants

__all__ = ["Leftovers"]


@dataclass(frozen=True, slots=True)
class Leftovers:
    """How much of each kind there is now; call ``count`` on the loop of the provider."""

    tasks: int
    threads: int
    processes: int
    handles: int

    @classmethod
    def count(cls) -> Self:
        """Count the running tasks, threads and child processes, and the open files and connections."""
        gc.collect()  # a closed connection in a reference cycle is no leak
        return cls(
            tasks=len(asyncio.all_tasks()),
            threads=threading.active_count(),
            processes=len(descendants()),
            handles=sum(1 for _ in Path("/dev/fd").iterdir()),
        )

    def more_than(self, before: Leftovers, *, questions: int) -> Iterator[str]:
        """Yield each kind of which there is more than ``before``, with the surplus.

        The loop keeps some threads for later work (``asyncio.to_thread``), so there are too many of them only
        if there is one for each question.
        """
        for kind in fields(self):
            surplus = getattr(self, kind.name) - getattr(before, kind.name)
            if surplus > (questions - 1 if kind.name == "threads" else 0):
                yield f"{surplus} {kind.name}"
