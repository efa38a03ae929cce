"""A strategy for scripts of whole calls, as scenarios."""

from __future__ import annotations

from dataclasses import dataclass
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

__all__ = ["SCRIPT_TURN_KINDS", "ScriptTurnKind", "call_scripts"]

ScriptTurnKind: TypeAlias = Literal[
    "answered", "pieces", "hostile", "pressed", "silent", "repeated", "failed", "hung", "interrupted"
]
SCRIPT_TURN_KINDS: Final[tuple[ScriptTurnKind, ...]] = get_args(ScriptTurnKind)

_PATH = Path("drawn.call.yaml")


@dataclass(frozen=True, slots=True)
class _TurnDraft:
    """A turn without a source location."""

    action: CallerAction
    agent: tuple[Step, ...] = ()
    interruption: InterruptionSpec | None = None


_SECONDS = st.sampled_from([0.0, 1.0, 4.0, 9.0])
_SAYS = values("speech").map(lambda text: CallerAction("says", text))
_FAILURES = st.sampled_from(get_args(FailureKind)).map(Failure) | st.just(Drop())
_INTERRUPTIONS = st.builds(InterruptionSpec, st.none() | st.sampled_from("0123456789*#"), _SECONDS)


def _one_step(step: Step) -> tuple[Step, ...]:
    return (step,)


def _answer(*texts: str, after: float = 0.0) -> tuple[Step, ...]:
    return (Answer(texts, after),)


_TURNS: Final[KindTable[ScriptTurnKind, _TurnDraft]] = {
    "answered": [
        st.just(_TurnDraft(CallerAction("says", "שלום"), _answer("שלום"))),
        st.builds(_TurnDraft, _SAYS, st.builds(_answer, model_texts("plain"), after=_SECONDS)),
    ],
    "pieces": [
        st.builds(
            _TurnDraft,
            _SAYS,
            st.lists(model_texts("plain"), min_size=2, max_size=4).map(lambda texts: _answer(*texts)),
        )
    ],
    "hostile": [
        st.builds(
            _TurnDraft,
            values("padded", "hostile").filter(bool).map(lambda text: CallerAction("says", text)),
            model_texts("protocol", "injection", "markdown", "bidi", "emoji").map(_answer),
        )
    ],
    "pressed": [st.sampled_from("123456789*0").map(lambda key: _TurnDraft(CallerAction("presses", key)))],
    "silent": [st.just(_TurnDraft(CallerAction("silent")))],
    "repeated": [st.just(_TurnDraft(CallerAction("repeats")))],
    "failed": [st.builds(_TurnDraft, _SAYS, _FAILURES.map(_one_step))],
    "hung": [st.builds(_TurnDraft, _SAYS, st.just((Hang(),)))],
    "interrupted": [st.builds(_TurnDraft, _SAYS, st.just((Hang(),)), _INTERRUPTIONS)],
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


def _script(greeted: bool, drafts: list[_TurnDraft], hangs_up: bool, caller: CallerSpec) -> Scenario:  # noqa: FBT001 - drawn
    last = next((at for at, draft in enumerate(drafts, start=1) if _ends_call(draft)), None)
    played = drafts[:last]
    if hangs_up and last is None:
        played.append(_TurnDraft(CallerAction("hangs_up")))
    first = 2 if greeted else 1
    turns = [
        ScenarioTurn(
            SourceLocation(_PATH, line, 1),
            action=draft.action,
            agent=draft.agent,
            interruption=draft.interruption,
        )
        for line, draft in enumerate(played, start=first)
    ]
    greeting = [ScenarioTurn(SourceLocation(_PATH, 1, 1))] if greeted else []
    return Scenario("שיחה", SourceLocation(_PATH, 1, 1), (*greeting, *turns), caller=caller)


def _ends_call(draft: _TurnDraft) -> bool:
    """Return whether the caller hangs up during the turn."""
    return draft.interruption is not None and draft.interruption.keys is None
