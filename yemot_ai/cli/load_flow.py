"""Import the flow that a command names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.failure_place import describe_failure, failure_place
from yemot_ai.flow import AIFlow
from yemot_ai.importer import ImportTargetError, import_from_string

__all__ = ["REFERENCE_FLOW", "load_flow"]

REFERENCE_FLOW: Final = "yemot_ai.reference:flow"


def load_flow(name: str) -> AIFlow:
    """Import the flow that ``module:attribute`` names; ``flow`` is the default attribute.

    Raises:
        ConfigurationError: if there is no such attribute, it is not an AIFlow, or its module cannot be
            imported: the message begins with file and line of the developer's code.
    """
    target = name if ":" in name else f"{name}:flow"
    try:
        flow = import_from_string(target, [str(Path.cwd())])
    except ImportTargetError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigurationError(describe_failure(error), place=failure_place(error)) from error
    if not isinstance(flow, AIFlow):
        raise ConfigurationError(f"{target} is no AIFlow: {flow!r}")
    return flow
