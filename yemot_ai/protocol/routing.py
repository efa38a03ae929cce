"""Actions that connect the caller to another phone or system.

>>> str(RoutingYemot("0773137770")), str(Routing(("0581234567", "0533137770")))
('routing_yemot=0773137770', 'routing=0581234567.0533137770')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from yemot_ai.protocol.fields.codecs import Choice, Constant, PhoneNumbers
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import FreeText, Regex

__all__ = ["Routing", "RoutingYemot"]

_ANY: Final = FreeText(forbidden=",&=", required=False)


@dataclass(frozen=True, slots=True)
class RoutingYemot:
    """Moves the caller to another system of the platform [OFF].

    Args:
        number: the system's number.
    """

    number: str
    NAME: ClassVar = "routing_yemot"
    TITLE: ClassVar = "hand over to another system"
    LAYOUT: ClassVar = Layout(
        number=Regex(re.compile("[0-9]{1,20}"), "a phone number of up to 20 digits", invalid="^0-9")
    )

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"routing_yemot={self.LAYOUT.render(self)}"


@dataclass(frozen=True, slots=True)
class Routing:
    """Dials other phones for the caller [OFF].

    The values of most fields are sent unchecked; the official text describes them.

    Args:
        numbers: the numbers to dial.
        start: field 2.
        multiple: field 4: dial several at once.
        dial: field 5: which of the numbers to dial, e.g. ``("1", "2")``.
        your_id: field 6: the number shown.
        record: field 7.
        end_time: field 9.
        end_goto: field 10: where to go afterwards.
        music: field 11.
        answer_play: field 12.
        answer_tfr: field 13.
        tfr_hangup_goto: field 14.
        email: field 15.
        email_name: field 16.
    """

    numbers: tuple[str, ...]
    start: str = ""
    multiple: bool = False
    dial: tuple[str, ...] = ()
    your_id: str = ""
    record: str = ""
    end_time: str = ""
    end_goto: str = ""
    music: str = ""
    answer_play: str = ""
    answer_tfr: str = ""
    tfr_hangup_goto: str = ""
    email: str = ""
    email_name: str = ""
    NAME: ClassVar = "routing"
    TITLE: ClassVar = "dial other phones"
    LAYOUT: ClassVar = Layout(
        numbers=PhoneNumbers(required=True),
        start=_ANY,
        _tor=Constant(),
        multiple=Choice({"": False, "no": False, "yes": True}),
        dial=PhoneNumbers(),
        your_id=_ANY,
        record=_ANY,
        _sms=Constant(),
        end_time=_ANY,
        end_goto=_ANY,
        music=_ANY,
        answer_play=_ANY,
        answer_tfr=_ANY,
        tfr_hangup_goto=_ANY,
        email=_ANY,
        email_name=_ANY,
    ).with_titles(
        numbers="numbers to dial",
        multiple="several are dialled at once",
        dial="which of the numbers are dialled",
        your_id="number shown",
        end_goto="where to go afterwards",
    )

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)

    def __str__(self) -> str:
        return f"routing={self.LAYOUT.render(self)}"
