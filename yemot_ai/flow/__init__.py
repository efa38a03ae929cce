"""Agents on the line: ``AIFlow`` and ``AICall`` over yemot-flow."""

from __future__ import annotations

from yemot_ai.flow.agent_turn import Agent
from yemot_ai.flow.answer import Answer
from yemot_ai.flow.call import AICall
from yemot_ai.flow.flow import AIFlow
from yemot_ai.flow.guard import Guard
from yemot_ai.flow.listening import ByRecording
from yemot_ai.flow.manners import Key, Manners

__all__ = ["AICall", "AIFlow", "Agent", "Answer", "ByRecording", "Guard", "Key", "Manners"]
