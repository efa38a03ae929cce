"""Canonical spellings of targets and messages, so that expectations are compared by meaning.

>>> canonical_target("/1/")
'/1'
>>> canonical_messages("t-שלום.f-/1/000")
('t-שלום', 'f-/1/000')
"""

from __future__ import annotations

from yemot_ai.protocol import Action, GoToFolder, Play
from yemot_ai.protocol.grammar import parse_response

__all__ = ["canonical_messages", "canonical_target"]


def canonical_target(text: str) -> str:
    """Return a target of ``go_to_folder`` as the protocol writes it; ``text`` itself if it is none."""
    action = _only_action(f"{GoToFolder.NAME}={text}")
    return action.target if isinstance(action, GoToFolder) else text


def canonical_messages(text: str) -> tuple[str, ...]:
    """Return messages as the protocol writes them; only ``text`` itself if it is none."""
    action = _only_action(f"{Play.NAME}={text}")
    return tuple(map(str, action.messages)) if isinstance(action, Play) else (text,)


def _only_action(text: str) -> Action | None:
    parsed = parse_response(text, lenient=True)
    return parsed.actions[0] if parsed.error is None and len(parsed.parts) == 1 else None
