"""What a run of the fake Codex costs, beside a bare start of the same interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from yemot_ai_testing import FakeCodex

RUNS = 30


def seconds(command: list[str], stdin: bytes = b"") -> float:
    began = time.perf_counter()
    subprocess.run(command, input=stdin, capture_output=True, check=True)
    return time.perf_counter() - began


with FakeCodex() as codex:
    pairs = []
    for _ in range(RUNS):
        codex.answers("שלום")
        fake = seconds([str(codex.executable), "exec", "--json", "--skip-git-repo-check", "-"], b"hi")
        pairs.append((fake, seconds([sys.executable, "-IS", "-c", ""])))

print(f"fake codex exec: median {statistics.median(fake for fake, _ in pairs) * 1000:.1f} ms")
print(f"beside a bare interpreter: median x {statistics.median(fake / bare for fake, bare in pairs):.2f}")
