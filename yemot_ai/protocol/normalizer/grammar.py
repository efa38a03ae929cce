r"""The grammar of a sentence: at each place the first token that matches is spoken, and nothing twice.

>>> speak_sentence('לעו"ד ב-3.5% מתוך 10-12, א\'-ה\'').split()
['לעורך', 'דין', 'ב', '3', 'נקודה', '5', 'אחוז', 'מתוך', '10', 'עד', '12,', 'א', 'עד', 'ה']
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from yemot_ai.protocol.messages import STRAY_COLON
from yemot_ai.protocol.normalizer.abbreviations import ACRONYM, SHORTENED, expand_acronym, expand_shortened
from yemot_ai.protocol.normalizer.calendar_words import HYPHEN, speak_hyphen
from yemot_ai.protocol.normalizer.characters import DASH, NAMED_SYMBOLS, SUPERSCRIPTS
from yemot_ai.protocol.normalizer.codes import CODE, SERIAL, names_a_code, speak_code, speak_serial
from yemot_ai.protocol.normalizer.latex import MINUS
from yemot_ai.protocol.normalizer.links import ADDRESS, LETTER, WORD, spell_address
from yemot_ai.protocol.normalizer.markup import plain_line
from yemot_ai.protocol.normalizer.names import SignNames, detect_language
from yemot_ai.protocol.normalizer.numbers import speak_power
from yemot_ai.protocol.normalizer.ranges import CHAIN, speak_chain
from yemot_ai.protocol.normalizer.units import CURRENCY, signs_for_codes

__all__ = ["speak_sentence"]

_Speak: TypeAlias = Callable[["re.Match[str]", SignNames], str]
_Token: TypeAlias = tuple[str, str | _Speak]


def speak_sentence(sentence: str) -> str:
    """Return one sentence of ``split_sentences`` as words, numbers, times, commas and sentence ends.

    White space and commas are not normalized; digits that are spoken one by one are marked
    (``codes.DIGITS_MARK``).
    """
    plain = signs_for_codes(plain_line(sentence))
    names = detect_language(plain)

    def speak(match: re.Match[str]) -> str:
        spoken = _SPOKEN[match.lastgroup or ""]
        return spoken if isinstance(spoken, str) else spoken(match, names)

    return _GRAMMAR.sub(speak, plain)


def _name(sign: str) -> _Speak:
    return lambda _match, names: f" {names[sign]} "


def _own_name(match: re.Match[str], names: SignNames) -> str:
    return f" {names[match.group().strip()]} "


def _as_written(match: re.Match[str], _names: SignNames) -> str:
    return match.group()


def _acronym(match: re.Match[str], _names: SignNames) -> str:
    text, start, end = match.string, match.start(), match.end()
    return expand_acronym(match.group(), text[max(start - _NAME, 0) : start], text[end : end + _NEXT_WORDS])


def _shortened(match: re.Match[str], _names: SignNames) -> str:
    """Expand an abbreviation, unless its mark closes a quotation."""
    text, start, end = match.string, match.start(), match.end()
    before = text[max(start - _QUOTATION, 0) : start]
    if "'" in before and _OPEN_QUOTE.search(before):
        return match.group()[:-1] + " "
    word = expand_shortened(match.group(), text[end : end + _NEXT_WORDS], before)
    return f"{word} " if text[end : end + 1].isdigit() else word


def _contracted(match: re.Match[str], _names: SignNames) -> str:
    return match.group()[:-3].rstrip("-") + _CONTRACTED[match.group()[-3:]]


def _spelled_letters(match: re.Match[str], _names: SignNames) -> str:
    return match.group().replace(".", " ")


def _join_or_part(match: re.Match[str], _names: SignNames) -> str:
    """Remove quotes inside a word and before the ``s`` of 90's; elsewhere replace them by a space."""
    before = match.string[max(match.start() - 1, 0) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    inside = re.fullmatch(LETTER, after) and (
        re.fullmatch(LETTER, before) or (before.isdigit() and after == "s")
    )
    return "" if inside else " "


def _about(match: re.Match[str], names: SignNames) -> str:
    """Name the sign unless the word before it says the same."""
    return (
        " "
        if _SAYS_ABOUT.search(match.string[max(match.start() - 8, 0) : match.start()])
        else _own_name(match, names)
    )


def _number_sign(match: re.Match[str], names: SignNames) -> str:
    """Before a number it is the word "number"; a key of the telephone has its own name."""
    before = match.string[max(match.start() - 16, 0) : match.start()]
    if _SAYS_NUMBER.search(before) or names_a_code(match.string, match.start()):
        return " "
    return f" {names['#' if _SAYS_KEY.search(before) else 'number']} "


def _raised(match: re.Match[str], names: SignNames) -> str:
    """An exponent of a Latin letter; after a Hebrew word or a sentence it is the mark of a footnote."""
    before = match.string[max(match.start() - 2, 0) : match.start()].rstrip(" (")[-1:]
    is_note = before > "א" or (bool(before) and before in ".!?,;:\"'")
    return " " if is_note else f" {speak_power(match.group(), names)} "


def _signed(match: re.Match[str], names: SignNames) -> str:
    """A negative number in parentheses, which are needed only to separate two signs."""
    number = match.group().strip("()").lstrip(f" -{MINUS}")
    return " ".join((f" {names['minus']}", number.replace(".", f" {names['.']} "), ""))


def _exponent(match: re.Match[str], names: SignNames) -> str:
    return f" {names['squared']} " if match.group() == "^2" else f" {names['^']} "


_CONTRACTED: Final = {"י-ם": "ירושלים", "ח-ן": "חשבון"}
_NAME: Final = 9
_QUOTATION: Final = 80
_NEXT_WORDS: Final = 8
_OPEN_QUOTE: Final = re.compile(r"(?:^|[\s(])'[^\s'][^']*$")
_SAYS_ABOUT: Final = re.compile(r"(?:בערך|כ-?|about|around) ?$")
_SAYS_NUMBER: Final = re.compile(r"(?:מספר|מס'|number|No)[ :]*$")
_SAYS_KEY: Final = re.compile(r"(?:קי?ש[א-ת]*|לח[צץ][א-ת]*|מקש|חייג[א-ת]*|press|dial)[ :]*$|[*\d]$")
_UNMARKED: Final = r"(?<![א-ת])(?:(?:טל|מס|עמ)(?=[:.] ?[\d+*(\[])|(?:פרופ|אינג)(?=\. ?[א-ת]))\.?"
_HEBREW_WORD: Final = rf"(?!{_UNMARKED})[א-ת]++(?![\"'`]|-[םן](?![א-ת]))"
_COUNT: Final = (
    rf"(?<![^ ])[1-9]\d{{0,2}}(?=, |\.?$| (?!שקלים|אלף|אלפי|מיליון|מיליארד){_HEBREW_WORD}(?![²³]))"
)
"""A number that has no code, unit or sign beside it."""
_HEBREW_RUN: Final = rf"(?:(?<![א-ת]){_HEBREW_WORD}|{_COUNT})(?:,? (?:{_HEBREW_WORD}|{_COUNT}))*+"
_LATIN_WORD: Final = r"[A-Za-z]{2,}+(?=[ ,?!]|\.?$)"
_LATIN_RUN: Final = rf"(?<![^ ]){_LATIN_WORD}(?:,? {_LATIN_WORD})*+"
_GROUP: Final = rf" ?[-{MINUS}] ?\d|\( ?(?:[-{MINUS}] ?)?(?:[\d√(]|[A-Za-z](?![A-Za-z]))"
"""The beginning of a number with a sign, or of a part of a formula in parentheses."""
_SIGNED: Final = rf"\( ?[-{MINUS}] ?\d+(?:[.,]\d+)?\)"
_HAS_LETTER: Final = r"(?=[^\s]{0,64}?[A-Za-z])"
_MAY_BE_CODE: Final = r"(?=[*+(]|0\d|972|(?:\d[- —~]{0,3}){7})"

# Tokens by their first character; of those with the same one, the first that matches is spoken.
_HEBREW: Final[tuple[_Token, ...]] = (
    (_HEBREW_RUN, _as_written),
    (r"(?<![א-ת])[ובלהמשכ]{0,3}-?(?:י-ם|ח-ן)(?![א-ת])", _contracted),
    (_UNMARKED, lambda match, _: expand_shortened(f"{match.group().rstrip('.')}'", " ", "")),
    (ACRONYM, _acronym),
    (SHORTENED, _shortened),
    (r"[א-ת]++", _as_written),
)
_LATIN: Final[tuple[_Token, ...]] = (
    (_LATIN_RUN, _as_written),
    (r"(?<=\d\d-\d\d)T(?=\d\d:\d\d)", " "),
    (ADDRESS, spell_address),
    (SERIAL, speak_serial),
    (r"(?<![A-Za-z0-9])[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z])\.?", _spelled_letters),
    (rf"(?<=[\d{SUPERSCRIPTS}])[xX] ?(?=\d)", _name("×")),
    (r"(?<![A-Za-z])(?:Dr|Mrs?|Ms)\.(?= [A-Z])", lambda match, _: match.group()[:-1]),
    (r"[A-Za-z]++", _as_written),
)
_QUOTES: Final[tuple[_Token, ...]] = (
    (r"(?<=[A-Za-z])'n'(?=[A-Za-z])", " n "),
    (r"[\"'`]+", _join_or_part),
)
_PRODUCTS: Final[tuple[_Token, ...]] = (
    (rf"(?<=[\d{SUPERSCRIPTS}%]) ?[xX×*] ?(?=\d)", _name("×")),
    (rf"(?<=[\d)])(?: [×*] |[×*])(?={_GROUP})|(?<=\))(?: [×*] |[×*])(?=\d)", _name("×")),
    (rf"(?<=[\d)]) ?/ ?(?={_GROUP})|(?<=\)) ?/ ?(?=\d)", _name("÷")),
    (r"(?<=\d) : (?=[\d.]+ ?=)|(?<=[\d)]):(?=\(-\d)|(?<=\d\)):(?=\d)", _name("÷")),
)
_NUMBERS: Final[tuple[_Token, ...]] = (
    (_HEBREW_RUN, _as_written),
    (f"{_HAS_LETTER}(?:{ADDRESS})", spell_address),
    (f"{_HAS_LETTER}(?:{SERIAL})", speak_serial),
    (f"{_MAY_BE_CODE}{CODE}", speak_code),
    (CHAIN, speak_chain),
)
_SIGNS: Final[tuple[_Token, ...]] = (
    (_SIGNED, _signed),
    (rf"(?<=[\d%])-(?= ?{CURRENCY}| ?$|[,.;)])", _name("minus")),
    (
        r"(?<=(?<![A-Za-z\d'-])[ABO])-(?= ?$| ?[,.;)]| או )|(?<=(?<![A-Za-z])AB)-(?= ?$| ?[,.;)]| או )",
        _name("minus"),
    ),
    (HYPHEN, speak_hyphen),
    (r"(?<![^\s(=])-(?=\(? ?-?\d|\(? ?\d*[A-Za-z](?![A-Za-z])|\(-)", _name("minus")),
    (rf"[{SUPERSCRIPTS}]+", _raised),
    (rf"(?:(?<={WORD})|(?<=\)))\^(?:2(?!\d)|(?=\(? ?[-{MINUS}]? ?{WORD}))", _exponent),
    (r"[~≈](?= ?\d)", _about),
    (r"#(?= ?\d)", _number_sign),
    (r"(?<![-=])[-=]++>|→", ","),
    (r"!=", _name("≠")),
    (r"<=", _name("≤")),
    (r">=", _name("≥")),
    (r"[<>](?=[ \d])|(?<=(?<![A-Za-z])[A-Za-z\d])[<>](?=[A-Za-z](?![A-Za-z]))", _own_name),
    (r"(?<=[A-Za-z]) ?& ?(?=[A-Za-z])", " and "),
    (rf"(?<={CURRENCY})/(?=[א-ת])", "ל"),
    (r"(?<=ים|ות)/(?=(?:דקה|שעה|יום|שנייה|שבוע|חודש|שנה|ליטר|אדם|נפש)(?![א-ת]))", " ל"),
    (r"(?<![A-Za-z\u0370-\u03ff])[παβγδΔθλμσΣφω](?![A-Za-z]{2}|[\u0370-\u03ff])", _own_name),
    (r"={3,}", " "),
    (r"=+", _name("=")),
    (rf"#(?={LETTER})|#{{2,}}", " "),
    (rf"(?:(?<!{WORD})(?<![.!?])|(?<=\d))\*(?![\"']?{LETTER})", _name("*")),
    (MINUS, _name("minus")),
    (rf"[&+%@#{NAMED_SYMBOLS}]", _own_name),
)
_STOPS: Final[tuple[_Token, ...]] = (
    (r"(?<=(?<![א-ת])[א-ת])\.(?=[א-ת](?![א-ת]))", " "),
    (r"(?<=[A-Za-z0-9])\.(?=[A-Za-z])", _name(".")),
    (rf"(?<=[A-Za-z])\.(?=\d)|(?<=[A-Za-z])\.(?=[-{DASH}][A-Za-z\d])", " "),
    (STRAY_COLON.pattern, ", "),
    (r":", " "),
    (rf"(?<={WORD})[(\[{{](?={WORD})", " "),
    (rf"[;|•{DASH}(){{}}\[\]]+|(?<= )-+(?= )", ","),
    (r"[#$%&*+/<=>@\\^_~-]", " "),
)
_FAMILIES: Final = (
    ("[א-ת]", _HEBREW),
    ("[A-Za-z]", _LATIN),
    ("[\"'`]", _QUOTES),
    (r"[×*/:]| (?![א-תA-WYZa-wyz])", _PRODUCTS),
    (rf"[\d.+(*#%_{CURRENCY[1:-1]}-]", _NUMBERS),
    (r"[^\dא-תA-Za-z ]| (?![א-תA-Za-z])", (*_SIGNS, *_STOPS)),
)
_TOKENS: Final = tuple(token for _, tokens in _FAMILIES for token in tokens)
_SPOKEN: Final[Mapping[str, str | _Speak]] = {
    f"t{number}": spoken for number, (_, spoken) in enumerate(_TOKENS)
}


def _compile() -> re.Pattern[str]:
    """Return the families as one pattern; each token is a group whose name leads to what is spoken."""
    numbers = itertools.count()
    return re.compile(
        "|".join(f"(?={first})(?:{_alternatives(tokens, numbers)})" for first, tokens in _FAMILIES)
    )


def _alternatives(tokens: tuple[_Token, ...], numbers: Iterator[int]) -> str:
    return "|".join(
        f"(?P<t{next(numbers)}>{re.sub(r'[(][?]P<[a-z]+>', '(?:', pattern)})" for pattern, _ in tokens
    )


_GRAMMAR: Final = _compile()
