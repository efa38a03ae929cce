"""Days, and the times of the Jewish day, as messages.

>>> str(Zmanim("sunset", "IL/Bney_Brak", "+", "D1")), str(Date(dt.date(2022, 7, 28)))
('z-sunset,IL/Bney_Brak,+,D1', 'date-28/07/2022')
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from yemot_ai.protocol.fields.codecs import CONTROL, Choice, DateText
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import Regex

__all__ = ["Date", "HebrewDate", "Zmanim"]

_TOKEN: Final = f"[^.,&={CONTROL}]"


@dataclass(frozen=True, slots=True)
class Zmanim:
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
    PREFIX: ClassVar = "z"
    TITLE: ClassVar = "a time of the Jewish day"
    LAYOUT: ClassVar = Layout(
        time=Regex(re.compile(f"{_TOKEN}+"), "the name of a time"),
        zone=Regex(re.compile(f"{_TOKEN}*"), "a zone such as IL/Jerusalem", default=""),
        sign=Choice({"": "", "+": "+", "-": "-"}),
        amount=Regex(re.compile("[YMDHmSs][0-9]{1,9}"), "a unit and a number such as D1", default=""),
    )

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"z-{self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class Date:
    """A day, spoken by the general calendar [OFF].

    Args:
        day: the day.
    """

    day: dt.date
    PREFIX: ClassVar = "date"
    TITLE: ClassVar = "a day, general calendar"
    LAYOUT: ClassVar = Layout(day=DateText())

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"date-{self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class HebrewDate:
    """A day, spoken by the Hebrew calendar [OFF].

    Args:
        day: the day, by the general calendar.
    """

    day: dt.date
    PREFIX: ClassVar = "dateH"
    TITLE: ClassVar = "a day, Hebrew calendar"
    LAYOUT: ClassVar = Layout(day=DateText())

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"dateH-{self.LAYOUT.render(self)}"
