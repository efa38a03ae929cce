"""A strategy for scripts of whole calls, as scenarios."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from hypothesis import strategies as st

from yemot_ai_testing.doubles.steps import Answer, Drop, Failure, FailureKind, Hang, Step
from yemot_ai_testing.property.strategies.callers import callers
from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.texts import model_texts
from yemot_ai_testing.property.strategies.values import values
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    CallerSpec,
    InterruptionSpec,
    Scenario,
    ScenarioTurn,
    SourceLocation,
)

__all__ = ["ScriptTurnKind", "call_scripts"]

ScriptTurnKind: TypeAlias = Literal[
    "answered", "pieces", "hostile", "pressed", "silent", "repeated", "failed", "hung", "interrupted"
]

_PATH = Path("drawn.call.yaml")

_SECONDS = st.sampled_from([0.0, 1.0, 4.0, 9.0])
_SAYS = values("speech").map(lambda text: CallerAction("says", text))
_FAILURES = st.sampled_from(get_args(FailureKind)).map(Failure) | st.just(Drop())
_INTERRUPTIONS = st.builds(InterruptionSpec, st.none() | st.sampled_from("0123456789*#"), _SECONDS)


def _turn(
    action: CallerAction, agent: tuple[Step, ...] = (), interruption: InterruptionSpec | None = None
) -> ScenarioTurn:
    return ScenarioTurn(_at(1), action=action, agent=agent, interruption=interruption)


def _at(line: int) -> SourceLocation:
    return SourceLocation(_PATH, line, 1)


def _answer(*texts: str, after: float = 0.0) -> tuple[Step, ...]:
    return (Answer(texts, after),)


_TURNS: Final[KindTable[ScriptTurnKind, ScenarioTurn]] = {
    "answered": [
        st.just(_turn(CallerAction("says", "שלום"), _answer("שלום"))),
        st.builds(_turn, _SAYS, st.builds(_answer, model_texts("plain"), after=_SECONDS)),
    ],
    "pieces": [
        st.builds(
            _turn,
            _SAYS,
            st.lists(model_texts("plain"), min_size=2, max_size=4).map(lambda texts: _answer(*texts)),
        )
    ],
    "hostile": [
        st.builds(
            _turn,
            values("padded", "hostile").filter(bool).map(lambda text: CallerAction("says", text)),
            model_texts("protocol", "injection", "markdown", "bidi", "emoji").map(_answer),
        )
    ],
    "pressed": [st.sampled_from("123456789*0").map(lambda key: _turn(CallerAction("presses", key)))],
    "silent": [st.just(_turn(CallerAction("silent")))],
    "repeated": [st.just(_turn(CallerAction("repeats")))],
    "failed": [st.builds(_turn, _SAYS, _FAILURES.map(lambda step: (step,)))],
    "hung": [st.builds(_turn, _SAYS, st.just((Hang(),)))],
    "interrupted": [st.builds(_turn, _SAYS, st.just((Hang(),)), _INTERRUPTIONS)],
}  # fmt: skip


def call_scripts(
    *turns: ScriptTurnKind,
    max_turns: int = 8,
    caller: CallerSpec | st.SearchStrategy[CallerSpec] | None = None,
) -> st.SearchStrategy[Scenario]:
    """Return a strategy for whole calls, as ``Scenario`` values of ``*.call.yaml`` files.

    A call starts with the greeting or the caller's first verb, has at least one turn, and may end with a
    hang-up. Kinds of turns: the caller speaks and the model has ``answered``, whole or in ``pieces``; the
    utterance and the answer are ``hostile``; the caller was ``silent`` or has ``pressed`` a key; the line
    has ``repeated`` its last request; the model has ``failed`` or ``hung``; or it hung and the caller has
    ``interrupted`` it with a key or a hang-up; a hang-up ends the call.

    Args:
        turns: the kinds of turns to draw from; all if none is named.
        max_turns: the most turns of a call, without greeting and hang-up.
        caller: the caller, or a strategy for it; None draws any caller, to the root.

    >>> from hypothesis import find
    >>> [turn.action.text for turn in find(call_scripts(), lambda script: True).turns]
    ['שלום']
    """
    callers_ = callers(extension="") if caller is None else caller
    return st.builds(
        _script,
        st.booleans(),
        st.lists(of_kinds("call_scripts", _TURNS, turns), min_size=1, max_size=max_turns),
        st.booleans(),
        st.just(callers_) if isinstance(callers_, CallerSpec) else callers_,
    )


def _script(greeted: bool, drawn: list[ScenarioTurn], hangs_up: bool, caller: CallerSpec) -> Scenario:  # noqa: FBT001 - drawn
    last = next((number for number, turn in enumerate(drawn, start=1) if _ends_call(turn)), None)
    greeting = [ScenarioTurn(_at(1))] if greeted else []
    hangup = [_turn(CallerAction("hangs_up"))] if hangs_up and last is None else []
    turns = enumerate([*greeting, *drawn[:last], *hangup], start=1)
    located = tuple(replace(turn, location=_at(line)) for line, turn in turns)
    return Scenario("שיחה", _at(1), located, caller=caller)


def _ends_call(turn: ScenarioTurn) -> bool:
    """Return whether the caller hangs up during the turn."""
    return turn.interruption is not None and turn.interruption.keys is None
