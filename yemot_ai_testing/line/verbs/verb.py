"""A verb of the caller: it is checked against the state of the call before it is performed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from yemot_ai_testing.errors import CallOverError, WrongVerbError
from yemot_ai_testing.line.states import Idle, Performing, Requesting, State, has_left

__all__ = ["Verb", "wrong_verb_error"]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb that is possible in the state of the call.

    Attributes:
        seconds: how long the caller takes to do it.
        perform: applies it to the call.
    """

    seconds: float
    perform: Callable[[], None]


def wrong_verb_error(verb: str, state: State) -> WrongVerbError:
    """Return the error of a verb that the line does not wait for."""
    takes_no_verb = isinstance(state, Idle | Requesting | Performing) or has_left(state)
    kind = CallOverError if takes_no_verb else WrongVerbError
    return kind(verb, waits_for=state.waits_for, hint=state.hint)
