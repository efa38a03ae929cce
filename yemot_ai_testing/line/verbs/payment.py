"""Payments: the next request carries the result of the clearing house [OFF]."""

from __future__ import annotations

from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.states import Paying
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

__all__ = ["pays"]

PELECARD = "pelecard"
"""The clearing house whose whole result is sent by default [OFF]."""
PAYMENT_SECONDS = 30.0
"""The assumed duration of typing the card's number and date."""


def pays(call: Call, code: str, details: str) -> Verb:
    """Return the verb of entering a card.

    Args:
        call: the call.
        code: ``CreditCard_CODE``.
        details: ``CreditCard_All``, sent where the action has ``all``, and with Pelecard unless it has
            ``no`` [OFF].

    Raises:
        WrongVerbError: the line takes no payment now.
    """
    state = call.state
    if not isinstance(state, Paying):
        raise wrong_verb_error("pays", state)
    values = [("CreditCard_CODE", code)]
    is_pelecard = state.card.provider.strip().casefold() == PELECARD
    if is_pelecard if state.card.return_all is None else state.card.return_all:
        values.append(("CreditCard_All", details or code))
    return Verb(PAYMENT_SECONDS, lambda: call.add_values(*values))
