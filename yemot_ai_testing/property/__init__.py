"""Property testing of calls, with Hypothesis: state machines, and strategies for all that meets there."""

from __future__ import annotations

from yemot_ai_testing.property.echo import Echo
from yemot_ai_testing.property.found import ViolationError
from yemot_ai_testing.property.machine import CallMachine
from yemot_ai_testing.property.seeded import seeded_engine
from yemot_ai_testing.property.strategies import (
    answers,
    call_scripts,
    callers,
    codex_streams,
    ext_inis,
    model_streams,
    model_texts,
    requests,
    responses,
    values,
)
from yemot_ai_testing.property.streaming import StreamingMachine
from yemot_ai_testing.property.talk import Talk

__all__ = [
    "CallMachine",
    "Echo",
    "StreamingMachine",
    "Talk",
    "ViolationError",
    "answers",
    "call_scripts",
    "callers",
    "codex_streams",
    "ext_inis",
    "model_streams",
    "model_texts",
    "requests",
    "responses",
    "seeded_engine",
    "values",
]
