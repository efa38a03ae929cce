"""A call in a process whose disk is full for one request; prints the answers, one a line.

Run as ``python -m tests.workers.full_disk json:FOLDER``: the limit of the file size simulates a full disk.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.workers.worker_group import start_workers
from yemot_ai.sessions import open_store


@contextmanager
def full_disk() -> Iterator[None]:
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))


def main(place: str) -> None:
    group = start_workers(lambda: open_store(place), count=1)
    line = group.line()
    answers = [line.enter()]
    with full_disk():
        answers += [line.gives("שלום"), line.polls()]
    answers += [line.polls(), str(dict(group.model.counts))]
    group.close()
    sys.stdout.write("\n".join(answers))


if __name__ == "__main__":
    main(sys.argv[1])
