"""Tools: functions of the developer that a model may call, each call at most once."""

from __future__ import annotations

from yemot_ai.tools.context import ToolContext
from yemot_ai.tools.declaration import Tool, tool
from yemot_ai.tools.toolbox import Toolbox, make_toolbox

__all__ = ["Tool", "ToolContext", "Toolbox", "make_toolbox", "tool"]
