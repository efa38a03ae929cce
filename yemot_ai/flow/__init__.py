"""Agents on the line: ``AIFlow`` and ``AICall`` over yemot-flow."""

from __future__ import annotations

from yemot_ai.flow.access import Guard
from yemot_ai.flow.agent.input_modes import ByRecording
from yemot_ai.flow.agent.turns import Agent
from yemot_ai.flow.call import AICall
from yemot_ai.flow.compat.awaitable import Answer
from yemot_ai.flow.dialog import Key, Manners
from yemot_ai.flow.flow import AIFlow

__all__ = ["AICall", "AIFlow", "Agent", "Answer", "ByRecording", "Guard", "Key", "Manners"]
