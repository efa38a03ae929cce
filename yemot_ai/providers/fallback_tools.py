"""Calls of tools in a turn that can move from one provider to another.

The state of a round is ``{"entry": …, "name": …, "state": …}``: index and name of the provider that has made
the calls, and that provider's own state, which no other one gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from yemot_ai.providers.provider import JSON, ToolCalls, ToolRequest

__all__ = ["last_caller", "owned_calls", "tools_for", "without_states"]


def owned_calls(calls: ToolCalls, index: int, name: str) -> ToolCalls:
    """Return calls with the provider that has made them."""
    return replace(calls, state={"entry": index, "name": name, "state": calls.state})


def last_caller(tools: ToolRequest | None) -> int | None:
    """Return the index of the provider that has made the last calls of a turn; None if that is not known."""
    state = tools.rounds[-1].state if tools is not None and tools.rounds else None
    entry = state.get("entry") if isinstance(state, Mapping) else None
    return entry if isinstance(entry, int) else None


def tools_for(tools: ToolRequest, index: int, name: str) -> ToolRequest:
    """Return the tools of a turn as one provider gets them: with its own states, and no others."""
    rounds = (replace(one, state=_own_state(one.state, index, name)) for one in tools.rounds)
    return replace(tools, rounds=tuple(rounds))


def without_states(tools: ToolRequest) -> ToolRequest:
    """Return the tools of a turn for a new thread, which does not know what another one has called."""
    return replace(tools, rounds=tuple(replace(one, state=None) for one in tools.rounds))


def _own_state(state: JSON, index: int, name: str) -> JSON:
    match state:
        case {"entry": entry, "name": owner, "state": own} if (entry, owner) == (index, name):
            return own
    return None
