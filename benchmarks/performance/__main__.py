"""Measure, keep or compare the figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.performance.comparisons import COMPARISONS
from benchmarks.performance.document import write
from benchmarks.performance.growth import measure
from benchmarks.performance.rounds import Ratio
from yemot_ai_testing.codex.binary import BinaryNotFoundError

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parent.parent.parent / "docs/performance.md"
SHORT_ROUNDS, FULL_ROUNDS = 9, 41
SHORT = ("codex-exec", "openai")
"""The ratios that differ little from machine to machine: those to yemot-flow and to Node vary by half."""

WORSE = 1.25
ATTEMPTS = 3


def compare(names: list[str] | tuple[str, ...], rounds: int) -> dict[str, Ratio]:
    """Measure comparisons, and print them."""
    found = {}
    for name in names:
        found[name] = COMPARISONS[name](rounds)
        print(f"{name}: x {found[name].ratio:.2f}  ({found[name].what}; {found[name].baseline})", flush=True)
    return found


def keep() -> None:
    """Measure everything, keep it, and write the page."""
    results: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}",
        "full": {name: asdict(found) for name, found in compare(list(COMPARISONS), FULL_ROUNDS).items()},
        "short": {name: found.ratio for name, found in compare(SHORT, SHORT_ROUNDS).items()},
        "growth": {table.name: asdict(table) for table in measure(short=False)},
    }
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(write(results), encoding="utf-8")


def check() -> int:
    """Compare the ratios of a short run with those that were kept; return the number that are worse."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))["short"]
    worse = [name for name in SHORT if not _holds(name, kept[name] * WORSE)]
    for name in worse:
        print(f"{name}: more than {WORSE} times the ratio that was kept, {kept[name]:.2f}")
    return len(worse)


def _holds(name: str, bound: float) -> bool:
    """Return whether a ratio is within its bound in one of several attempts: a machine may be busy."""
    return any(compare([name], SHORT_ROUNDS)[name].ratio <= bound for _ in range(ATTEMPTS))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"keep the figures, and write {PAGE.name}")
    parser.add_argument(
        "--check", action="store_true", help="fail if a ratio is 25 %% worse than the kept one"
    )
    parser.add_argument("--page", action="store_true", help="write the page from the kept figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PERFORMANCE_FOLDER"] = folder
        if arguments.page:
            PAGE.write_text(write(json.loads(RESULTS.read_text(encoding="utf-8"))), encoding="utf-8")
        elif arguments.check:
            return check()
        elif arguments.write:
            keep()
        else:
            compare(SHORT, SHORT_ROUNDS)
            for table in measure(short=True):
                print(f"{table.what}: {table.rows}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BinaryNotFoundError as error:
        sys.exit(f"the comparison with the real Codex: {error}")
