"""Quantities, and ranges and subtractions of them; ranges of days, months and letters.

>>> def spoken(text):
...     return speak_chain(re.search(CHAIN, text), HEBREW).strip()
>>> spoken("10-12"), spoken("7-3=4"), spoken("30%-10%=20%"), spoken("-5°C"), spoken("20~30")
('10 עד 12', '7 מינוס 3', '30 אחוז מינוס 10 אחוז', 'מינוס 5 מעלות C', '20 עד 30')
"""

from __future__ import annotations

import itertools
import re
import string
from dataclasses import dataclass
from typing import Final

from yemot_ai.protocol.normalizer.characters import DASH, FRACTION_SLASH
from yemot_ai.protocol.normalizer.codes import named_code
from yemot_ai.protocol.normalizer.latex import MINUS
from yemot_ai.protocol.normalizer.links import WORD
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames
from yemot_ai.protocol.normalizer.numbers import ATOM, KINDS, POWER, Context, is_date, speak_atom, speak_power
from yemot_ai.protocol.normalizer.units import CURRENCY, MULTIPLIER, UNIT, speak_amount

__all__ = ["CHAIN", "HEBREW", "speak_chain"]

_SIGN: Final = rf"(?<!{WORD})(?<![)\]])(?<![^\d]-)-(?=[$€£₪¥.\d])"
_GROUPED: Final = (
    rf"(?P<sign>{_SIGN})?(?P<currency>{CURRENCY} ?)?{ATOM}(?P<power>{POWER})?(?P<multiplier>{MULTIPLIER})?"
    rf"(?:(?P<unit>{UNIT})(?P<per>/(?=[א-ת]))?)?"
)
_UNGROUPED: Final = re.sub(r"\(\?P<\w+>", "(?:", _GROUPED)
_JOINT: Final = rf"(?:- ?| - | ?{DASH} ?|~| ~ |(?<={FRACTION_SLASH}\d) -(?=\d))"
CHAIN: Final = rf"(?=[\d.$€£₪¥-])(?>{_UNGROUPED}(?:{_JOINT}{_UNGROUPED})*)"
"""A quantity, or several with a hyphen or a dash between them."""

_QUANTITY: Final = re.compile(_GROUPED)
_ANY_JOINT: Final = re.compile(_JOINT)
_VALUE: Final = re.compile(r"\d*(?:\.\d+)?")
_CALCULATED: Final = re.compile(rf" ?\)? ?(?:=|[+×÷*] ?\d|{MINUS}|\^)")
_OPERATORS: Final = ("=", "+", "×", "÷", "*", "^", MINUS, "כמה זה", "חשב", "חשבו")
_LIST: Final = re.compile(r"\d+(?:-\d+){2,}")
_SCORE: Final = re.compile("(?:ניצח|הפסי|הפסד|תיקו|תוצא|סיימ|הסתיים|נגמר|גבר|הוביל|מוביל)")
_LATIN: Final = frozenset(string.ascii_letters)
_HIGHEST_SCORE: Final = 200
_REACH: Final = 30
_RANGE: Final = 2
_YEAR: Final = 4


@dataclass(frozen=True, slots=True)
class _Quantity:
    """One quantity of a chain: its match, the kind of its atom, and the joint after it."""

    match: re.Match[str]
    kind: str
    joint: str

    @property
    def written(self) -> str:
        return self.match[self.kind]

    @property
    def is_plain(self) -> bool:
        """Whether it is only a whole number."""
        return self.match.group().isdecimal()

    @property
    def value(self) -> float:
        found = _VALUE.match(self.written.replace(",", ""))
        value = float(found.group() or 0) if found else 0.0
        return -value if self.match["sign"] else value


def speak_chain(match: re.Match[str], names: SignNames) -> str:
    """Return the words and numbers of a chain."""
    text, start, end = match.string, match.start(), match.end()
    if code := named_code(match):
        return code
    before, after = text[max(start - _REACH, 0) : start], text[end : end + _REACH]
    chain = _parse(text, start, end)
    in_formula = _is_calculated(before, after)
    if _LIST.fullmatch(match.group()):
        return match.group().replace("-", f" {names['minus']} " if in_formula else " ")
    among_dates = len(chain) > 1 and any(is_date(quantity.written) for quantity in chain)
    is_score = bool(_SCORE.search(before)) or before[-1:] in _LATIN  # or a model such as A4-80
    joints = _joint_words(chain, names, is_score=is_score, in_formula=in_formula)
    spoken = ""
    for position, quantity in enumerate(chain):
        context = Context(
            before="" if position else before,
            after="" if quantity.joint else after,
            in_formula=in_formula,
            among_dates=among_dates,
        )
        spoken += _speak_quantity(quantity, context, names) + joints[position]
    lead = "" if spoken[:1].isdecimal() and text[start].isdecimal() else " "
    return f"{lead}{spoken}" if spoken[-1:].isdecimal() or chain[-1].match["per"] else f"{lead}{spoken} "


def _is_calculated(before: str, after: str) -> bool:
    return before.rstrip().endswith(_OPERATORS) or bool(_CALCULATED.match(after))


def _parse(text: str, start: int, end: int) -> list[_Quantity]:
    chain = []
    while start < end and (match := _QUANTITY.match(text, start)):
        kind = next(kind for kind in KINDS if match[kind] is not None)
        joint = _ANY_JOINT.match(text, match.end()) if match.end() < end else None
        chain.append(_Quantity(match, kind, joint.group() if joint else ""))
        start = joint.end() if joint else end
    return chain


def _speak_quantity(quantity: _Quantity, context: Context, names: SignNames) -> str:
    match = quantity.match
    unit = (match["unit"] or match["currency"] or "").strip()
    is_amount = unit and quantity.kind == "number"
    number = quantity.written if is_amount else speak_atom(quantity.kind, quantity.written, context, names)
    if match["power"] and not (match["power"] == "¹" and len(number) >= _YEAR):
        number += f" {speak_power(match['power'], names)}"  # a raised 1 after a year is a footnote
    sign = f"{names['minus']} " if match["sign"] else ""
    spoken = sign + speak_amount(number, unit, match["multiplier"] or "", names)
    return f"{spoken} {names['ratio']}" if match["per"] else spoken


def _joint_words(chain: list[_Quantity], names: SignNames, *, is_score: bool, in_formula: bool) -> list[str]:
    """Return what is spoken for each joint, and nothing after the last quantity."""
    plain = all(quantity.is_plain for quantity in chain)
    if is_score and plain and len(chain) == _RANGE and all(part.value <= _HIGHEST_SCORE for part in chain):
        return [" ", ""]
    words = [_joint_word(*pair, names, in_formula=in_formula) for pair in itertools.pairwise(chain)]
    if plain and not in_formula and (len(chain) > _RANGE or chain[0].written == chain[-1].written):
        words = [
            word if quantity.joint == " - " else " " for quantity, word in zip(chain, words, strict=False)
        ]
    return [*words, ""]


def _joint_word(left: _Quantity, right: _Quantity, names: SignNames, *, in_formula: bool) -> str:
    """A spaced hyphen subtracts unless the numbers increase; any hyphen subtracts in a calculation."""
    has_time = {left.kind, right.kind} & {"clock", "date"}
    falls = left.joint == " - " and left.value >= right.value
    return f" {names['minus' if (in_formula or falls) and not has_time else 'to']} "
