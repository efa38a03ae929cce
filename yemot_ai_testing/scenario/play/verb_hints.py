"""Write the verbs in messages of the line as keys of a scenario file, for readers who know no Python.

>>> as_scenario_keys('use says(…), presses("*") or silent()')
'use says: …, presses: "*" or silent: true'
>>> as_scenario_keys("use pays(…)")
'use pays(…) of a Caller (in Python; scenario files have no pays)'
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai_testing.scenario.format.model import VERBS

__all__ = ["as_scenario_keys"]

_CALL: Final = re.compile(r'\b([a-z]+(?:_[a-z]+)*)\((…|"[^"]*"|)\)')


def as_scenario_keys(message: str) -> str:
    """Return ``message`` with its verbs as a scenario file writes them."""
    return _CALL.sub(_as_key, message).replace("a new Caller", "a new scenario")


def _as_key(match: re.Match[str]) -> str:
    verb, argument = match.groups()
    if verb in VERBS:
        return f"{verb}: {argument or 'true'}"
    return f"{match[0]} of a Caller (in Python; scenario files have no {verb})"
