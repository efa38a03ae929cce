"""Measure a run of the fake Codex against a bare start of the same interpreter and against the real one.

The real one is installed by ``yemot-ai-testing codex install``; it uses a scripted model service.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from yemot_ai_testing import FakeCodex
from yemot_ai_testing.codex.binary import BinaryNotFoundError, locate
from yemot_ai_testing.codex.real import RealCodex

RUNS, REAL_RUNS = 30, 10
ARGUMENTS = ("exec", "--json", "--skip-git-repo-check", "-")


def seconds(command: list[str], stdin: bytes = b"") -> float:
    start = time.perf_counter()
    subprocess.run(command, input=stdin, capture_output=True, check=True)
    return time.perf_counter() - start


with FakeCodex() as codex:
    pairs = []
    for _ in range(RUNS):
        codex.answers("שלום")
        fake = seconds([str(codex.executable), *ARGUMENTS], b"hi")
        pairs.append((fake, seconds([sys.executable, "-IS", "-c", ""])))

print(f"fake codex exec: median {statistics.median(fake for fake, _ in pairs) * 1000:.1f} ms")
print(f"against a bare interpreter: median x {statistics.median(fake / bare for fake, bare in pairs):.2f}")

try:
    binary = locate("real")
except BinaryNotFoundError as error:
    print(f"against the real one: {error}")
else:
    with FakeCodex() as codex, RealCodex(binary) as real_codex:
        ratios = []
        for _ in range(REAL_RUNS):
            codex.answers("שלום")
            fake = seconds([str(codex.executable), *ARGUMENTS], b"hi")
            real_codex.answers("שלום")
            ratios.append(fake / seconds([str(real_codex.executable), *ARGUMENTS], b"hi"))
    print(f"against the real one: median x {statistics.median(ratios):.3f}; bound 0.1")
