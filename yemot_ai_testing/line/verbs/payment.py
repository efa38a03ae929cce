"""Payments: what the clearing house says goes to the server with the next request [OFF]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai_testing.line.states import Paying
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

if TYPE_CHECKING:
    from yemot_ai_testing.line.call import Call

__all__ = ["pays"]

PAYMENT_SECONDS = 30.0
"""How long typing a card, its date and its number is taken to last."""


def pays(call: Call, code: str, details: str) -> Verb:
    """Return what comes of a card.

    Args:
        call: the call.
        code: ``CreditCard_CODE``.
        details: ``CreditCard_All``, sent where the action has ``all``.

    Raises:
        WrongVerbError: the line takes no payment now.
    """
    state = call.state
    if not isinstance(state, Paying):
        raise wrong_verb_error("pays", state)
    said = [("CreditCard_CODE", code)]
    if state.card.return_all:
        said.append(("CreditCard_All", details or code))
    return Verb(PAYMENT_SECONDS, lambda: call.add_values(*said))
