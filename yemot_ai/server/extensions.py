"""Which extensions a flow has, and which function of the developer's code answers each."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.source_place import function_name, function_place
from yemot_ai.flow import AIFlow

__all__ = ["Extension", "list_extensions", "log_extensions"]

log = logging.getLogger("yemot_ai")


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension of a flow.

    Attributes:
        path: as the line writes it: ``/1/2``; ``/`` is the root.
        kind: ``agent`` or ``handler``.
        provider: the name of the agent's provider; "" for a handler.
        function: the qualified name of the function that answers.
        place: its ``file:line``; "" if it has none.
        tools: the names of the tools that the agent's model may call.
    """

    path: str
    kind: str
    provider: str
    function: str
    place: str
    tools: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """The function that answers, its provider and its tools."""
        tools = f"tools {' '.join(self.tools)}" if self.tools else ""
        asked = ", ".join(filter(None, (self.provider, tools)))
        return f"{self.kind} {self.function}{f' ({asked})' if asked else ''}"

    def __str__(self) -> str:
        return f"{self.path}: {self.who}{f', {self.place}' if self.place else ''}"


def list_extensions(flow: AIFlow) -> list[Extension]:
    """Return the extensions of ``flow``, in order of their paths."""
    handlers = [
        Extension(f"/{name}", "handler", "", function_name(function), function_place(function))
        for name, function in flow.routes.items()
    ]
    agents = [
        Extension(
            f"/{name}",
            "agent",
            agent.conversation.provider.name,
            function_name(agent.function),
            function_place(agent.function),
            tuple(agent.conversation.tools.toolbox.tools) if agent.conversation.tools else (),
        )
        for name, agent in flow.agents.items()
    ]
    return sorted([*handlers, *agents], key=lambda extension: extension.path)


def log_extensions(flow: AIFlow, name: str) -> None:
    """Log the extensions of a flow.

    Args:
        flow: the flow.
        name: what names it, for the error.

    Raises:
        ConfigurationError: it has none, so that every caller would hear that the extension does not exist.
    """
    extensions = list_extensions(flow)
    if not extensions:
        raise ConfigurationError(
            f"{name} answers no extension: register a function with @{name.rpartition(':')[2] or 'flow'}"
            '.ai_agent("") or .get(""), in this module or in one that it imports'
        )
    for extension in extensions:
        log.info("extension %s", extension)
