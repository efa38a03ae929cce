"""Recognise a call of a tool that a model wrote as JSON into its text.

Only what is surely one counts: an object whose first keys are a name and its arguments, or ``tool_calls``.

>>> call_start('{"name": "clock", "arguments": {"zone"')
CallStart(position=0, fenced=False)
>>> may_be_call('{"name": "cl'), may_be_call('{"city": '), may_be_call("{שלום}")
(True, False, False)
>>> JSONCall().feed('{"name": "clock", "arguments": {}} כן')
34
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = ["CallStart", "JSONCall", "call_start", "may_be_call"]

_FENCE: Final = r"(?P<fence>```(?:json)?\s*)?"
_NAME: Final = r'"(?:name|function|tool|tool_name|function_name|action)"\s*:\s*"[^"\s]*"\s*,\s*'
_ARGUMENTS: Final = r'"(?:arguments|parameters|args|params|input|tool_input|action_input)"\s*:'
_CALL: Final = re.compile(
    _FENCE + r'(?P<json>(?:\[\s*)?\{\s*(?:"(?:id|type)"\s*:\s*"[^"]*"\s*,\s*)*'
    rf'(?:{_NAME}{_ARGUMENTS}|"(?:tool_calls|function_call)"\s*:\s*[\[{{]|"function"\s*:\s*\{{\s*"name"\s*:))'
)
_BEGINNING: Final = re.compile(
    r'(?:`{1,3}|```j?s?o?n?\s{0,100})?(?:\[\s{0,100})?(?:\{(?P<keys>[\s"\w.:,/{\[-]{0,200}+)?)?\Z'
)
_FIRST_KEY: Final = re.compile(r'\s*"(?P<key>\w+)"')
_KEYS: Final = frozenset({
    "name", "function", "tool", "tool_name", "function_name", "action", "tool_calls", "function_call",
    "id", "type",
})  # fmt: skip
_MOST_SIGNS: Final = 12_000
"""Brackets, quotes and backslashes of one call that are looked at, for the same reason as ``MAX_LOOKS``; a
call that has more has no end."""
_STRING_OR_BRACKET: Final = re.compile(r'[{}\[\]"\\]')


@dataclass(frozen=True, slots=True)
class CallStart:
    """Where a call begins.

    Attributes:
        position: the index of its first bracket.
        fenced: whether a fence stands before it.
    """

    position: int
    fenced: bool


def call_start(text: str) -> CallStart | None:
    """Return where the call at the beginning of ``text`` begins; None if that is not known yet."""
    found = _CALL.match(text)
    return CallStart(found.start("json"), bool(found["fence"])) if found else None


def may_be_call(text: str) -> bool:
    """Return whether ``text`` begins with a call, or may when more of it arrives."""
    if _CALL.match(text):
        return True
    found = _BEGINNING.match(text)
    key = _FIRST_KEY.match(found["keys"] or "") if found else None
    return found is not None and (key is None or key["key"] in _KEYS)


@dataclass(slots=True)
class JSONCall:
    """Finds the end of a call, piece by piece.

    Attributes:
        fenced: whether a fence stands before it, and so another one behind it.
    """

    fenced: bool = False
    _depth: int = field(default=0, init=False)
    _in_string: bool = field(default=False, init=False)
    _escaped: bool = field(default=False, init=False)
    _signs: int = field(default=0, init=False)

    def feed(self, text: str) -> int | None:
        """Return the position in ``text`` after the call; None if it goes on."""
        position = 1 if self._escaped and text else 0
        self._escaped = self._escaped and not text
        while self._signs <= _MOST_SIGNS and (found := _STRING_OR_BRACKET.search(text, position)):
            self._signs += 1
            position = found.end()
            sign = found[0]
            if sign == "\\":
                self._escaped = position == len(text)
                position += 1
            elif sign == '"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if sign in "{[" else -1
                if not self._depth:
                    return position
        return None
