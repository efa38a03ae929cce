"""The tools of one conversation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.values import ToolSpec
from yemot_ai.tools.declaration import Tool, as_tool

__all__ = ["Toolbox", "make_toolbox"]


@dataclass(frozen=True, eq=False)
class Toolbox:
    """The tools of one conversation.

    Attributes:
        tools: by name; a test may replace one.
        max_calls: how many calls a model may make in one turn; then it has to answer.
    """

    tools: dict[str, Tool]
    max_calls: int

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model gets to know."""
        return tuple(each.spec for each in self.tools.values())

    def find(self, name: str) -> Tool | None:
        """Return the tool of a name; a model may name one that does not exist."""
        return self.tools.get(name)


def make_toolbox(tools: Iterable[object], *, max_calls: int) -> Toolbox:
    """Return the toolbox of functions and tools.

    Raises:
        ConfigurationError: one is no tool, or two have the same name.
        MissingExtraError: pydantic is not installed.
    """
    made: dict[str, Tool] = {}
    for each in map(as_tool, tools):
        if each.name in made:
            raise ConfigurationError(
                f"two tools have the name {each.name!r}: write @tool(name='…') above one"
            )
        made[each.name] = each
    return Toolbox(made, max_calls)
