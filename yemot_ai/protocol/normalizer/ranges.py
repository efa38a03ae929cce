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
from dataclasses import dataclass, replace
from typing import Final

from yemot_ai.protocol.normalizer.characters import DASH, FRACTION_SLASH
from yemot_ai.protocol.normalizer.codes import named_code
from yemot_ai.protocol.normalizer.latex import MINUS
from yemot_ai.protocol.normalizer.links import WORD
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames
from yemot_ai.protocol.normalizer.numbers import (
    ATOM,
    KINDS,
    POWER,
    Context,
    is_date,
    regroup,
    speak_atom,
    speak_power,
)
from yemot_ai.protocol.normalizer.scores import is_score
from yemot_ai.protocol.normalizer.units import (
    CURRENCY,
    HALF_DAY,
    MULTIPLIER,
    UNIT,
    is_currency,
    speak_amount,
)

__all__ = ["CHAIN", "HEBREW", "speak_chain"]

_SIGN: Final = rf"(?<!{WORD})(?<![)\]])(?<![^\d]-)-(?=[{CURRENCY[1:-1]}.\d])"
_GROUPED: Final = (
    rf"(?P<sign>{_SIGN})?(?P<currency>{CURRENCY}(?:-(?=\d)| )?)?{ATOM}"
    rf"(?P<power>{POWER})?(?P<multiplier>{MULTIPLIER})?(?:(?P<unit>{UNIT})(?P<per>/(?=[א-ת]))?)?"
)
_UNGROUPED: Final = re.sub(r"\(\?P<\w+>", "(?:", _GROUPED)
_JOINT: Final = rf"(?:- ?| - | ?{DASH} ?|~| ~ |(?<={FRACTION_SLASH}\d) -(?=\d))"
CHAIN: Final = rf"(?=[\d.{CURRENCY[1:-1]}-])(?>{_UNGROUPED}(?:{_JOINT}{_UNGROUPED})*)"
"""A quantity, or several with a hyphen or a dash between them."""

_AS_WRITTEN: Final = re.compile(r"[1-9]\d{0,2}|(?:[01]?\d|2[0-4]):[0-5]\d")
"""A short number and a time, which every context leaves as they are: most chains, found before all else."""
_QUANTITY: Final = re.compile(_GROUPED)
_ANY_JOINT: Final = re.compile(_JOINT)
_VALUE: Final = re.compile(r"\d*(?:\.\d+)?")
_CALCULATED: Final = re.compile(rf" ?\)? ?(?:=|[+×÷*] ?[\d(]|{MINUS}|\^)| ?\) ?[-/] ?[\d(]")
_OPERATORS: Final = ("=", "+", "×", "÷", "*", "^", MINUS, "כמה זה", "חשב", "חשבו")
_OPENED: Final = re.compile(r"(?:^|[\d)=A-Za-z]) ?[-+×÷*/^] ?\(+$")
_LIST: Final = re.compile(r"\d+(?:-\d+){2,}")
_YEAR_AND_MONTH: Final = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])")
_DECIMAL_CLOCK: Final = re.compile(r"(?:[01]?\d|2[0-4])\.[03]0")
_DECIMAL_COMMA: Final = re.compile(r"\d+,\d\d?")
_SURELY_GROUPED: Final = re.compile(r"\d{1,2}(?: \d{3}){2,}")
_HALF_DAY: Final = re.compile(HALF_DAY)
_LATIN: Final = frozenset(string.ascii_letters)
_KINDS: Final = frozenset(KINDS)
_BETWEEN: Final = " :,(-#\"'"
"""Characters between a word and the number that belongs to it."""
_REACH: Final = 30
_RANGE: Final = 2
_YEAR: Final = 4


@dataclass(frozen=True, slots=True)
class _Quantity:
    """One quantity of a chain: its match, its atom and the kind of that, and the joint after it."""

    match: re.Match[str]
    kind: str
    written: str
    joint: str

    @property
    def is_plain(self) -> bool:
        """Whether it is only a whole number."""
        return self.match.group().isdecimal()

    @property
    def value(self) -> float:
        written = regroup(self.written) if self.kind == "grouped" else self.written
        found = _VALUE.match(written.replace(",", ""))
        value = float(found.group() or 0) if found else 0.0
        return -value if self.match["sign"] else value

    @property
    def has_time(self) -> bool:
        unit = self.match["unit"]
        return self.kind in {"clock", "date"} or bool(unit and _HALF_DAY.fullmatch(unit))


def speak_chain(match: re.Match[str], names: SignNames) -> str:
    """Return the words and numbers of a chain."""
    if _AS_WRITTEN.fullmatch(match.group()):
        return match.group()
    if code := named_code(match):
        return code
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(start - _REACH, 0) : start], text[end : end + _REACH]
    in_formula = _is_calculated(before, after)
    chain = _parse(text, start, end)
    named = before if before.rstrip(_BETWEEN)[-1:].isalpha() else ""
    if len(chain) == 1:
        spoken = _speak_quantity(chain[0], Context(named, after, in_formula), names)
    elif _LIST.fullmatch(match.group()):
        spoken = match.group().replace("-", f" {names['minus']} " if in_formula else " ")
    else:
        joints = _joint_words(chain, before, after, names, in_formula=in_formula)
        spoken = _speak_parts(chain, joints, Context(named, after, in_formula), names)
    lead = "" if spoken[:1].isdecimal() and text[start].isdecimal() else " "
    return f"{lead}{spoken}" if spoken[-1:].isdecimal() or chain[-1].match["per"] else f"{lead}{spoken} "


def _speak_parts(chain: list[_Quantity], joints: list[str], around: Context, names: SignNames) -> str:
    """Return the quantities with their joints; the text around them belongs to the first and the last."""
    among_dates = any(quantity.kind == "slashed" and is_date(quantity.written) for quantity in chain)
    context = Context(around.before, "", around.in_formula, among_dates)
    spoken = ""
    for quantity, joint in zip(chain, joints, strict=True):
        if not quantity.joint:
            context = Context("", around.after, around.in_formula, among_dates)
        spoken += _speak_quantity(quantity, context, names) + joint
        context = Context("", "", around.in_formula, among_dates) if context.before else context
    return spoken


def _is_calculated(before: str, after: str) -> bool:
    return (
        before.rstrip().endswith(_OPERATORS)
        or bool(_CALCULATED.match(after))
        or (before.endswith("(") and bool(_OPENED.search(before)))
    )


def _parse(text: str, start: int, end: int) -> list[_Quantity]:
    chain = []
    while start < end and (match := _QUANTITY.match(text, start)):
        joint = _ANY_JOINT.match(text, match.end()) if match.end() < end else None
        chain.append(_Quantity(match, *_read_atom(match), joint.group() if joint else ""))
        start = joint.end() if joint else end
    if len(chain) == _RANGE and all(map(_is_decimal_clock, chain)):
        return [replace(part, kind="clock", written=part.written.replace(".", ":")) for part in chain]
    return chain


def _is_decimal_clock(quantity: _Quantity) -> bool:
    """Return whether it may be a time such as ``09.30``: two of them are the ends of opening hours."""
    return quantity.kind == "number" and bool(_DECIMAL_CLOCK.fullmatch(quantity.match.group()))


def _read_atom(match: re.Match[str]) -> tuple[str, str]:
    """Return the kind of a quantity's atom and how it is written, with a comma between groups of digits."""
    kind = match.lastgroup if match.lastgroup in _KINDS else ""
    kind = kind or next(kind for kind in KINDS if match[kind] is not None)
    written = match[kind]
    if kind != "grouped" and "," not in written:
        return kind, written
    unit = match["unit"] or match["currency"]
    if kind == "grouped" and (unit or match["multiplier"]):
        return "number", regroup(written)
    if kind == "grouped" and " " in written and not _SURELY_GROUPED.fullmatch(written):
        return "number", written
    decimals = len(written.partition(",")[2]) if unit and _DECIMAL_COMMA.fullmatch(written) else 0
    if decimals == 1 or (decimals and is_currency(unit.strip())):
        return kind, written.replace(",", ".")
    return kind, written


def _speak_quantity(quantity: _Quantity, context: Context, names: SignNames) -> str:
    match = quantity.match
    if match.lastgroup == quantity.kind and not (match["sign"] or match["currency"]):
        return speak_atom(quantity.kind, quantity.written, context, names).replace(".", f" {names['.']} ")
    unit = match["unit"] or match["currency"] or ""
    if match["unit"]:
        context = replace(context, after=match["unit"])
    is_amount = unit and quantity.kind == "number"
    number = quantity.written if is_amount else speak_atom(quantity.kind, quantity.written, context, names)
    if match["power"] and not (match["power"] == "¹" and len(number) >= _YEAR):
        number += f" {speak_power(match['power'], names)}"  # a raised 1 after a year is a footnote
    sign = f"{names['minus']} " if match["sign"] or unit.endswith("-") else ""
    if unit and _HALF_DAY.fullmatch(unit):
        return sign + speak_amount(number, "", "", names) + unit.replace(".", "")
    spoken = sign + speak_amount(number, unit.strip(" -"), match["multiplier"] or "", names)
    return f"{spoken} {names['ratio']}" if match["per"] else spoken


def _joint_words(
    chain: list[_Quantity], before: str, after: str, names: SignNames, *, in_formula: bool
) -> list[str]:
    """Return what is spoken for each joint, and nothing after the last quantity."""
    plain = all(quantity.is_plain for quantity in chain)
    if plain and len(chain) == _RANGE and not in_formula and _is_score(chain, before, after):
        return [" ", ""]
    words = [_joint_word(*pair, names, in_formula=in_formula) for pair in itertools.pairwise(chain)]
    if plain and not in_formula and (len(chain) > _RANGE or chain[0].written == chain[-1].written):
        words = [
            word if quantity.joint == " - " else " " for quantity, word in zip(chain, words, strict=False)
        ]
    return [*words, ""]


def _joint_word(left: _Quantity, right: _Quantity, names: SignNames, *, in_formula: bool) -> str:
    """A spaced hyphen subtracts unless the numbers increase; any hyphen subtracts in a calculation."""
    falls = in_formula or (left.joint == " - " and left.value >= right.value)
    return f" {names['minus' if falls and not (left.has_time or right.has_time) else 'to']} "


def _is_score(chain: list[_Quantity], before: str, after: str) -> bool:
    """Return whether two numbers are no range: a score, a model such as A4-80, or a year and a month."""
    left, right = chain
    written = f"{left.written}{left.joint}{right.written}"
    if before[-1:] in _LATIN or _YEAR_AND_MONTH.fullmatch(written):
        return True
    if left.joint not in {"-", DASH}:
        return False
    return is_score(int(left.written), int(right.written), before, after)
