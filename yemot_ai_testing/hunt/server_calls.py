"""Random calls to a server, in real time, several at once."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from yemot_ai_testing.doubles.script import Script
from yemot_ai_testing.doubles.steps import Answer, Step
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.history import (
    Budget,
    CallerSpoke,
    History,
    LoopDetected,
    RecordedApp,
    StallDetector,
    Violation,
    ViolationKind,
    check,
)
from yemot_ai_testing.history.correlation import answer_text, utterance_text
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.hunt.caller_path import CallerPath
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.transports.detect import transport_for
from yemot_ai_testing.line.transports.transport import Method, RequestEncoding
from yemot_ai_testing.property import MachineCall
from yemot_ai_testing.scenario.format.model import CallerAction

__all__ = ["CALLERS", "EchoScript", "ServerCall", "ServerEvening"]

CALLERS: Final = 4
"""Callers at once."""

MAX_ACTIONS: Final = 5
"""The most actions of a call."""

SILENCES: Final = 10
"""Silences in a row after which the server must have ended the call, as in ``CallMachine``."""

CALL_ID_BYTES: Final = 5

ACTIONS: Final = ("speaks", "speaks", "speaks", "is silent", "repeats", "sends again", "stays silent")


class EchoScript(Script):
    """A script without an end: each answer names the prompt, and has its number.

    Attributes:
        prompts: what the model was asked.
    """

    __slots__ = ("_prompt_lock", "prompts")

    def __init__(self) -> None:
        super().__init__()
        self.prompts: list[str] = []
        self._prompt_lock = threading.Lock()

    def take(self, prompt: str) -> Step | None:
        """Return an answer."""
        with self._prompt_lock:
            self.prompts.append(prompt)
            return Answer((answer_text(str(len(self.prompts)), prompt),))


class RecordedServer(RecordedApp):
    """A server whose requests are recorded; it may be on another machine."""

    def replace_app(self, app: object) -> None:
        """Send further requests to the server at the URL ``app``."""
        self._app = app
        encoding = RequestEncoding(method=self._method)
        self._transport = transport_for(app, encoding, clock=self.clock, remote=True)


@dataclass(slots=True)
class ServerCall:
    """One call of an evening; ``run`` is the caller's thread.

    Attributes:
        recorded: the server.
        history: the history of the evening.
        call: the call.
        rng: chooses what the caller does.
        path: what the caller does before.
        first_utterance_id: the ID of the first utterance.
        answers: returns the steps of a scenario for an utterance; the model is not scripted without steps.
        failure: an error of this program in the thread.
    """

    recorded: RecordedApp
    history: History
    call: MachineCall
    rng: random.Random
    path: CallerPath
    first_utterance_id: int
    answers: Callable[[str], Step | None]
    failure: BaseException | None = None

    def run(self) -> None:
        """Call, do random things, and hang up."""
        try:
            self._run_verb(self.call.caller.dial)
            for action in self.path:
                self._perform(action)
            for number in range(self.rng.randint(1, MAX_ACTIONS)):
                self._act(self.rng.choice(ACTIONS), str(self.first_utterance_id + number))
            self.call.hang_up()
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            self.failure = error

    def _act(self, what: str, utterance_id: str) -> None:
        if not self.call.awaits_speech:
            return
        match what:
            case "speaks":
                name = call_name(self.call.caller.call_id)
                self.history.add(CallerSpoke(self.history.now(), name, utterance_id))
                self.call.utterance_ids.append(utterance_id)
                self._perform(self.call.speech_action(utterance_id), self.answers(utterance_id))
            case "is silent":
                self._perform(CallerAction("silent"))
            case "repeats":
                self._perform(CallerAction("repeats"))
            case "sends again":
                self.call.inexpressible.append("a request was repeated")
                self.recorded.resend(self.call.caller.call_id)
            case "stays silent":
                self._stay_silent()

    def _stay_silent(self) -> None:
        turns = len(self.call.turns)
        for _ in range(SILENCES):
            if self.call.awaits_speech:
                self._perform(CallerAction("silent"))
        if self.call.awaits_speech:
            self.call.must_have_ended(len(self.call.turns) - turns)
            self._note_loop(f"was silent {SILENCES} times in a row, and the call has not ended")

    def _perform(self, action: CallerAction, step: Step | None = None) -> None:
        if self.call.has_ended or self.call.caller.question is None:
            return
        self.call.record_turn(action, step=step)
        self._run_verb(lambda: self.call.perform(action))

    def _run_verb(self, verb: Callable[[], object]) -> None:
        try:
            verb()
        except EndlessLineError as error:
            self._note_loop(f"loops: {error.requests} requests, and the line does not wait for the caller")
            self.call.has_ended = True
        except WrongVerbError:  # a step of a path that does not fit this time
            self.call.turns.pop()

    def _note_loop(self, why: str) -> None:
        name = call_name(self.call.caller.call_id)
        self.history.add(LoopDetected(self.history.now(), name, why))


def _history_from_now() -> History:
    started_at = time.monotonic()
    return History(now=lambda: time.monotonic() - started_at)


@dataclass(slots=True)
class ServerEvening:
    """Several callers at once.

    Args:
        url: the server.
        extension: the extension that callers dial.
        path: what they do until the server listens.
        phones: their numbers.
        methods: how the line sends its requests.
        rng: chooses what they do.
        script: the model of the server, if it is replaced.

    Attributes:
        history: the recorded history.
        calls: the calls.
    """

    url: str
    extension: str
    path: CallerPath
    phones: Sequence[str]
    methods: Sequence[Method]
    rng: random.Random
    script: EchoScript | None = None
    history: History = field(default_factory=_history_from_now)
    calls: list[MachineCall] = field(default_factory=list)

    def run(self) -> None:
        """Let all callers call at once, and wait for them."""
        callers = [self._caller(number) for number in range(CALLERS)]
        threads = [threading.Thread(target=one.run, daemon=True) for one in callers]
        with StallDetector(self.history):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for one in callers:
            if one.failure is not None:
                raise one.failure

    def violations(self, kinds: Collection[ViolationKind], budget: Budget) -> list[Violation]:
        """Return the violations of these kinds."""
        return [one for one in check(self.history, budget) if one.kind in kinds]

    def _caller(self, number: int) -> ServerCall:
        method = self.rng.choice(self.methods)
        recorded = RecordedServer(self.url, self.history, method=method)
        # Not of the seed: the server may remember the calls of an earlier hunt.
        call_id = secrets.token_hex(CALL_ID_BYTES).rjust(40, "0")
        phone = self.phones[number % len(self.phones)]
        caller = Caller(recorded, phone, self.extension, clock=recorded.clock, strict=False, call_id=call_id)
        call = MachineCall(caller, method)
        call.inexpressible.append(f"{CALLERS} callers called at once, in real time")
        self.calls.append(call)
        first_utterance_id = 7001 + number * MAX_ACTIONS
        rng = random.Random(self.rng.random())  # noqa: S311 - not for security
        return ServerCall(recorded, self.history, call, rng, self.path, first_utterance_id, self._answer)

    def _answer(self, utterance_id: str) -> Step | None:
        """Return the step of a scenario that answers as the model of this evening does."""
        if self.script is None or not self.script.prompts:
            return None
        return Answer((answer_text("1", utterance_text(utterance_id)),))
