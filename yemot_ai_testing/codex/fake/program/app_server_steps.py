"""Take the steps of the script for the fake app-server.

Run inside the fake executable.
"""

from __future__ import annotations

import marshal
import os
from typing import Any

from yemot_ai_testing.codex.fake.program.threads import read_bytes

__all__ = ["claim_model_step", "claim_server_step"]


def claim_server_step(state: str, *kinds: str) -> tuple[str, dict[str, Any]] | None:
    """Take the next step if it is of one of these kinds; without kinds, take any."""
    while names := os.listdir(f"{state}/steps"):  # noqa: PTH208 - pathlib is too slow to import here
        name = min(names)
        kind = name.partition("-")[2]
        if kinds and kind not in kinds:
            return None
        try:
            os.rename(f"{state}/steps/{name}", f"{state}/taken/{name}")  # noqa: PTH104 - as above
        except FileNotFoundError:  # another process took it, and a new one may be there since
            continue
        step: dict[str, Any] = marshal.loads(read_bytes(f"{state}/server_steps/{name}"))  # noqa: S302 - our own file
        return kind, {**step, "name": name}
    return None


def claim_model_step(state: str) -> dict[str, Any]:
    """Take the next step of the model, with the streams that break off before it.

    Without a step in the script, and with one that only a model service has, the result has the key
    ``unscripted``.
    """
    broken = []
    while claimed := claim_server_step(state, "reconnect"):
        broken.append(claimed[1]["pieces"])
    claimed = claim_server_step(state)
    step = claimed[1] if claimed else {"pieces": [], "case": "unscripted", "unscripted": True}
    if claimed and claimed[0] == "service":
        step["unscripted"] = True
    return {**step, "broken": broken}
