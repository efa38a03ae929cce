"""Property-based testing of calls with Hypothesis: state machines, strategies, engines."""

from __future__ import annotations

from yemot_ai_testing.property.counterexample import ViolationError
from yemot_ai_testing.property.echo_provider import EchoProvider
from yemot_ai_testing.property.engines.seeded import seeded_engine
from yemot_ai_testing.property.load_plan import LoadStep, plan_call
from yemot_ai_testing.property.machine import CallMachine
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.property.strategies import (
    CodexStream,
    ModelStream,
    call_scripts,
    callers,
    codex_streams,
    ext_inis,
    model_streams,
    model_texts,
    requests,
    response_texts,
    responses,
    values,
)
from yemot_ai_testing.property.streaming_machine import StreamingMachine

__all__ = [
    "CallMachine",
    "CodexStream",
    "EchoProvider",
    "LoadStep",
    "MachineCall",
    "ModelStream",
    "StreamingMachine",
    "ViolationError",
    "call_scripts",
    "callers",
    "codex_streams",
    "ext_inis",
    "model_streams",
    "model_texts",
    "plan_call",
    "requests",
    "response_texts",
    "responses",
    "seeded_engine",
    "values",
]
