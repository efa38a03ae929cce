"""Days, and the times of the Jewish day, as messages.

>>> str(Zmanim("sunset", "IL/Bney_Brak", "+", "D1")), str(Date(dt.date(2022, 7, 28)))
('z-sunset,IL/Bney_Brak,+,D1', 'date-28/07/2022')
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, Literal

from yemot_ai.protocol.fields.codecs import CONTROL, Choice, DateText
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import Regex
from yemot_ai.protocol.fields.values import MessageBase

__all__ = ["Date", "HebrewDate", "Zmanim"]

_TOKEN: Final = f"[^.,&={CONTROL}]"
_ZMANIM: Final = Layout(
    time=Regex(re.compile(f"{_TOKEN}+"), "the name of a time"),
    zone=Regex(re.compile(f"{_TOKEN}*"), "a zone such as IL/Jerusalem", default=""),
    sign=Choice({"": "", "+": "+", "-": "-"}),
    amount=Regex(re.compile("[YMDHmSs][0-9]+"), "a unit and a number such as D1", default=""),
)


@dataclass(frozen=True, slots=True)
class Zmanim(MessageBase, prefix="z", title="a time of the Jewish day", layout=_ZMANIM):
    """A time of the Jewish day [OFF].

    Args:
        time: the time, e.g. ``sunset``, or ``T`` for now.
        zone: the location, e.g. ``IL/Bney_Brak``; empty for the line's location.
        sign: ``+`` or ``-`` to shift the time.
        amount: the shift: a unit of ``Y M D H m S s`` before a number, e.g. ``D1``.
    """

    time: str
    zone: str = ""
    sign: Literal["", "+", "-"] = ""
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Date(MessageBase, prefix="date", title="a day, general calendar", layout=Layout(day=DateText())):
    """A day, spoken by the general calendar [OFF].

    Args:
        day: the day.
    """

    day: dt.date


@dataclass(frozen=True, slots=True)
class HebrewDate(MessageBase, prefix="dateH", title="a day, Hebrew calendar", layout=Layout(day=DateText())):
    """A day, spoken by the Hebrew calendar [OFF].

    Args:
        day: the day, by the general calendar.
    """

    day: dt.date
