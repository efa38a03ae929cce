"""Import the flow that a command names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow import AIFlow
from yemot_ai.importer import import_from_string

__all__ = ["REFERENCE_FLOW", "load_flow"]

REFERENCE_FLOW: Final = "yemot_ai.reference:flow"


def load_flow(name: str) -> AIFlow:
    """Import the flow that ``module:attribute`` names; ``flow`` is the default attribute.

    Raises:
        ConfigurationError: if there is no such attribute, or it is not an AIFlow.
    """
    target = name if ":" in name else f"{name}:flow"
    flow = import_from_string(target, [str(Path.cwd())])
    if not isinstance(flow, AIFlow):
        raise ConfigurationError(f"{target} is no AIFlow: {flow!r}")
    return flow
