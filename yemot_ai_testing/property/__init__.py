"""Property-based testing of calls with Hypothesis: state machines, strategies, engines."""

from __future__ import annotations

from yemot_ai_testing.doubles.steps import Calls
from yemot_ai_testing.property.counterexample import ViolationError
from yemot_ai_testing.property.echo_provider import EchoProvider
from yemot_ai_testing.property.engines.order import Cancellation, Order, Size
from yemot_ai_testing.property.engines.search import FoundOrder, check_orders, find_order
from yemot_ai_testing.property.engines.seeded import seeded_engine
from yemot_ai_testing.property.load_plan import LoadStep, plan_call
from yemot_ai_testing.property.machine import CallMachine
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.property.model_steps import TOOL_STEPS
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
    "TOOL_STEPS",
    "CallMachine",
    "Calls",
    "Cancellation",
    "CodexStream",
    "EchoProvider",
    "FoundOrder",
    "LoadStep",
    "MachineCall",
    "ModelStream",
    "Order",
    "Size",
    "StreamingMachine",
    "ViolationError",
    "call_scripts",
    "callers",
    "check_orders",
    "codex_streams",
    "ext_inis",
    "find_order",
    "model_streams",
    "model_texts",
    "plan_call",
    "requests",
    "response_texts",
    "responses",
    "seeded_engine",
    "values",
]
