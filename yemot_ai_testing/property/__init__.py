"""Property testing of calls, with Hypothesis."""

from __future__ import annotations

from yemot_ai_testing.property.echo import Echo
from yemot_ai_testing.property.machine import CallMachine, Talk

__all__ = ["CallMachine", "Echo", "Talk"]
