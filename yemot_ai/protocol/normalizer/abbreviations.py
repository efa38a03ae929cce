"""Hebrew abbreviations and the words that are spoken for them.

>>> expand_acronym('לעו"ד', "", ""), expand_acronym("צה''ל", "", ""), expand_shortened("רח'", "הרצל", "")
('לעורך דין', 'צהל', 'רחוב')
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ACRONYM", "SHORTENED", "UNIT_ABBREVIATIONS", "expand_acronym", "expand_shortened"]

ACRONYM: Final = "(?<![א-ת])[א-ת]{1,9}(?:\"|''?)[א-ת](?![א-ת\"'])"
"""Letters with a mark before the last one; with a single one it may be a loan word, as צ'ק."""
SHORTENED: Final = "(?<![א-ת'])[א-ת]{1,9}'(?![א-ת'])"
"""Letters with a mark after the last one."""

_ACRONYMS: Final = {
    # titles and professions
    "עוד": "עורך דין", "דר": "דוקטור", "רוח": "רואה חשבון", "יור": "יושב ראש",
    "זל": "זיכרונו לברכה", "עהש": "עליו השלום",
    # time
    "אחהצ": "אחר הצהריים", "לפנהצ": "לפני הצהריים", "אחכ": "אחר כך", "לפנהס": "לפני הספירה",
    "לפנס": "לפני הספירה", "לסהנ": "לספירת הנוצרים", "מוצש": "מוצאי שבת", "ערש": "ערב שבת",
    "מוצשק": "מוצאי שבת קודש", "עשק": "ערב שבת קודש", "שבק": "שבת קודש", "יוט": "יום טוב",
    "חוהמ": "חול המועד", "יוהכ": "יום הכיפורים", "עיוהכ": "ערב יום הכיפורים",
    # connecting words
    "עי": "על ידי", "עפ": "על פי", "עפי": "על פי", "בדכ": "בדרך כלל", "אעפ": "אף על פי",
    "אעפכ": "אף על פי כן",
    "זא": "זאת אומרת", "סהכ": "סך הכול", "הנל": "הנזכר לעיל", "כנל": "כנזכר לעיל", "כיוב": "כיוצא בזה",
    "בכז": "בכל זאת", "עכפ": "על כל פנים", "בעפ": "בעל פה", "עג": "על גבי", "אכ": "אם כן", "ככ": "כל כך",
    "דש": "דרישת שלום", "ביכ": "בית כנסת", "ביהכ": "בית הכנסת", "ביהכנ": "בית הכנסת",
    "עש": "על שם", "אעג": "אף על גב", "מכמ": "מכל מקום",
    # faith
    "בה": "ברוך השם", "בעה": "בעזרת השם", "איה": "אם ירצה השם", "בסד": "בסייעתא דשמיא",
    "הקבה": "הקדוש ברוך הוא", "זצל": "זכר צדיק לברכה", "חו": "חס ושלום", "בלנ": "בלי נדר",
    "סוזקש": "סוף זמן קריאת שמע", "סוזת": "סוף זמן תפילה", "הנהח": "הנץ החמה", "שקהח": "שקיעת החמה",
    "צהכ": "צאת הכוכבים", "רת": "רבנו תם",
    "רח": "ראש חודש", "קש": "קריאת שמע", "מגא": "מגן אברהם", "צאהכ": "צאת הכוכבים",
    "עא": "עמוד א", "עב": "עמוד ב",
    # institutions and documents
    "ביס": "בית ספר", "ביהס": "בית הספר", "ביח": "בית חולים", "ביהח": "בית החולים",
    "תז": "תעודת זהות", "עוש": "עובר ושב", "תד": "תא דואר", "חוד": "חוות דעת", "בעמ": "בערבון מוגבל",
    "מומ": "משא ומתן", "ביהמ": "בית המשפט", "ביהמש": "בית המשפט", "עוס": "עובד סוציאלי", "בכ": "בא כוח",
    "רהמ": "ראש הממשלה",
    # places
    "תא": "תל אביב", "בש": "באר שבע", "פת": "פתח תקווה", "ראשלצ": "ראשון לציון", "רג": "רמת גן",
    "בב": "בני ברק", "ארהב": "ארצות הברית", "חול": "חוץ לארץ",
    # units
    "שח": "שקלים", "קג": "קילוגרם", "קמ": "קילומטר", "סמ": "סנטימטר", "מר": "מטר רבוע", "מל": "מיליליטר",
    "קמש": "קילומטר לשעה", "קמר": "קילומטר רבוע", "סמר": "סנטימטר רבוע", "סמק": "סנטימטר מעוקב",
    "מק": "מטר מעוקב", "קוטש": "קילוואט שעה", "קוש": "קילוואט שעה", "דל": "דציליטר",
}  # fmt: skip
"""The words for the letters of an acronym; one that is not here is spoken as a word, as צה"ל is."""
_SHORTENED: Final = {
    "פרופ": "פרופסור", "דר": "דוקטור", "גב": "גברת", "כב": "כבוד", "אינג": "אינגינר", "אדר": "אדריכל",
    "רח": "רחוב", "שד": "שדרות", "שכ": "שכונת", "מס": "מספר", "עמ": "עמוד", "טל": "טלפון", "דק": "דקות",
    "שנ": "שניות", "וכו": "וכולי", "וגו": "וגומר", "וכד": "וכדומה", "לדוג": "לדוגמה", "סע": "סעיף",
    "סעי": "סעיף", "הל": "הלכות",
    "סי": "סימן", "פס": "פסוק", "כר": "כרך", "חוב": "חוברת", "נק": "נקודות", "יח": "יחידות", "אג": "אגורות",
    "גר": "גרם", "אונ": "אוניברסיטת", "חב": "חברת", "מח": "מחלקת", "קב": "קבוצת", "מע": "מעלות",
    "שע": "שעות", "חד": "חדרים", "טמפ": "טמפרטורה", "מקס": "מקסימום", "מינ": "מינימום",
    "שיחי": "שיחיה", "תחי": "תחיה", "אח": "אחרים",
}  # fmt: skip
"""The words for the letters before a mark; others are spoken as they stand: א', ג'."""
_BEFORE_A_NUMBER: Final = {"ס": "סעיף", "ע": "עמוד"}
"""Single letters that are a word before a number only."""
_BEFORE_A_TIME: Final = {"עהש": "עלות השחר"}
"""What an acronym is before a time, and not elsewhere."""
_UNIT_ACRONYMS: Final = (
    "קג", "קמ", "סמ", "מר", "מל", "קמש", "קמר", "סמר", "סמק", "מק", "קוטש", "קוש",
)  # fmt: skip
_SHORTENED_UNITS: Final = ("חד", "דק", "שנ", "שע", "אג", "גר", "נק", "יח", "מע")
UNIT_ABBREVIATIONS: Final = {
    "ממ": "מילימטר", "מג": "מיליגרם", "קקל": "קילוקלוריות", "סלד": "סיבובים לדקה", "יחד": "יחידות דיור",
    "קוט": "קילוואט", "כפ'": "כפות", "ליט'": "ליטר", "מט'": "מטר", "חוד'": "חודשים",
    "מקג": "מיקרוגרם", "כס": "כוח סוס", "מש": "מטר לשנייה",
    "מ'": "מטר", "ל'": "ליטר", "ש'": "שעות",
    **{letters: _ACRONYMS[letters] for letters in _UNIT_ACRONYMS},
    **{f"{letters}'": _SHORTENED[letters] for letters in _SHORTENED_UNITS},
}  # fmt: skip
"""The units after a number, without the mark inside and with the mark at the end."""

_PREFIXES: Final = re.compile("[ובהלמשכ]{1,3}")
_NAME_OF_GOD: Final = re.compile(
    "(?<![א-ת])[ובהלמשכ]{0,2}(?:עזרת|ברוך|חסדי|דבר|בשם|ברכת|עבודת|יראת|ישועת|שיבח|אהבת|תורת) $"
)
_NUMBERED: Final = re.compile("(?<![א-ת])[ובהלמשכ]?(?:פרק|תהי?לים|מזמור|סימן|פסוק|אות|דף) $")
"""What has a number in Hebrew letters after it."""
_TIME: Final = re.compile(r"[ :-]{1,3}\d{1,2}:\d\d")
_RABBI: Final = re.compile(" [א-ת]{2}")


def expand_acronym(written: str, before: str, after: str) -> str:
    """Return the words for an acronym with its mark, or its letters as a word.

    Args:
        written: the letters with the mark.
        before: the text before them; after the name of a chapter they are its number.
        after: the text after them.
    """
    letters = written.replace('"', "").replace("'", "")
    if _NUMBERED.search(before):
        return letters
    time = _look_up(letters, _BEFORE_A_TIME) if _TIME.match(after) else ""
    return time or _look_up(letters, _ACRONYMS) or letters


def expand_shortened(written: str, after: str, before: str) -> str:
    """Return the word for letters with a mark at their end, or the letters.

    Args:
        written: the letters and the mark.
        after: the text after them.
        before: the text before them.
    """
    letters = written[:-1]
    if letters == "ה" and _NAME_OF_GOD.search(before[-16:]):
        return "השם"
    if letters == "ר" and _RABBI.match(after):
        return "רבי"
    words = _look_up(letters, _SHORTENED)
    if not words and after[:2].strip()[:1].isdigit():
        words = _look_up(letters, _BEFORE_A_NUMBER)
    return words or letters


def _look_up(letters: str, table: dict[str, str]) -> str:
    """Return the words with the prefixes of the letters; empty if they are not in the table."""
    if letters in table:
        return table[letters]
    prefixes = _PREFIXES.match(letters)
    for length in range(1, prefixes.end() + 1 if prefixes else 1):
        if words := table.get(letters[length:]):
            return letters[:length] + words
    return ""
