"""The event loop in a daemon thread, its watchdog, and daemon threads for blocking functions."""

from __future__ import annotations

from yemot_ai._runtime.engine import Engine, run_without_waiting

__all__ = ["Engine", "run_without_waiting"]
