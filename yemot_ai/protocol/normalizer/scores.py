"""Two numbers with a hyphen: the score of a match, or a range.

>>> is_score(2, 1, "ליברפול ", ""), is_score(3, 5, "", " ימים"), is_score(9, 5, "פתוח ", "")
(True, False, False)
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_score"]

_RESULT: Final = re.compile(
    "ניצח|הפסי|הפסד|תיקו|תוצא|סיימ|הסתיים|נגמר|גבר[הו]? על|הוביל|מוביל|הביס|יתרון|נגד|נבחרת|דרבי"
    "|מכבי|הפועל|בית[\"']*ר (?:ירושלים|תל)|עירוני|בני יהודה|ליברפול|ארסנל|צ'?לסי|מנצ'?סטר|טוטנהאם|יונייטד"
    "|ברצלונה|בר[צס]ה|ריאל(?![א-ת])|אתלטיקו|באיירן|דורטמונד|יובנטוס|מילאן|אינטר(?![א-ת])|אייאקס|בנפיקה"
    "|(?ai:score|won|lost|beat|draw|defeat|liverpool|arsenal|chelsea|real madrid|barcelona)"
)
"""Words of a result, and teams that callers in Israel ask about."""
_MATCH: Final = re.compile(
    "משחק|מחצית|ליג[הת]|גביע|גמר|סט |מערכה|כדור(?:גל|סל|עף|יד)|טניס|(?ai:game|match|final|league|cup)"
)
"""Words of a match, which may stand before a range as well."""
_RANGED: Final = re.compile(
    "(?<![א-ת])[ובלמה]{0,2}(?:גיל|בני|תוך|בין|עמ|קומ|שור|מיד[הו]|כית|חדר|כל|אחרי|לפני|במשך|דק|שע|ימ|רחוב|רח'|שד')[א-ת']*[^,.:]{0,20}$"
)
"""What has a range after it, and not a score."""
_HOURS: Final = re.compile(
    "(?<![א-ת])(?:ו?ב?ה?(?:פתוח|שעות|בין|עובד|שירות|זמין|זמינ)[א-ת]*|עד|מ|[א-ת]'?)[ -]$"
    "|(?ai:open|hours|from|fri) $"
)
_COUNTED: Final = re.compile(
    ' (?:(?!ל)[א-ת]{2,}(?:ים|ות)(?![א-ת])|[א-ת]+"[א-ת](?![א-ת])|אלף|מיליון|(?!goals|points)[a-z]+s(?![a-z]))'
)
"""A noun in the plural, which is counted."""
_HIGHEST_SCORE: Final = 200
_LETTER: Final = re.compile("[A-Za-zא-ת]")
_LAST_HOUR: Final = 24
_FIRST_HOUR: Final = 6
_YEARS: Final = range(1800, 2200)


def is_score(left: int, right: int, before: str, after: str) -> bool:
    """Return whether two numbers are a score or other numbers, and not the ends of a range.

    Numbers in falling order are the ends of a range only if they are hours, years or something counted.

    Args:
        left: the number before the hyphen.
        right: the number after it.
        before: the end of the text before them.
        after: the beginning of the text after them.
    """
    if not (_LETTER.search(before) or _LETTER.search(after)):
        return left > right and not _is_falling_range(left, right, "")
    if _RANGED.search(before) or _COUNTED.match(after):
        return False
    around = before + re.split("[,.;]", after, maxsplit=1)[0]
    if max(left, right) <= _HIGHEST_SCORE and _RESULT.search(around):
        return True
    return left > right and bool(_MATCH.search(around) or not _is_falling_range(left, right, before))


def _is_falling_range(left: int, right: int, before: str) -> bool:
    """Return whether it is opening hours, as ``9-5``, or a year, as ``2024-25``."""
    are_hours = left <= _LAST_HOUR and (left >= _FIRST_HOUR or bool(_HOURS.search(before)))
    return are_hours or (left in _YEARS and right < 100)  # noqa: PLR2004
