"""One call of a load test: does what is planned, and reports each turn with its silence and its errors."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from yemot_ai.protocol import lint
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.history import CallerSpoke, FaultInjected, History
from yemot_ai_testing.history.recorders.app import call_name, record_request, record_response
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.transports.transport import (
    STRICT_HTTP,
    HTTPRules,
    Pairs,
    Transport,
    TransportResponse,
)
from yemot_ai_testing.load.plan import LoadPlan, PlannedCall, numbered
from yemot_ai_testing.scenario.format.model import CallerAction
from yemot_ai_testing.scenario.play.runner import perform_action

__all__ = ["LoadCaller", "LoadTurn", "RecordedTransport", "open_caller"]


CALL_ID_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class LoadTurn:
    """One turn of a call.

    Attributes:
        name: what the caller did.
        dead_air: the longest silence until the line waited for the caller, in seconds; None at a hang-up.
        errors: what went wrong, each as (kind, message): the code of a ``LineError``, or ``endless``,
            ``wrong-verb`` or ``ended``.
    """

    name: str
    dead_air: float | None
    errors: tuple[tuple[str, str], ...] = ()


class RecordedTransport(Transport):
    """Records the requests and responses of a transport in a history.

    Args:
        transport: what sends the requests.
        history: where the events are added.
    """

    def __init__(self, transport: Transport, history: History) -> None:
        self._transport = transport
        self._history = history

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Send one request; see ``Transport``."""
        number = record_request(self._history, pairs)
        response = self._transport.send(pairs, timeout=timeout, rules=rules)
        fault = response.fault
        if fault is not None or _is_invalid(response.body, pairs):
            # It is counted as an error: that this utterance is not answered then, is no second one.
            kind = "invalid" if fault is None else fault.code
            self._history.add(FaultInjected(self._history.now(), kind, _call_of(pairs)))
        record_response(self._history, number, response.body, fault="" if fault is None else fault.code)
        return response

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


def open_caller(plan: LoadPlan, planned: PlannedCall) -> Caller:
    """Return the simulated line of one call.

    Raises:
        AppError: the URL is none of a line, or the caller has settings that the line does not have.
    """
    line: Any = planned.line
    call_id = secrets.token_hex(CALL_ID_BYTES).rjust(40, "0")  # short in messages
    phone, extension, method = planned.phone, planned.extension, planned.method
    return Caller(
        plan.url, phone, extension, method, strict=False, remote=plan.remote, call_id=call_id, **line
    )


@dataclass(slots=True)
class LoadCaller:
    """A caller.

    Attributes:
        caller: the simulated line.
        planned: what the caller does.
        history: where utterances are recorded.
        ids: the IDs of utterances, from ``FIRST_UTTERANCE_ID``.
        on_turn: called with each turn.
        turns: the turns so far.
    """

    caller: Caller
    planned: PlannedCall
    history: History
    ids: Iterator[int]
    on_turn: Callable[[LoadTurn], object]
    turns: list[LoadTurn] = field(default_factory=list)

    def run(self) -> None:
        """Call until the plan is done, the call is over, or it cannot go on."""
        try:
            self._turn("dials", self.caller.dial)
            for action in self.planned.actions:
                if self.turns[-1].errors or not self._perform(action):
                    break
        finally:
            if not self.caller.ended:
                self._turn("hangs up", self.caller.hangs_up)
            self.caller.close()

    def _perform(self, action: CallerAction) -> bool:
        """Do the next step of the plan; return whether another may follow."""
        if action.verb == "hangs_up":
            return False
        if self.caller.ended:
            message = f"the call is over, and the caller still {_verb(action)}"
            self._report(LoadTurn(_verb(action), None, (("ended", message),)))
            return False
        spoken = self._spoken(action)
        self._turn(_verb(action), lambda: perform_action(self.caller, spoken))
        return True

    def _spoken(self, action: CallerAction) -> CallerAction:
        """Return an action with its own number, and record it as an utterance; others stay as they are."""
        if action.verb != "says":
            return action
        utterance_id = str(next(self.ids))
        text = numbered(action.text, utterance_id)
        if text is None:
            return action
        self.history.add(CallerSpoke(self.history.now(), call_name(self.caller.call_id), utterance_id))
        return CallerAction("says", text)

    def _turn(self, name: str, verb: Callable[[], object]) -> None:
        before, failed = len(self.caller.problems), []
        try:
            verb()
        except EndlessLineError as error:
            failed = [("endless", str(error))]
        except WrongVerbError as error:
            failed = [("wrong-verb", str(error))]
        # Each kind once: after an error the line ends the call, and its hang-up may fail for the same reason.
        found = reversed(self.caller.problems[before:])
        errors = {one.code: one.message for one in found if one.level == "error"}
        dead_air = None if name == "hangs up" else self.caller.dead_air
        self._report(LoadTurn(name, dead_air, (*reversed(errors.items()), *failed)))

    def _report(self, turn: LoadTurn) -> None:
        self.turns.append(turn)
        self.on_turn(turn)


def _is_invalid(body: str, pairs: Pairs) -> bool:
    """Whether the line plays M1607 instead of this response; it does not use one to a hang-up."""
    if ("hangup", "yes") in pairs:
        return False
    return any(problem.level == "error" for problem in lint(body, [name for name, _ in pairs]))


def _verb(action: CallerAction) -> str:
    return {"silent": "is silent"}.get(action.verb, action.verb)


def _call_of(pairs: Pairs) -> str:
    return call_name(dict(pairs).get("ApiCallId", ""))
