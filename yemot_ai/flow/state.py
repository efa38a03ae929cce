"""``call.state``: what a developer keeps with the call."""

from __future__ import annotations

import json
from collections.abc import Mapping

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.provider import JSON

__all__ = ["check_saveable"]


def check_saveable(state: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Check that ``call.state`` can be saved.

    Raises:
        ConfigurationError: it holds something that JSON does not have.
    """
    if not state:
        return {}
    try:
        kept: Mapping[str, JSON] = json.loads(json.dumps(state))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"call.state cannot be saved: {error}; keep text, numbers and lists in it"
        ) from error
    return kept
