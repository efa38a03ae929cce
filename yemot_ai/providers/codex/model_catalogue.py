"""What a binary knows of its models, without the tools that they bring along.

Features are not the whole switchboard: a model that Codex knows has tools of its own in the catalogue
that is built into the binary, whatever is disabled. Measured (0.142, 0.163, 0.169), with every feature off:
``gpt-5.5`` is offered ``apply_patch``; ``gpt-6-sol`` an interpreter that can call it, six tools for
sub-agents and a clock, in 23.7 kB a turn. ``apply_patch`` reads the file that it would change, also where
it may not write. With a catalogue in which these are taken out, no model is offered any tool, and a turn
carries 1.9 kB. (0.142 still runs ``view_image``, which shows pictures, for models that are not in it.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["without_tools"]

_REMOVED_KEYS: Final = frozenset(
    {
        "apply_patch_tool_type",
        "model_messages",
        "multi_agent_reasoning_effort",
        "multi_agent_version",
        "tool_mode",
    }
)
"""Tools, and the texts that speak of them: a key that is missing is a tool that is not offered."""

_OVERRIDES: Final[Mapping[str, Any]] = {
    "base_instructions": "",
    "experimental_supported_tools": [],
    # What cannot see is not shown: Codex 0.142 offers view_image regardless, but refuses to run it.
    "input_modalities": ["text"],
    "supports_search_tool": False,
}


def without_tools(catalogue: bytes) -> str:
    """The catalogue for ``-c model_catalog_json``.

    Args:
        catalogue: what ``codex debug models --bundled`` wrote.

    Returns:
        The same models as JSON, without tools; empty if that was no catalogue.
    """
    try:
        found = json.loads(catalogue)
    except ValueError:
        return ""
    match found:
        case {"models": [dict(), *_] as models}:
            return json.dumps({**found, "models": [_strip_tools(model) for model in models]})
    return ""


def _strip_tools(model: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in model.items() if name not in _REMOVED_KEYS}
    return {**kept, **_OVERRIDES}
