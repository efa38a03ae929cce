"""Measure how the cost of the protocol grows from 100 kB to 1 MB, for texts that may cause quadratic work."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Request, Response, lint, speakable
from yemot_ai.protocol.explain import explain

SMALL = 100_000
FACTOR = 10
ROUNDS = 3
BLUR = 0.0005
"""Processor seconds below which a measurement is noise."""

SHAPES: dict[str, Callable[[int], str]] = {
    "one long text": lambda size: "id_list_message=t-" + "א" * size,
    "words": lambda size: "id_list_message=t-" + "שלום עולם " * (size // 10),
    "colons": lambda size: "id_list_message=t-" + "1:" * (size // 2),
    "ampersands": lambda size: "&" * size,
    "dots": lambda size: "id_list_message=f-1" + "." * size,
    "messages": lambda size: "id_list_message=" + "t-a." * (size // 4) + "t-a",
    "actions": lambda size: "noop=a&" * (size // 7),
    "commas": lambda size: "read=t-a=x" + "," * size,
    "equals": lambda size: "read=" + "=" * size,
    "parents": lambda size: "go_to_folder=" + "../" * (size // 3) + ".",
    "folders": lambda size: "go_to_folder=" + "/1" * (size // 2) + "/.",
    "keys": lambda size: "read=t-a=x,,,,,,,,," + "1." * (size // 2) + "a",
    "percent": lambda size: "a=%D7%" * (size // 6),
    "second ?": lambda size: "a=?Api" * (size // 6),
    "hyphens": lambda size: "1-" * (size // 2),
    "address": lambda size: "a.b@" * (size // 4),
    "emphasis": lambda size: "**[a](" * (size // 6),
    "serial numbers": lambda size: "A1-b2-" * (size // 6),
    "network addresses": lambda size: "a:b:" * (size // 4),
    "formulas": lambda size: "(1-" * (size // 3) + "=",
    "ranges": lambda size: "9am-" * (size // 4),
    "groups": lambda size: "1 234 " * (size // 6),
    "quotes": lambda size: "\"'" * (size // 2),
}


def _parse(text: str) -> None:
    try:
        Response.parse(text)
    except ResponseSyntaxError:
        return


JOBS: dict[str, Callable[[str], object]] = {
    "parse": _parse,
    "lint": lint,
    "explain": explain,
    "speakable": speakable,
    "Request.parse": Request.parse,
}


def seconds(job: Callable[[str], object], text: str) -> float:
    started_at = time.process_time()
    job(text)
    return time.process_time() - started_at


def growth(job: Callable[[str], object], shape: Callable[[int], str], small: int, rounds: int) -> float:
    """Return the ratio of the costs of ten times the text: the fastest run of each, the least disturbed one.

    A time below ``BLUR`` counts as ``BLUR``. Garbage is not collected during the runs: a
    collection visits the whole heap of the process.
    """
    short, long = shape(small), shape(small * FACTOR)
    with without_collection():
        early = min(seconds(job, short) for _ in range(rounds))
        late = min(seconds(job, long) for _ in range(rounds))
    return late / max(early, BLUR)


@contextmanager
def without_collection() -> Iterator[None]:
    """Collect garbage now, and not again before the end; inside such a context, change nothing."""
    if not gc.isenabled():
        yield
        return
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if __name__ == "__main__":
    print(f"{'':<16}" + "".join(f"{name:>15}" for name in JOBS))
    for title, shape in SHAPES.items():
        ratios = [growth(job, shape, SMALL, ROUNDS) for job in JOBS.values()]
        print(f"{title:<16}" + "".join(f"{ratio:>14.1f}x" for ratio in ratios))
