"""Agents on the line: ``AIFlow`` and its calls, over yemot-flow."""

from __future__ import annotations

from yemot_ai.flow.access import AccessPolicy
from yemot_ai.flow.agent.input_modes import RecordingInput
from yemot_ai.flow.agent.turns import Agent, AsyncAgent
from yemot_ai.flow.call import AICall, AsyncAICall
from yemot_ai.flow.dialog import DialogSettings, KeyAction
from yemot_ai.flow.flow import AIFlow
from yemot_ai.flow.speech.hebrew_words import HebrewWords

__all__ = [
    "AICall",
    "AIFlow",
    "AccessPolicy",
    "Agent",
    "AsyncAICall",
    "AsyncAgent",
    "DialogSettings",
    "HebrewWords",
    "KeyAction",
    "RecordingInput",
]
