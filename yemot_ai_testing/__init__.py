"""Test a phone agent without a phone, a key or a network.

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
    from yemot_ai_testing import contract
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.codex.real import RealCodex
    from yemot_ai_testing.doubles.model_service.server import ModelServer
    from yemot_ai_testing.doubles.platform_server import PlatformServer
    from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
    from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock, OpenAIMock
    from yemot_ai_testing.history import History, check
    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.line.platform.tree import Line
    from yemot_ai_testing.property import CallMachine
    from yemot_ai_testing.pytest_plugin.snapshots import yemot_snapshot
    from yemot_ai_testing.response_diff import compare

__all__ = [
    "AnthropicMock",
    "CallMachine",
    "Caller",
    "FakeCodex",
    "History",
    "Line",
    "ModelServer",
    "OpenAIMock",
    "PlatformServer",
    "RealCodex",
    "ScriptedProvider",
    "check",
    "compare",
    "contract",
    "yemot_snapshot",
]

_MODULES = {
    "AnthropicMock": "doubles.sdk_mocks",
    "CallMachine": "property",
    "Caller": "line.caller",
    "FakeCodex": "codex.fake.double",
    "History": "history",
    "Line": "line.platform.tree",
    "ModelServer": "doubles.model_service.server",
    "OpenAIMock": "doubles.sdk_mocks",
    "PlatformServer": "doubles.platform_server",
    "RealCodex": "codex.real",
    "ScriptedProvider": "doubles.scripted_provider",
    "check": "history",
    "compare": "response_diff",
    "yemot_snapshot": "pytest_plugin.snapshots",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that the pytest plugin is cheap to load."""
    if name == "contract":
        return importlib.import_module(f"{__name__}.contract")
    if name not in _MODULES:
        raise importlib.import_module("yemot_ai.errors.missing_names").missing_name(__name__, name)
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
