"""Show the examples of docstrings as code.

``griffe`` knows examples only under ``Examples:``; those of this project need no heading.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["DoctestsAsCode", "fence_doctests"]

_DOCTEST = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


class DoctestsAsCode(griffe.Extension):
    """Put each doctest of a docstring into a fenced block."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 - griffe's signature
        """Change the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = fence_doctests(obj.docstring.value)


def fence_doctests(docstring: str) -> str:
    """Return a docstring with its doctests in fenced blocks.

    >>> fence_doctests(">>> 1 + 1" + chr(10) + "2").splitlines()
    ['```pycon', '>>> 1 + 1', '2', '```']
    """
    return _DOCTEST.sub(lambda found: f"```pycon\n{found[0]}\n```", docstring)
