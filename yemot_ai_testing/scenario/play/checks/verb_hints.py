"""Write the verbs and settings in messages of the line as scenario files do, for readers who know no Python.

>>> as_scenario_keys('use says(…), presses("*") or silent()')
'use says: …, presses: "*" or silent: true'
>>> as_scenario_keys("use pays(…)")
'use pays(…) of a Caller (in Python; scenario files have no pays)'
>>> as_scenario_keys("a line that follows it is follow_redirects=True")
'a line that follows it is caller: {line: {follow_redirects: true}}'
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai_testing.line.platform.settings import line_settings
from yemot_ai_testing.scenario.format.model import VERBS

__all__ = ["as_scenario_keys"]

_PYTHON_VERBS: Final = ("changes_keyboard", "goes_to", "mumbles", "pays")
_CALL: Final = re.compile(rf'\b({"|".join((*VERBS, *_PYTHON_VERBS))})\((…|"[^"]*"|)\)')
_ARGUMENTS: Final = {
    "pass remote=True": "set the ini key yemot_remote = true",
    "remote=True": "the ini key yemot_remote = true",
    ", or servers={…} to a tree of extensions": "",
    'method="GET"': "caller: {method: GET}",
    'method="POST"': "caller: {method: POST}",
}
_SETTING: Final = re.compile(rf"\b({'|'.join(line_settings())})=(True|False)\b")


def as_scenario_keys(message: str) -> str:
    """Return ``message`` with its verbs and settings as a scenario file writes them."""
    message = _CALL.sub(_as_key, message).replace("a new Caller", "a new scenario")
    for written, here in _ARGUMENTS.items():
        message = message.replace(written, here)
    return _SETTING.sub(lambda match: f"caller: {{line: {{{match[1]}: {match[2].lower()}}}}}", message)


def _as_key(match: re.Match[str]) -> str:
    verb, argument = match.groups()
    if verb in VERBS:
        return f"{verb}: {argument or 'true'}"
    return f"{match[0]} of a Caller (in Python; scenario files have no {verb})"
