"""Make the calls of a plan on an application, and write down what was heard as scenarios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from yemot_ai.errors.code_errors import observe_code_errors
from yemot_ai.protocol import Read, Record, Tap, Text, Voice
from yemot_ai_testing.doubles.steps import Answer, Step
from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.exchange import LineExchange, final_read
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.line.transcript import CallerActed, Sound
from yemot_ai_testing.line.verbs.keypad import FROM_FOLDER, LETTER_KEYBOARDS, is_poll
from yemot_ai_testing.mutation.calls.plans import Move, Plan
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    CallFile,
    Expectation,
    ExpectedLeftovers,
    InterruptionSpec,
    LeftoverKind,
    Scenario,
    ScenarioTurn,
    SourceLocation,
)
from yemot_ai_testing.scenario.play.checks.read_fields import read_fields
from yemot_ai_testing.scenario.play.checks.text_folding import fold_text
from yemot_ai_testing.scenario.play.leftovers import LeftoverCounts, model_call_count
from yemot_ai_testing.scenario.play.runner import perform_action
from yemot_ai_testing.scenario.play.target import PlayTarget, RunSettings, load_app, open_target

__all__ = ["UnhealthyCallError", "check_target", "explore"]

NOWHERE: Final = SourceLocation(Path("explored.call.yaml"), 1, 1)
MAX_MENUS: Final = 3
"""How many questions for keys are answered before the caller speaks."""
RECORDING: Final = "/9/000.wav"
LETTERS: Final = "שלום"
READ_FIELDS: Final = {
    Tap: ("mode", "max_digits", "min_digits", "allowed"),
    Voice: ("mode", "language"),
    Record: ("mode",),
}
"""The fields of a question that are expected."""
LEFTOVERS: Final[tuple[LeftoverKind, ...]] = ("sessions_open", "processes")


class UnhealthyCallError(ToolkitError):
    """The line does not understand a response of the healthy application."""


def check_target(target: str, root: Path) -> None:
    """Check that a line can call ``module:attr``.

    Raises:
        ToolkitError: there is no such application, or it cannot be called.
    """
    line = Line.for_app(load_app(target.partition("/")[0], root), Extension())
    line.transport(line.extensions[""])
    line.close()


def explore(plan: Plan, app: str, settings: RunSettings) -> Iterator[CallFile]:
    """Make the calls of a plan.

    Args:
        plan: the calls.
        app: the application, ``module:attr``.
        settings: the settings of the run.

    Yields:
        The calls as scenarios: first one that expects the words, then one that expects nothing else.

    Raises:
        UnhealthyCallError: the line does not understand a response.
    """
    scenarios = [_explore_once(plan, number, app, settings) for number in range(plan.times)]
    for is_exact in (False, True):
        expecting = (replace(one, turns=tuple(_expecting(one.turns, is_exact))) for one in scenarios)
        yield CallFile(NOWHERE.path, plan.name, tuple(expecting))


def _explore_once(plan: Plan, number: int, app: str, settings: RunSettings) -> Scenario:
    with open_target(settings, app) as target, observe_code_errors() as errors:
        call = _ExploredCall(plan, target)
        call.run()
    if errors:
        call.leftovers["errors"] = len(errors)
    name = f"{plan.name} {number + 1}" if plan.times > 1 else plan.name
    return Scenario(
        name,
        NOWHERE,
        tuple(call.turns),
        app=app,
        caller=plan.caller,
        index=number,
        afterwards=ExpectedLeftovers(NOWHERE, call.leftovers),
    )


@dataclass(slots=True)
class _ExploredCall:
    """One call of a plan.

    Attributes:
        plan: what the caller does.
        target: the application and the double of its model.
        turns: what the caller did and heard; the expectations have all that can be expected.
        leftovers: what was left after the call, where it is known.
    """

    plan: Plan
    target: PlayTarget
    turns: list[ScenarioTurn] = field(default_factory=list)
    leftovers: dict[LeftoverKind, int] = field(default_factory=dict)
    _unused: list[Step] = field(default_factory=list)

    def run(self) -> None:
        """Make the call."""
        spec, line = self.plan.caller, dict[str, Any](self.target.line)
        caller = Caller(self.target.app, spec.phone, spec.extension, spec.method, strict=False, **line)
        counts = LeftoverCounts(self.target.app, self.target.double, grace=self.target.grace)
        try:
            self._listen(caller, counts)
            for move in self.plan.moves:
                if not self._make(caller, counts, move):
                    break
        finally:
            if caller.dialled and not caller.ended:
                caller.hangs_up()
            caller.close()
            self._drop_unused_steps()
        if any(problem.level == "error" for problem in caller.problems):
            raise UnhealthyCallError(f"{self.plan.name}: {caller.problems[0].message}")
        self._count(counts)

    def _listen(self, caller: Caller, counts: LeftoverCounts) -> None:
        caller.dial()
        counts.end_turn()
        self.turns.append(ScenarioTurn(NOWHERE, hears=_heard(caller, caller.exchanges, ())))

    def _make(self, caller: Caller, counts: LeftoverCounts, move: Move) -> bool:
        """Make a move; return whether the call continues."""
        for action in _actions(caller, move, self.plan.choice):
            try:
                self._perform(caller, counts, action, move)
            except ToolkitError:  # the line does not wait for it: the call has nothing more to find out
                return False
        return not caller.ended

    def _perform(self, caller: Caller, counts: LeftoverCounts, action: CallerAction, move: Move) -> None:
        double, before = self.target.double, model_call_count(self.target.double)
        may_ask = action.verb in {"says", "records"} or move.kind == "key"
        if double is not None and may_ask and not self._unused:
            self._unused = list(move.agent)
            for step in move.agent:
                double.add(step)
        interruption = None
        if move.kind == "hangs_up_waiting" and may_ask:
            interruption = InterruptionSpec(None, 0.5)
            caller.interrupts(None, after=0.5, when=lambda: model_call_count(double) > before)
        raw, exchange_count = caller.raw, len(caller.exchanges)
        perform_action(caller, action)
        counts.end_turn()
        used = model_call_count(double) - before
        agent, self._unused = tuple(self._unused[:used]), self._unused[used:]
        hears = _heard(caller, caller.exchanges[exchange_count:], agent)
        if action.verb == "repeats":
            hears = replace(hears, same=caller.raw == raw)
        self.turns.append(ScenarioTurn(NOWHERE, (), action, hears, agent, interruption))

    def _drop_unused_steps(self) -> None:
        """Take the steps that no question has used from a double that later calls use, too."""
        script: Any = getattr(self.target.double, "script", None)
        if script is not None:
            for _ in self._unused:
                script.take_if(object)

    def _count(self, counts: LeftoverCounts) -> None:
        known = [kind for kind in LEFTOVERS if counts.count(kind) is not None]
        if not counts.mismatches(dict.fromkeys(known, 0)):
            self.leftovers.update(dict.fromkeys(known, 0))
        agent_turns = counts.count("agent_turns")
        if agent_turns is not None:
            self.leftovers["agent_turns"] = agent_turns


def _actions(caller: Caller, move: Move, choice: int) -> Iterator[CallerAction]:
    match move.kind:
        case "silent":
            yield CallerAction("silent")
        case "repeats":
            yield CallerAction("repeats")
        case "key":
            if caller.question is not None and isinstance(caller.question.mode, Voice):
                yield CallerAction("presses", move.text)
        case "wrong_key":
            yield from _wrong_key(caller.question)
        case _:
            yield from _replies(caller, move.text, choice)


def _replies(caller: Caller, text: str, choice: int) -> Iterator[CallerAction]:
    """Yield keys until the line listens, then the words."""
    for _ in range(MAX_MENUS):
        if caller.question is None or not isinstance(caller.question.mode, Tap):
            break
        yield CallerAction("presses", _keys(caller.question.mode, choice))
    if caller.question is not None and not isinstance(caller.question.mode, Tap):
        is_voice = isinstance(caller.question.mode, Voice)
        yield CallerAction("says", text) if is_voice else CallerAction("records", RECORDING)


def _wrong_key(question: Read | None) -> Iterator[CallerAction]:
    if question is None or not isinstance(question.mode, Tap) or not question.mode.allowed:
        return
    wrong = [key for key in "9876543210" if key not in "".join(question.mode.allowed)]
    if wrong and tuple(question.mode.allowed) != FROM_FOLDER:
        yield CallerAction("presses", wrong[0])


def _keys(tap: Tap, choice: int) -> str:
    """Return keys that a question accepts; a number of several digits begins with 0."""
    if tap.keyboard in LETTER_KEYBOARDS:
        return LETTERS
    offered = [keys for keys in tap.allowed if keys.isdigit()] if tuple(tap.allowed) != FROM_FOLDER else []
    if offered:
        return offered[choice % len(offered)]
    least, most = tap.min_digits or 1, tap.max_digits
    if most == 1:
        return str(choice + 1)
    length = min(max(least, 3), most or max(least, 3))
    keys = "0" + "5" * (length - 1)
    return keys if length == most else f"{keys}#"


def _heard(caller: Caller, exchanges: Sequence[LineExchange], agent: Sequence[Step]) -> Expectation:
    """Return all that can be expected of what was heard since the caller's last action."""
    events = list(takewhile(lambda event: not isinstance(event, CallerActed), reversed(caller.transcript)))
    sentences = [str(event) for event in events[::-1] if isinstance(event, Sound)]
    fillers = set(_fillers(exchanges, agent))
    return Expectation(
        contains=tuple(dict.fromkeys(text for text in sentences if text not in fillers)),
        equals=caller.heard or None,
        read=_read_fields(caller) or None,
        ends=caller.ended or None,
    )


def _fillers(exchanges: Sequence[LineExchange], agent: Sequence[Step]) -> Iterator[str]:
    """Yield what is said while the model thinks: how often depends on the speed of the machine."""
    answer = fold_text(" ".join(step.text for step in agent if isinstance(step, Answer)))
    for exchange in exchanges:
        read = final_read(exchange.body)
        if read is not None and is_poll(read.mode):
            said = (message.text for message in read.messages if isinstance(message, Text))
            yield from (text for text in said if fold_text(text) not in answer)


def _read_fields(caller: Caller) -> dict[str, str]:
    question = caller.question
    if question is None:
        return {}
    fields = read_fields(question, caller.raw)
    return {name: fields[name].corrected for name in READ_FIELDS[type(question.mode)]}


def _expecting(turns: tuple[ScenarioTurn, ...], is_exact: bool) -> Iterator[ScenarioTurn]:  # noqa: FBT001 - one of two forms
    """Yield the turns with the sentences that were heard, or with exactly what was heard."""
    for turn in turns:
        hears = turn.hears or Expectation()
        kept = replace(hears, contains=()) if is_exact else replace(hears, equals=None)
        yield replace(turn, hears=None if kept == Expectation() else kept)
