"""Whole calls, as they are written down before anybody calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from hypothesis import strategies as st

from yemot_ai_testing.doubles.steps import Answer, Drop, Failure, FailureKind, Hang, Step
from yemot_ai_testing.property.strategies.callers import callers
from yemot_ai_testing.property.strategies.kinds import Table, of_kinds
from yemot_ai_testing.property.strategies.texts import model_texts
from yemot_ai_testing.property.strategies.values import values
from yemot_ai_testing.scenario.format.model import Action, CallerSpec, Meanwhile, Place, Scenario, Turn

__all__ = ["SCRIPT_TURNS", "ScriptTurn", "call_scripts"]

ScriptTurn: TypeAlias = Literal[
    "answered", "pieces", "hostile", "pressed", "silent", "repeated", "failed", "hung", "interrupted"
]
SCRIPT_TURNS: Final[tuple[ScriptTurn, ...]] = get_args(ScriptTurn)

_PATH = Path("drawn.call.yaml")


@dataclass(frozen=True, slots=True)
class _Doing:
    """A turn that has no place yet."""

    action: Action
    agent: tuple[Step, ...] = ()
    meanwhile: Meanwhile | None = None


_SECONDS = st.sampled_from([0.0, 1.0, 4.0, 9.0])
_SAID = values("speech").map(lambda text: Action("says", text))
_FAILURES = st.sampled_from(get_args(FailureKind)).map(Failure) | st.just(Drop())
_INTERRUPTING = st.builds(Meanwhile, st.none() | st.sampled_from("0123456789*#"), _SECONDS)


def _asking(step: Step) -> tuple[Step, ...]:
    return (step,)


def _answer(*texts: str, after: float = 0.0) -> tuple[Step, ...]:
    return (Answer(texts, after),)


_TURNS: Final[Table[ScriptTurn, _Doing]] = {
    "answered": [
        st.just(_Doing(Action("says", "שלום"), _answer("שלום"))),
        st.builds(_Doing, _SAID, st.builds(_answer, model_texts("plain"), after=_SECONDS)),
    ],
    "pieces": [
        st.builds(
            _Doing,
            _SAID,
            st.lists(model_texts("plain"), min_size=2, max_size=4).map(lambda texts: _answer(*texts)),
        )
    ],
    "hostile": [
        st.builds(
            _Doing,
            values("padded", "hostile").filter(bool).map(lambda text: Action("says", text)),
            model_texts("protocol", "injection", "markdown", "bidi", "emoji").map(_answer),
        )
    ],
    "pressed": [st.sampled_from("123456789*0").map(lambda key: _Doing(Action("presses", key)))],
    "silent": [st.just(_Doing(Action("silent")))],
    "repeated": [st.just(_Doing(Action("repeats")))],
    "failed": [st.builds(_Doing, _SAID, _FAILURES.map(_asking))],
    "hung": [st.builds(_Doing, _SAID, st.just((Hang(),)))],
    "interrupted": [st.builds(_Doing, _SAID, st.just((Hang(),)), _INTERRUPTING)],
}  # fmt: skip


def call_scripts(
    *turns: ScriptTurn,
    most: int = 8,
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
        most: how many turns a call has at most, without greeting and hang-up.
        caller: who calls, or a strategy for it; None: anybody, to the root.

    >>> from hypothesis import find
    >>> [turn.action.text for turn in find(call_scripts(), lambda script: True).turns]
    ['שלום']
    """
    who = callers(extension="") if caller is None else caller
    return st.builds(
        _script,
        st.booleans(),
        st.lists(of_kinds("call_scripts", _TURNS, turns), min_size=1, max_size=most),
        st.booleans(),
        st.just(who) if isinstance(who, CallerSpec) else who,
    )


def _script(greeted: bool, doings: list[_Doing], hangs_up: bool, caller: CallerSpec) -> Scenario:  # noqa: FBT001 - drawn
    last = next((at for at, doing in enumerate(doings, start=1) if _is_last(doing)), None)
    kept = doings[:last]
    if hangs_up and last is None:
        kept.append(_Doing(Action("hangs_up")))
    first = 2 if greeted else 1
    turns = [
        Turn(Place(_PATH, line, 1), action=doing.action, agent=doing.agent, meanwhile=doing.meanwhile)
        for line, doing in enumerate(kept, start=first)
    ]
    greeting = [Turn(Place(_PATH, 1, 1))] if greeted else []
    return Scenario("שיחה", Place(_PATH, 1, 1), (*greeting, *turns), caller=caller)


def _is_last(doing: _Doing) -> bool:
    """Whether the caller has hung up in the middle of it."""
    return doing.meanwhile is not None and doing.meanwhile.keys is None
