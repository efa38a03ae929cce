"""The action for a payment by credit card.

>>> str(CreditCard("pelecard", "100", max_payments=3, go_back=True))
'credit_card=pelecard,100,,3,,,,,,,,,,,GoBack'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from yemot_ai.protocol.fields.codecs import Choice, Integer
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.fields.text_codecs import EQUALS_SIGN, FreeText, Regex
from yemot_ai.protocol.fields.values import ActionBase

__all__ = ["CreditCard"]

_ANY: Final = FreeText(forbidden=",&", doubtful=EQUALS_SIGN, required=False)
_AMOUNT: Final = Regex(
    re.compile(r"[0-9]+(\.[0-9]{1,2})?"), "a sum such as 100 or 99.90", default="", invalid="^0-9."
)
_LAYOUT: Final = Layout(
    provider=(FreeText(forbidden=",&", doubtful=EQUALS_SIGN), "clearing house"),
    amount=(_AMOUNT, "sum"),
    shop=(_ANY, "shop's number"),
    max_payments=(Integer(), "the most payments"),
    currency=(Choice({"": "", "1": "1", "2": "2"}), "currency, 1 shekel or 2 dollar"),
    deal=(_ANY, "kind of deal"),
    user=(_ANY, "user name"),
    terminal=_ANY,
    password=_ANY,
    return_all=(
        # "any other answer or empty": not sent [OFF]
        Choice({"": None, "no": False, "all": True}, ignores_others=True),
        "whole response of the clearing house is sent",
    ),
    ask_phone=(Choice({"": False, "EnterPhone": True}), "asks for the phone number"),
    ask_name=(Choice({"": False, "NameStt": True}), "asks for the name"),
    no_ask=(Choice({"": False, "NoAsk": True}), "does not ask for approval"),
    token=(Choice({word: word for word in ("", "CreateToken", "CreateTokenOnly")}), "makes a token"),
    go_back=(Choice({"": False, "GoBack": True}), "* leaves"),
)


@dataclass(frozen=True, slots=True)
class CreditCard(ActionBase, name="credit_card", title="take a payment", layout=_LAYOUT):
    """Takes a payment; the next request carries ``CreditCard_CODE`` (and ``CreditCard_All``) [OFF].

    Args:
        provider: the clearing house, e.g. ``pelecard``.
        amount: the sum, e.g. ``100`` or ``99.90``; empty: the caller chooses it [CODE].
        shop: the shop's number.
        max_payments: maximum number of payments.
        currency: ``1`` shekel, ``2`` dollar.
        deal: the clearing house's kind of deal, e.g. ``DebitPaymntsType``.
        user: the shop's user name.
        terminal: the shop's terminal.
        password: the shop's password.
        return_all: send the whole response of the clearing house (``CreditCard_All``); None does with
            ``pelecard`` only [OFF].
        ask_phone: ask for the caller's phone number.
        ask_name: ask for the caller's name by speech.
        no_ask: do not ask for approval.
        token: create a token with the payment, or instead of it.
        go_back: let ``*`` leave (``CreditCard_CODE=GoBack``); else the line asks without end.
    """

    provider: str
    amount: str = ""
    shop: str = ""
    max_payments: int | None = None
    currency: Literal["", "1", "2"] = ""
    deal: str = ""
    user: str = ""
    terminal: str = ""
    password: str = field(default="", repr=False)
    return_all: bool | None = None
    ask_phone: bool = False
    ask_name: bool = False
    no_ask: bool = False
    token: Literal["", "CreateToken", "CreateTokenOnly"] = ""
    go_back: bool = False
