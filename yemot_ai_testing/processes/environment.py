"""Set environment variables of this process for a while."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["set_variables"]


def set_variables(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Set environment variables, or remove those that are None; return what was set before.

    >>> before = set_variables({"YEMOT_AI_HOME": "/nowhere"})
    >>> _ = set_variables(before)
    """
    before = {name: os.environ.get(name) for name in variables}
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return before
