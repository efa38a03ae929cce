"""What a tool learns of the call: the argument ``call``."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field

from yemot_ai.providers.values import JSON

__all__ = ["ToolContext"]


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The call that a tool runs for: its first parameter, if that is named ``call``.

    Attributes:
        call_id: what identifies the call.
        phone: the caller's number; "" when it is withheld.
        turn_id: the turn in which the model has called the tool.
        tool_call_id: the id that the model's service has given this call of the tool.
        key: identifies this one run in all workers and at every repetition: give it to a service that knows
            idempotency keys, and a tool with ``retry=True`` has its effect once, too.
        state: ``call.state``; what a tool changes is saved together with its result.
    """

    call_id: str
    phone: str
    turn_id: str
    tool_call_id: str
    key: str
    state: MutableMapping[str, JSON] = field(compare=False)
