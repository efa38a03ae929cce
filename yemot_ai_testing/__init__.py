"""Prove a phone agent without a phone, a key or a network.

>>> from yemot_ai_testing import Caller, ScriptedProvider
>>> from yemot_ai import AIFlow, YemotAI
>>> flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("בשמונה")))
>>> @flow.ai_agent("", greeting="שלום")
... def agent(call, text): ...
>>> caller = Caller(flow)
>>> caller.dial()
'שלום'
>>> caller.says("מתי פותחים?")
'בשמונה'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.doubles.anthropic import AnthropicMock
    from yemot_ai_testing.doubles.model_service.server import ModelServer
    from yemot_ai_testing.doubles.openai import OpenAIMock
    from yemot_ai_testing.doubles.platform_server import PlatformServer
    from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.line.platform.tree import Line
    from yemot_ai_testing.pytest_plugin.checked import anthropic_mock, fake_codex, model_server, openai_mock
    from yemot_ai_testing.pytest_plugin.snapshots import yemot_snapshot

__all__ = [
    "AnthropicMock",
    "Caller",
    "FakeCodex",
    "Line",
    "ModelServer",
    "OpenAIMock",
    "PlatformServer",
    "ScriptedProvider",
    "anthropic_mock",
    "fake_codex",
    "model_server",
    "openai_mock",
    "yemot_snapshot",
]

_MODULES = {
    "AnthropicMock": "yemot_ai_testing.doubles.anthropic",
    "Caller": "yemot_ai_testing.line.caller",
    "FakeCodex": "yemot_ai_testing.codex.fake.double",
    "Line": "yemot_ai_testing.line.platform.tree",
    "ModelServer": "yemot_ai_testing.doubles.model_service.server",
    "OpenAIMock": "yemot_ai_testing.doubles.openai",
    "PlatformServer": "yemot_ai_testing.doubles.platform_server",
    "ScriptedProvider": "yemot_ai_testing.doubles.scripted_provider",
    **dict.fromkeys(
        ("anthropic_mock", "fake_codex", "model_server", "openai_mock"),
        "yemot_ai_testing.pytest_plugin.checked",
    ),
    "yemot_snapshot": "yemot_ai_testing.pytest_plugin.snapshots",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the pytest plugin must cost nobody anything."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
