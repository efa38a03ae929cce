"""What the server has at one time: its processes, and the open sessions of its store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import psutil

from benchmarks.soak.trend import Trend

WARM_UP = 0.2
"""The part of a run that is left out."""

UNITS = {"memory": "MB", "descriptors": "", "threads": "", "processes": "", "sessions": ""}


@dataclass(frozen=True)
class Sample:
    """What the server has at one time.

    Attributes:
        at: seconds since the start of the callers.
        memory: resident memory of the server and its workers, without Codex, in MB.
        descriptors: their open files, sockets and pipes.
        threads: their threads.
        processes: the server, its workers, and their Codex processes.
        sessions: the open sessions of the store.
    """

    at: float
    memory: float
    descriptors: float
    threads: float
    processes: float
    sessions: float

    @classmethod
    def take(cls, server: psutil.Process, codex: str, at: float, sessions: int) -> Self:
        """Look at the server.

        Args:
            server: its first process.
            codex: the path of the executable of Codex, whose processes are counted only.
            at: seconds since the start of the callers.
            sessions: the open sessions.
        """
        processes = [server, *server.children(recursive=True)]
        own = [process for process in processes if codex not in process.cmdline()]
        return cls(
            at,
            sum(process.memory_info().rss for process in own) / 1e6,
            sum(process.num_fds() for process in own),
            sum(process.num_threads() for process in own),
            len(processes),
            sessions,
        )


def after_warm_up(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples that count."""
    return samples[int(len(samples) * WARM_UP) :]


def series(samples: Sequence[Sample], name: str) -> list[tuple[float, float]]:
    """Return one figure as (seconds, value)."""
    return [(sample.at, getattr(sample, name)) for sample in samples]


def trends(samples: Sequence[Sample]) -> dict[str, Trend]:
    """Return the trend of each figure after the warm-up."""
    kept = after_warm_up(samples)
    return {name: Trend.of(series(kept, name)) for name in UNITS}
