"""The process that keeps the calls of ``--step`` between two commands."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.phone.options import open_target, parse_options
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.stepwise.step import StepError, StepState, log_of
from yemot_ai_testing.phone.web.serving import serve_phone

__all__ = ["main"]

IDLE_SECONDS: Final = 30 * 60
"""Seconds without a command after which the process ends."""

GRACE_SECONDS: Final = 60
"""Seconds for which an ended call can still be saved and looked at."""


def main(argv: Sequence[str]) -> int:
    """Keep calls: ``STATE TARGET OPTIONS``."""
    state, options = Path(argv[0]), parse_options(argv[1:])
    try:
        with open_target(options) as target:
            phone = Phone(target, Path(options.folder))
            serve_phone(
                phone,
                on_started=lambda url: StepState(url, os.getpid()).write(state),
                is_over=Watch(phone, state).is_over,
            )
    except ToolkitError as error:
        sys.stderr.write(f"yemot-ai: {error}\n")
        return 2
    finally:
        _clean_up(state)
    return 0


def _clean_up(state: Path) -> None:
    """Delete the state file and an empty log, unless they are those of a later process."""
    with contextlib.suppress(StepError):  # there is none, or it is damaged
        if StepState.read(state).pid == os.getpid():
            state.unlink(missing_ok=True)
    log = log_of(state)
    with contextlib.suppress(FileNotFoundError):
        found = log.stat()
        if not found.st_size and os.path.samestat(found, os.fstat(sys.stderr.fileno())):
            log.unlink()


class Watch:
    """Decides when the process ends."""

    def __init__(self, phone: Phone, state: Path) -> None:
        self._phone = phone
        self._state = state
        self._performed = -1
        self._since = time.monotonic()

    def is_over(self) -> bool:
        """Whether all calls are over, or nothing was done for a long time, or the state file is gone."""
        calls = self._phone.calls.values()
        performed = sum(len(call.performed) + call.busy for call in calls)
        if performed != self._performed:
            self._performed, self._since = performed, time.monotonic()
        idle = time.monotonic() - self._since
        ended = bool(calls) and all(call.caller.ended for call in calls)
        return not self._state.exists() or idle > (GRACE_SECONDS if ended else IDLE_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
