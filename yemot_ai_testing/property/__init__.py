"""Property testing of calls, with Hypothesis: state machines, and strategies for all that meets there."""

from __future__ import annotations

from yemot_ai_testing.property.echo import Echo
from yemot_ai_testing.property.machine import CallMachine, Talk
from yemot_ai_testing.property.strategies import answers, callers, model_texts, requests, responses, values

__all__ = [
    "CallMachine",
    "Echo",
    "Talk",
    "answers",
    "callers",
    "model_texts",
    "requests",
    "responses",
    "values",
]
