"""What a machine draws, by its own attributes: callers, delays, failures, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from yemot_ai_testing.doubles.steps import Answer, Crash, Drop, Failure, Step
from yemot_ai_testing.property.engines.order_strategy import orders
from yemot_ai_testing.property.evening import evenings

__all__ = [
    "DELAY_CHOICES",
    "EVENING_CHOICES",
    "FAILURE_CHOICES",
    "KEY_CHOICES",
    "ORDER_CHOICES",
    "PAUSE_CHOICES",
    "PHONE_CHOICES",
    "SHORT_DELAYS",
    "STEP_CHOICES",
    "TOOL_CHOICES",
    "failing_steps",
]

MAX_TOGETHER: Final = 4
"""The most seconds of an answer to one of four callers at once: too long for one who waits for the others."""


def slowest_answer(steps: Sequence[Step | None]) -> int:
    """Return the most seconds that the model may take for an answer."""
    return int(max((step.after for step in steps if isinstance(step, Answer)), default=0))


def failing_steps(steps: Sequence[Step | None]) -> Sequence[Step | None]:
    """Return the steps in which the model fails; None if there are none."""
    return tuple(step for step in steps if isinstance(step, Failure | Drop | Crash)) or (None,)


PHONE_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(machine.phone_numbers))
ORDER_CHOICES = st.runner().flatmap(lambda machine: orders() if machine.orders_tasks else st.none())
EVENING_CHOICES = st.runner().flatmap(lambda machine: evenings(machine.methods))
TOOL_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(machine.tool_steps or ((),)))
STEP_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(machine.model_steps))
FAILURE_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(failing_steps(machine.model_steps)))
SHORT_DELAYS = st.runner().flatmap(
    lambda machine: st.integers(0, min(slowest_answer(machine.model_steps), MAX_TOGETHER))
)
PAUSE_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from([10.0, 31.0, machine.max_pause]))
KEY_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(machine.menu_keys))
DELAY_CHOICES = st.runner().flatmap(lambda machine: st.integers(0, slowest_answer(machine.model_steps)))
