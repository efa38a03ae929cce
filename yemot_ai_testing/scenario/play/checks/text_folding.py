"""Normalize Hebrew texts, so that texts that sound the same are equal.

>>> fold_text("צה״ל – שָׁלוֹם.") == fold_text('צה"ל שלום')
True
>>> is_heard("שלום.", "שלום, רב"), is_heard(".", "שלום, רב"), is_heard(",", "שלום, רב")
(True, False, True)
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold_text", "is_heard", "is_whole_text"]

NIQQUD = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
QUOTES = re.compile("[\"'`´‘’‚“”„׳״«»]")
DASHES = re.compile("[\u05be\u2010-\u2015\u2212-]")
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
PAUSE_SIGNS = re.compile(r"[.,;\u2026]+(?=\s|$)")


def fold_text(text: str) -> str:
    """Return ``text`` without what cannot be heard.

    Remove niqqud, quotation marks, direction marks and pauses (``. , ;`` after a word); replace dashes and
    white space by one space; normalize letters to NFC. A response cannot contain a full stop or a quotation
    mark [OFF], so an expectation copied from the model's text must match what the line speaks instead.
    """
    text = NIQQUD.sub("", unicodedata.normalize("NFD", text))
    text = DASHES.sub(" ", QUOTES.sub("", INVISIBLE.sub("", text)))
    text = PAUSE_SIGNS.sub(" ", text)
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_heard(text: str, heard: str) -> bool:
    """Return whether ``text`` sounds like a part of ``heard``.

    A text of nothing but signs, such as ``.``, sounds like nothing: it is compared as it is written.
    """
    folded = fold_text(text)
    return folded in fold_text(heard) if folded else text in heard


def is_whole_text(text: str, heard: str) -> bool:
    """Return whether ``text`` sounds like all of ``heard``; one of nothing but signs as in ``is_heard``."""
    folded = fold_text(text)
    return text == heard if text and not folded else folded == fold_text(heard)
