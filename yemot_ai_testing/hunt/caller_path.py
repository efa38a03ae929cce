"""The way of a caller to the agent, after dialling: keys of menus, and words.

>>> parse_path("1, דוד")
(CallerAction(verb='presses', text='1'), CallerAction(verb='says', text='דוד'))
>>> path_text(parse_path("1, דוד"))
'1,דוד'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from yemot_ai_testing.scenario.format.model import CallerAction

__all__ = ["CallerPath", "parse_path", "path_text"]

CallerPath: TypeAlias = tuple[CallerAction, ...]

_KEYS: Final = re.compile(r"[0-9*#]+")


def parse_path(text: str) -> CallerPath:
    """Return the actions that a text lists, separated by commas: keys are pressed, words are said.

    Raises:
        ValueError: an action is empty.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if "" in parts:
        raise ValueError(f"{text!r} has an empty step: write keys and words with commas between, such as 1,2")
    return tuple(CallerAction("presses" if _KEYS.fullmatch(part) else "says", part) for part in parts)


def path_text(path: Sequence[CallerAction]) -> str:
    """Return the text of ``--path``."""
    return ",".join(action.text for action in path)
