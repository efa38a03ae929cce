"""Web and mail addresses, spelled so that a listener can write them down.

>>> import re
>>> re.sub(ADDRESS, lambda match: spell_address(match, HEBREW), "ראו https://he.x.org/%D7%90?utm_source=ai.").split()
['ראו', 'he', 'נקודה', 'x', 'נקודה', 'org', 'סלאש', 'א', '.']
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.normalizer.characters import DASH, NAMED_SYMBOLS, SUPERSCRIPTS, reduce_characters
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames

__all__ = ["ADDRESS", "HEBREW", "LETTER", "WORD", "decode_percent", "spell_address"]

# After reduce_characters() a word character is one that is not in these classes. (``\w`` would miss the
# marks, which are vowels in many scripts.)
WORD: Final = f"[^\\s!-/:-@\\[-`{{-~{DASH}{NAMED_SYMBOLS}{SUPERSCRIPTS}•]"
"""A letter, a mark or a digit."""
LETTER: Final = rf"(?!\d){WORD}"
"""A letter or a mark."""

_END_OF_ADDRESS: Final = r"[^\s<>\"'`()\[\]{}|\\" + DASH + "]*"
_LINK: Final = rf"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9]{{1,19}}://|(?ai:www)\.){_END_OF_ADDRESS}"
_EMAIL: Final = rf"(?<!{WORD})(?<![.%+_-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++(?!{WORD})"
_DOMAIN: Final = (
    rf"(?<!{WORD})(?<![.@/_-])(?:[A-Za-z0-9-]++\.)+[A-Za-z]{{2,}}+(?!{WORD})"
    rf"(?:(?::\d{{2,5}}(?=/))?(?:/|%2[Ff]|\?(?=[A-Za-z0-9_.-]++=)){_END_OF_ADDRESS})?"
)
ADDRESS: Final = f"{_LINK}|{_EMAIL}|{_DOMAIN}"
"""A URL, a mail address or a domain with a path. One pattern: an address may contain another one."""

_SIGN: Final = re.compile(r"[!-/:-@\[-`{-~]")
_WEB: Final = re.compile(r"(?ai:^https?://)")
_ENCODED: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ACRONYM_END: Final = re.compile("(?<=[א-ת])[\"'`][א-ת]")
_RAISED: Final = str.maketrans(SUPERSCRIPTS, "0123456789-+")
_REST: Final = str.maketrans(";:*_~'", ",,    ")
"""What follows an address: punctuation that the line can play."""
_TRACKING: Final = re.compile(r"(?<=[?&])utm_[a-z]+=[^&#]*&?")


def spell_address(match: re.Match[str], names: SignNames) -> str:
    """Spell an address without ``https://``, with its encoded letters as letters.

    Another scheme is spelled, and so is ``https://`` inside a longer address. Parameters that only count
    visitors (``utm_source``) are left out.
    """
    whole = match.group()
    body = whole.rstrip(".,;:!?*_~'")
    inside = match.string[max(match.start() - 1, 0) : match.start()] in set("/=&?#%@")
    address = body if inside else _WEB.sub("", body) or body
    address = decode_percent(_TRACKING.sub("", address).rstrip("?&/"))
    address = address.translate(_RAISED)
    spelled = _SIGN.sub(lambda sign: f" {names.get(sign.group(), '')} ", address)
    rest = whole[len(body) :].translate(_REST)
    is_acronym = not rest and _ACRONYM_END.match(match.string, match.end())
    return f" {spelled}" if is_acronym else f" {spelled} {rest}"


def decode_percent(address: str) -> str:
    """Return the address with its encoded characters; what is not valid UTF-8 stays."""
    return _ENCODED.sub(_decode_run, address)


def _decode_run(match: re.Match[str]) -> str:
    try:
        decoded = bytes.fromhex(match.group().replace("%", "")).decode()
    except UnicodeDecodeError:
        return match.group()
    return " ".join(reduce_characters(decoded).split()) or " "
