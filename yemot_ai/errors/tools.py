"""The errors of tools: functions of the developer that a model may call."""

from __future__ import annotations

from yemot_ai.errors.base import YemotAIError
from yemot_ai.errors.provider import ProviderError

__all__ = ["ToolError", "ToolFailedError", "ToolNotConfirmedError", "ToolUnknownError"]


class ToolError(YemotAIError):
    """Raise it in a tool to tell the model why it has not done what was asked.

    The message goes to the model, which says it to the caller in its own words::

        raise ToolError("there is no order 17")
    """


class ToolFailedError(ProviderError):
    """A call of a tool had no result: wrong arguments, no such tool, or the function raised.

    Attributes:
        tool: the tool.
    """

    kind = "tool_failed"

    def __init__(self, message: str, *, tool: str) -> None:
        self.tool = tool
        super().__init__(message)


class ToolUnknownError(ToolFailedError):
    """It is not known whether a tool has done what was asked: its process ended, or it took too long."""

    kind = "tool_unknown"


class ToolNotConfirmedError(ToolFailedError):
    """A tool waits for the caller's consent and has not run.

    Attributes:
        question: what the caller is asked.
    """

    kind = "tool_not_confirmed"

    def __init__(self, *, question: str, tool: str) -> None:
        self.question = question
        super().__init__("the caller is asked for consent first", tool=tool)
