"""Remove the tools from Codex's catalogue of models.

Switching features off is not enough: in the catalogue that is built into the binary a known model has
tools that do not depend on features. Measured (0.142, 0.163, 0.169), with every feature off: ``gpt-5.5`` is
offered ``apply_patch``; ``gpt-6-sol`` an interpreter that can call it, six tools for sub-agents and a
clock, in 23.7 kB a turn. ``apply_patch`` reads the file that it would change, even without permission to
write. With a catalogue without these, no model is offered a tool, and a turn has 1.9 kB. (0.142 still runs
``view_image``, which shows pictures, for models that are not in the catalogue.)
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
"""Tools, and texts about them: a tool whose key is missing is not offered."""

_OVERRIDES: Final[Mapping[str, Any]] = {
    "base_instructions": "",
    "experimental_supported_tools": [],
    # Text only: Codex 0.142 still offers view_image, but refuses to run it.
    "input_modalities": ["text"],
    "supports_search_tool": False,
    # Without a tool, Codex would send the instructions in two developer messages (0.169, 0.171).
    "use_responses_lite": False,
}


def without_tools(catalogue: bytes) -> str:
    """Return the catalogue for ``-c model_catalog_json``.

    Args:
        catalogue: the output of ``codex debug models --bundled``.

    Returns:
        The same models as JSON, without tools; empty if ``catalogue`` is not a catalogue.
    """
    try:
        parsed = json.loads(catalogue)
    except ValueError:
        return ""
    match parsed:
        case {"models": [dict(), *_] as models}:
            return json.dumps({**parsed, "models": [_strip_tools(model) for model in models]})
    return ""


def _strip_tools(model: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in model.items() if name not in _REMOVED_KEYS}
    return {**kept, **_OVERRIDES}
