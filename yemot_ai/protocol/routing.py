"""Actions that connect the caller to another phone or system.

>>> str(RoutingYemot("0773137770")), str(Routing(("0581234567", "0533137770")))
('routing_yemot=0773137770', 'routing=0581234567.0533137770')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from yemot_ai.protocol.fields.codecs import Choice, PhoneNumbers, phone_warnings
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import EQUALS_SIGN, FreeText
from yemot_ai.protocol.fields.values import ActionBase

__all__ = ["Routing", "RoutingYemot"]

_ANY: Final = FreeText(forbidden=",&", doubtful=EQUALS_SIGN, required=False)
_NUMBER: Final = FreeText(forbidden=",&=", find_more=phone_warnings)
_EMPTY: Final = Choice({"": None})
_ROUTING: Final = Layout(
    numbers=(PhoneNumbers(required=True), "numbers to dial"),
    start=_ANY,
    _tor=_EMPTY,
    multiple=(Choice({"": False, "no": False, "yes": True}), "several are dialled at once"),
    dial=(PhoneNumbers(), "which of the numbers are dialled"),
    your_id=(_ANY, "number shown"),
    record=_ANY,
    _sms=_EMPTY,
    end_time=_ANY,
    end_goto=(_ANY, "where to go afterwards"),
    music=_ANY,
    answer_play=_ANY,
    answer_tfr=_ANY,
    tfr_hangup_goto=_ANY,
    email=_ANY,
    email_name=_ANY,
)


@dataclass(frozen=True, slots=True)
class RoutingYemot(
    ActionBase, name="routing_yemot", title="hand over to another system", layout=Layout(number=_NUMBER)
):
    """Moves the caller to another system of the platform [OFF].

    Args:
        number: the system's number.
    """

    number: str


@dataclass(frozen=True, slots=True)
class Routing(ActionBase, name="routing", title="dial other phones", layout=_ROUTING):
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
