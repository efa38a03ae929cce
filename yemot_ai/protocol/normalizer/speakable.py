"""Converts any text of a model to messages that the line can play.

All words and numbers are kept; nothing in the text can end its message or start an action.

>>> [str(message) for message in speakable('**צה"ל** נוסד ב-26.5.1948. מחיר: 12.90 ₪ & משלוח!')]
['t-צהל נוסד ב 26 5 1948, מחיר, 12 שקלים ו 90 אגורות ו משלוח!']
>>> [str(message) for message in speakable("טל' 03-1234567, א'-ה' 9:00-17:00")]
['t-טלפון', 'd-031234567', 't-א עד ה 9:00 עד 17:00']
>>> speakable("😀")
[]
"""

from __future__ import annotations

from yemot_ai.protocol.messages import Digits, Text
from yemot_ai.protocol.normalizer.plain_sentence import PLAIN, fits

__all__ = ["speakable"]


def speakable(text: str) -> list[Text | Digits]:
    """Convert written text to messages of up to about 150 words and 900 characters.

    Messages end where sentences end, unless a sentence is longer than a message. Markdown, quotes,
    emoji, references and invisible characters are removed; abbreviations and signs become words: Hebrew
    words, unless the sentence is an English one. Telephone numbers and codes are ``Digits``: how the line
    speaks long digits in a text is not confirmed [?].

    Args:
        text: any text.

    Returns:
        The messages in order; empty if there is nothing to speak.
    """
    plain = PLAIN.fullmatch(text)
    if plain and fits(text):
        return [Text(plain[1])]
    # Hundreds of patterns: an application that speaks only plain sentences never compiles them.
    from yemot_ai.protocol.normalizer.conversion import convert  # noqa: PLC0415

    return convert(text)
