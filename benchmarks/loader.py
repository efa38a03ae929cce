"""Measure how long a long scenario file takes to load, compared with YAML's own parsing of it.

python benchmarks/loader.py [LINES]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from yemot_ai_testing.scenario.format.load import loads

SCENARIO = """\
  - name: שיחה {number}
    turns:
      - hears: {{contains: במה אפשר לעזור, read: {{mode: voice}}}}
      - says: אני רוצה פיצה
        agent: {{answers: "באיזה גודל?", after: 2s}}
        hears: {{contains: [באיזה, גודל], within: [2s, 4s]}}
      - presses: "12#"
        hears:
          equals: "תודה רבה"
    afterwards: {{agent_turns: 1, processes: 0}}
"""


def calls(lines: int) -> str:
    """Return a file of about ``lines`` lines."""
    scenarios = (SCENARIO.format(number=number) for number in range(lines // SCENARIO.count("\n")))
    return "scenarios:\n" + "".join(scenarios)


def best(work: Callable[[], object], times: int = 5) -> float:
    """Return the processor seconds of the fastest of several runs."""
    took = []
    for _ in range(times):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def main(lines: int) -> None:
    text = calls(lines)
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    ours = best(lambda: loads(text, Path("long.call.yaml")))
    plain = best(lambda: yaml.load(text, Loader=parser))  # noqa: S506 - a safe loader
    alone = f"{parser.__name__} alone {plain * 1000:.0f} ms"
    print(f"{len(text.splitlines())} lines: {ours * 1000:.0f} ms; {alone}; × {ours / plain:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
