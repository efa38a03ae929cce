"""Writes ``docs/performance.md`` from the file of results."""

from __future__ import annotations

from typing import Any

ABOUT = (
    "What the library costs beside what you would do without it, and how that grows. This page is written by "
    "`python -m benchmarks.performance --write`; run it on your machine. All figures are of one run "
    "({machine}); the two sides of a comparison run in turn, so that the load of the machine changes the "
    "ratio little. The time of a model is in none of them."
)
WHY_MORE = (
    "A plain handler of `AIFlow` costs more than yemot-flow's because it keeps what yemot-flow loses: each "
    "request is written to the session before it is answered, so a repeated request, a second worker and a "
    "restart continue where the call was. A caller waits seconds for a model; these are fractions of a "
    "millisecond."
)
CHECK = "CI fails if a ratio of a short run is 25 % worse than the one kept here, three times in a row."
UNIT = "Milliseconds of one operation; the fastest of several."


def write(results: dict[str, Any]) -> str:
    """Return the page.

    Args:
        results: the file of results.
    """
    lines = [
        f"# Performance\n\n{ABOUT.format(machine=results['machine'])}\n\n",
        "## Beside what you would do without it\n\n",
        "| measured | beside | ours | theirs | ratio |\n|---|---|---|---|---|\n",
    ]
    lines += [
        f"| {row['what']} | {row['baseline']} | {_time(row['seconds'])} | {_time(row['baseline_seconds'])} "
        f"| × {row['ratio']:.2f} |\n"
        for row in results["full"].values()
    ]
    lines.append(f"\n{WHY_MORE}\n\n{CHECK}\n\n## How it grows\n\n{UNIT}\n")
    for table in results["growth"].values():
        sizes = table["rows"].items()
        lines.append(f"\n| {table['grows']} | {' | '.join(f'{int(size):,}' for size, _ in sizes)} |\n")
        lines.append(f"|---|{'---|' * len(sizes)}\n")
        lines.append(f"| {table['what']} | {' | '.join(f'{took:.3g}' for _, took in sizes)} |\n")
    return "".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
