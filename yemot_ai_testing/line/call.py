"""The platform's side of one call: one typed state at a time, what was collected, where the caller is.

A ``Call`` never decides for the caller. While it is ``Requesting`` it wants to be stepped on; in any other
state it waits for the caller, or is over. The verbs of ``pressing``, ``speaking`` and ``recording`` say what
each state makes of what the caller does; ``acting`` says what it makes of an answer.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from yemot_ai.protocol import Record
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.platform.folders import display_path, parent, resolve
from yemot_ai_testing.line.playback import Playback
from yemot_ai_testing.line.requests import RequestSender
from yemot_ai_testing.line.states import (
    Asking,
    Idle,
    Outside,
    Over,
    Performing,
    RecordingMenu,
    Requesting,
    Transferred,
    open_question,
)

if TYPE_CHECKING:
    from yemot_ai.protocol import Action
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.exchange import LineExchange
    from yemot_ai_testing.line.platform.extension import Extension, PreQuestion
    from yemot_ai_testing.line.platform.settings import LineSettings
    from yemot_ai_testing.line.platform.tree import Line
    from yemot_ai_testing.line.requests import CallerId
    from yemot_ai_testing.line.states import State
    from yemot_ai_testing.line.transcript import Transcript

__all__ = ["Call"]


@dataclass(frozen=True, slots=True)
class _ServingExtension:
    """The last extension in which a server decided: what a hang-up request speaks for [OFF]."""

    extension: str
    extension_settings: Extension


class Call:
    """One call on one line.

    Attributes:
        extension: where the caller is.
        values: what was collected, in order, repeated names included.
        exchanges: every request with its answer.
        problems: what was wrong, in the order of discovery.
        playback: what the caller hears.
    """

    def __init__(self, line: Line, settings: LineSettings, clock: Clock, caller_id: CallerId) -> None:
        self.line = line
        self.settings = settings
        self.clock = clock
        self.caller_id = caller_id
        self.extension = ""
        self.values: list[tuple[str, str]] = []
        self.exchanges: list[LineExchange] = []
        self.problems: list[LineProblem] = []
        self.playback = Playback(clock, line.files, self.problems.append)
        self.lock = threading.RLock()
        self._state: State = Idle()
        self._serving: _ServingExtension | None = None
        self._pending_pre_questions: list[PreQuestion] = []
        self._requests = RequestSender(line, settings, clock, caller_id)
        self._in_flight = False
        self._hangup_request_due = False

    @property
    def state(self) -> State:
        """Where the call stands."""
        return self._state

    @property
    def transcript(self) -> Transcript:
        """Everything that happened."""
        return self.playback.transcript

    @property
    def extension_settings(self) -> Extension | None:
        """The settings of where the caller is; None where the line does not know the place."""
        return self.line.get_extension(self.extension)

    @property
    def is_over(self) -> bool:
        """Whether nothing at all can happen any more."""
        return isinstance(self._state, Over)

    def set_state(self, state: State) -> None:
        """Go on to ``state``; a call that is over stays so."""
        with self.lock:
            if not self.is_over:
                self._state = state

    # -- where the caller goes

    def enter_extension(self, extension: str) -> None:
        """Bring the caller into a folder: a server decides there, or the caller does."""
        place = self.line.get_extension(extension)
        if place is None and self.line.knows_all_extensions:
            self._handle_missing_extension(extension)
            return
        self.extension = extension
        if place is not None and place.is_api and not self.settings.retain_values:
            self.values.clear()
        self.playback.enter_extension(extension, place)
        if place is None:
            self.playback.end_call(f"left for {display_path(extension)}")
            self.set_state(Outside(extension, known=False))
        elif not place.is_api:
            self.set_state(Outside(extension, known=True))
        else:
            self._serving = _ServingExtension(extension, place)
            self._pending_pre_questions = list(place.pre_questions)
            self._ask_next_pre_question()

    def follow_target(self, target: str) -> None:
        """Follow a target of ``go_to_folder``."""
        extension = resolve(self.extension, target)
        if extension is None:
            self.end_by_line("the line hung up")
        else:
            self.enter_extension(extension)

    def leave_extension(self) -> None:
        """[OFF] an answer that says nothing more: to ``api_end_goto``, else one level up."""
        place = self.extension_settings
        if place is not None and place.end_goto is not None:
            self.follow_target(place.end_goto)
            return
        up = parent(self.extension)
        if up is None:
            self.end_by_line("the answer said nothing more, and this was the root")
        else:
            self.enter_extension(up)

    def transfer(self, action: Action) -> None:
        """Lead the caller away from every extension of this line."""
        why = f"left with {action}"
        self.playback.end_call(why)
        self.set_state(Transferred(why))

    def end_by_line(self, reason: str) -> None:
        """End the call from the line's side."""
        self._set_over(reason)
        if self.settings.hangup_after_goto:
            self._send_hangup_request()

    # -- what is asked and answered

    def send_next_request(self) -> None:
        """Send the request that is due, and do what the answer says."""
        home = self._serving
        if home is None or home.extension_settings.link is None:
            self.playback.play_system_message("M1609")
            told = f"{display_path(self.extension)} has no api_link"
            self.problems.append(
                LineProblem("warning", "no-link", told, hint="write api_link=… into ext.ini")
            )
            self.leave_extension()
            return
        self.send(
            self._requests.build_request(home.extension, home.extension_settings, tuple(self.values)), home
        )

    def send(self, pairs: tuple[tuple[str, str], ...], serving: _ServingExtension) -> None:
        """Send ``pairs`` and do what the answer says, unless the caller is gone by then."""
        self._in_flight = True
        exchange = self._requests.send(serving.extension, serving.extension_settings, pairs, self.transcript)
        with self.lock:
            self._in_flight = False
            if self.is_over:  # nobody waits for this answer any more, so it cannot be late
                kept = tuple(problem for problem in exchange.problems if problem.code != "late")
                self._add_exchange(replace(exchange, problems=kept))
            else:
                self._add_exchange(exchange)
                self._perform_response(exchange)
                return
        if self._hangup_request_due:
            self._send_hangup_request()

    def resend(self, exchange: LineExchange) -> None:
        """Send an earlier request again, byte for byte; a call that is over stays so."""
        place = self.line.get_extension(exchange.extension)
        if place is None:
            raise AssertionError
        if not self.is_over:
            self.extension = exchange.extension
            self._serving = _ServingExtension(exchange.extension, place)
            self.set_state(Requesting())
        self.send(exchange.pairs, _ServingExtension(exchange.extension, place))

    def ask(self, asking: Asking) -> None:
        """Ask (again), and wait for the caller."""
        self.playback.play_question(asking.read)
        self.set_state(asking)

    def submit_value(self, value: str) -> None:
        """Add the answer to the open question to what is sent from now on."""
        with self.lock:
            asking = open_question(self._state)
            if asking is None:  # the caller has hung up from another thread
                return
            name = asking.read.name
            self.values.append((name, value))
            if asking.pre_question is not None:
                self._play_key_sound(asking.pre_question, value)
            local = (
                ()
                if self.extension_settings is None
                else self.extension_settings.local_answers.get(f"{name}_{value}", ())
            )
            if local:
                self.set_state(Performing(local))
            elif asking.pre_question is not None:
                self._ask_next_pre_question()
            else:
                self.set_state(Requesting())

    def add_values(self, *pairs: tuple[str, str]) -> None:
        """Collect what no question asked for, and send it."""
        with self.lock:
            self.values.extend(pairs)
            self.set_state(Requesting())

    def hang_up(self) -> None:
        """The caller hangs up, whatever the line is doing; may come from another thread."""
        with self.lock:
            kept = self._recording_to_keep()
            if kept is not None and self.settings.hangup_carries_recording:
                self.values.append(kept)
            self._set_over("the caller hung up")
            self._hangup_request_due = self._in_flight and self.settings.hangup_waits
        if not self._hangup_request_due:
            self._send_hangup_request()

    def recording_value(self, path: str) -> str:
        """Return a recording's path as the server gets it; [?] the exact form."""
        before = {"path": "/", "ivr2": "ivr2:/", "bare": ""}[self.settings.recording_value]
        return f"{before}{path.removeprefix('/')}.wav"

    # -- how that is done

    def _ask_next_pre_question(self) -> None:
        """Ask the next question of ``ext.ini``; when there is none left, the server decides [OFF]."""
        while self._pending_pre_questions:
            question = self._pending_pre_questions.pop(0)
            known = any(name == question.read.name for name, _ in self.values)
            if not (question.read.reuse and known):
                self.ask(Asking(question.read, pre_question=question))
                return
        self.set_state(Requesting())

    def _play_key_sound(self, question: PreQuestion, value: str) -> None:
        for key, file in question.key_sounds:
            if key == value:
                self.playback.play_sound(f"f-{file}", kind="f")

    def _perform_response(self, exchange: LineExchange) -> None:
        if exchange.response is None:
            self.playback.play_system_message("M1607")
            self.leave_extension()
        else:
            self.set_state(Performing(tuple(exchange.response)))

    def _handle_missing_extension(self, extension: str) -> None:
        """A target that is no folder: M1608, and one level up [?]."""
        told = f"{display_path(self.extension)} leads to {display_path(extension)}, which this line does not have"
        way_out = f"there are {self.line.extension_names()}"
        self.problems.append(LineProblem("error", "no-extension", told, hint=way_out))
        self.playback.play_system_message("M1608")
        up = parent(self.extension)
        if up is None:
            self.end_by_line(f"there is no {display_path(extension)}, and this was the root")
        else:
            self.enter_extension(up)

    def _recording_to_keep(self) -> tuple[str, str] | None:
        """Return the recording that a hang-up ends, if it is to be kept [OFF]."""
        asking = open_question(self._state)
        if asking is None or self.extension_settings is None:
            return None
        mode = asking.read.mode
        if not isinstance(mode, Record) or not mode.keep_on_hangup:
            return None
        path = self._state.path if isinstance(self._state, RecordingMenu) else asking.path
        path = path or self.recording_value(
            self.line.files.recording_path(mode, self.extension, self.extension_settings)
        )
        return asking.read.name, path

    def _set_over(self, why: str) -> None:
        self.playback.end_call(why)
        self.set_state(Over(why))

    def _send_hangup_request(self) -> None:
        home = self._serving
        if home is None:
            return
        pairs = self._requests.build_request(home.extension, home.extension_settings, tuple(self.values))
        exchange = self._requests.send_hangup(home.extension, home.extension_settings, pairs, self.extension)
        if exchange is not None:
            self._add_exchange(exchange)

    def _add_exchange(self, exchange: LineExchange) -> None:
        self.exchanges.append(exchange)
        self.problems.extend(exchange.problems)
