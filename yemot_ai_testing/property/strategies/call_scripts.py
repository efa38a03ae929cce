"""Whole calls, as they are written down before anybody calls."""

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
    """A turn that has no place yet."""

    action: CallerAction
    agent: tuple[Step, ...] = ()
    interruption: InterruptionSpec | None = None


_SECONDS = st.sampled_from([0.0, 1.0, 4.0, 9.0])
_SAID = values("speech").map(lambda text: CallerAction("says", text))
_FAILURES = st.sampled_from(get_args(FailureKind)).map(Failure) | st.just(Drop())
_INTERRUPTING = st.builds(InterruptionSpec, st.none() | st.sampled_from("0123456789*#"), _SECONDS)


def _one_step(step: Step) -> tuple[Step, ...]:
    return (step,)


def _answer(*texts: str, after: float = 0.0) -> tuple[Step, ...]:
    return (Answer(texts, after),)


_TURNS: Final[KindTable[ScriptTurnKind, _TurnDraft]] = {
    "answered": [
        st.just(_TurnDraft(CallerAction("says", "שלום"), _answer("שלום"))),
        st.builds(_TurnDraft, _SAID, st.builds(_answer, model_texts("plain"), after=_SECONDS)),
    ],
    "pieces": [
        st.builds(
            _TurnDraft,
            _SAID,
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
    "failed": [st.builds(_TurnDraft, _SAID, _FAILURES.map(_one_step))],
    "hung": [st.builds(_TurnDraft, _SAID, st.just((Hang(),)))],
    "interrupted": [st.builds(_TurnDraft, _SAID, st.just((Hang(),)), _INTERRUPTING)],
}  # fmt: skip


def call_scripts(
    *turns: ScriptTurnKind,
    max_turns: int = 8,
    caller: CallerSpec | st.SearchStrategy[CallerSpec] | None = None,
) -> st.SearchStrategy[Scenario]:
    """Return a strategy for whole calls in the model of ``*.call.yaml`` files.

    A call begins with the greeting, or with the caller's first verb, has one turn or more, and may end
    with a hang-up. The caller says something and is ``answered`` by the model, at once or in ``pieces``;
    one of them is ``hostile``; the caller is ``silent`` or has ``pressed`` a key; the line has ``repeated``
    its last request; the model ``failed``, or ``hung``; or it hung and the caller ``interrupted`` it by a
    key or a hang-up, after which nothing more is done.

    Args:
        turns: the kinds of turns that are wanted; all of them if none is named.
        max_turns: how many turns a call has at most, without greeting and hang-up.
        caller: who calls, or a strategy for it; None: anybody, to the root.

    >>> from hypothesis import find
    >>> [turn.action.text for turn in find(call_scripts(), lambda script: True).turns]
    ['שלום']
    """
    who = callers(extension="") if caller is None else caller
    return st.builds(
        _script,
        st.booleans(),
        st.lists(of_kinds("call_scripts", _TURNS, turns), min_size=1, max_size=max_turns),
        st.booleans(),
        st.just(who) if isinstance(who, CallerSpec) else who,
    )


def _script(greeted: bool, doings: list[_TurnDraft], hangs_up: bool, caller: CallerSpec) -> Scenario:  # noqa: FBT001 - drawn
    last = next((at for at, doing in enumerate(doings, start=1) if _ends_call(doing)), None)
    kept = doings[:last]
    if hangs_up and last is None:
        kept.append(_TurnDraft(CallerAction("hangs_up")))
    first = 2 if greeted else 1
    turns = [
        ScenarioTurn(
            SourceLocation(_PATH, line, 1),
            action=doing.action,
            agent=doing.agent,
            interruption=doing.interruption,
        )
        for line, doing in enumerate(kept, start=first)
    ]
    greeting = [ScenarioTurn(SourceLocation(_PATH, 1, 1))] if greeted else []
    return Scenario("שיחה", SourceLocation(_PATH, 1, 1), (*greeting, *turns), caller=caller)


def _ends_call(doing: _TurnDraft) -> bool:
    """Whether the caller has hung up in the middle of it."""
    return doing.interruption is not None and doing.interruption.keys is None
