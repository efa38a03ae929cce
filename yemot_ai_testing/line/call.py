"""The platform's side of one call: its state, the collected values, and the extension of the caller.

A ``Call`` never decides for the caller. ``Requesting`` and ``Performing`` are steps that the driver takes;
in any other state the call waits for the caller, or is over. The modules of ``verbs`` define what a verb does
in each state, and ``actions`` what a response does.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Literal

from yemot_ai.flow.targets import resolve_target
from yemot_ai.protocol import Action, Record
from yemot_ai_testing.line.clock import Clock
from yemot_ai_testing.line.exchange import LineExchange, LineProblem
from yemot_ai_testing.line.platform.extension import Extension, PreQuestion
from yemot_ai_testing.line.platform.folders import display_path, parent
from yemot_ai_testing.line.platform.ini_file import IniWarning
from yemot_ai_testing.line.platform.settings import LineSettings
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.line.playback import Playback
from yemot_ai_testing.line.requests import CallerId, RequestSender, ServingExtension, Values
from yemot_ai_testing.line.states import (
    Asking,
    Idle,
    Outside,
    Over,
    Performing,
    RecordingMenu,
    Requesting,
    State,
    Transferred,
    open_question,
)
from yemot_ai_testing.line.transcript import CALLER_HUNG_UP, Transcript

__all__ = ["Call"]

NO_HANDLER_HINT = "correct the target; if it is a folder of the platform: Caller(…, extensions={…}) has yours"


class Call:
    """One call on one line.

    Attributes:
        extension: where the caller is.
        values: the collected values, in order, repeated names included.
        exchanges: every request with its response.
        problems: the problems of responses and settings, in the order of discovery.
        playback: what the caller hears.
        lock: guards the state; a hang-up may come from another thread.
    """

    def __init__(self, line: Line, settings: LineSettings, clock: Clock, caller_id: CallerId) -> None:
        self.line = line
        self.settings = settings
        self.clock = clock
        self.extension = ""
        self.values: list[tuple[str, str]] = []
        self.exchanges: list[LineExchange] = []
        self.problems: list[LineProblem] = []
        self.playback = Playback(clock, line.files, self.problems.append)
        self.lock = threading.RLock()
        self._state: State = Idle()
        self._serving: ServingExtension | None = None  # the last one; a hang-up request is sent for it [OFF]
        self._pending_pre_questions: list[PreQuestion] = []
        self._reported_notes: set[IniWarning] = set()
        self._unknown_targets: set[tuple[str, str]] = set()
        self._requests = RequestSender(line, settings, clock, caller_id)
        self._in_flight = False
        self._hangup_request_due = False

    @property
    def state(self) -> State:
        """The state of the call."""
        return self._state

    @property
    def caller_id(self) -> CallerId:
        """The caller's number and the IDs of the call; ``ApiCallId`` may change [LIVE]."""
        return self._requests.caller_id

    @property
    def transcript(self) -> Transcript:
        """All events so far."""
        return self.playback.transcript

    @property
    def extension_settings(self) -> Extension | None:
        """The settings of the caller's extension; None if the line does not know it."""
        return self.line.get_extension(self.extension)

    @property
    def is_over(self) -> bool:
        """Whether the call is over."""
        return isinstance(self._state, Over)

    def set_state(self, state: State) -> None:
        """Change to ``state``; a call that is over stays over."""
        with self.lock:
            if not self.is_over:
                self._state = state

    # -- extensions

    def enter_extension(self, extension: str) -> None:
        """Move the caller into a folder: there a server decides, or the caller does."""
        settings = self.line.get_extension(extension)
        if settings is None and self.line.knows_all_extensions:
            self._handle_missing_extension(extension)
            return
        self.extension = extension
        if settings is not None and settings.is_api and not self.settings.retain_values:
            self.values.clear()
        self._report_notes(settings)
        self.playback.enter_extension(extension, settings)
        if settings is None:
            self.playback.end_call(f"left for {display_path(extension)}")
            self.set_state(Outside(extension, known=False))
        elif not settings.is_api:
            self.set_state(Outside(extension, known=True))
        else:
            self._enter_api_extension(ServingExtension(extension, settings))

    def follow_target(self, target: str) -> None:
        """Follow a target of ``go_to_folder``."""
        extension = resolve_target(self.extension, target)
        if extension is None:
            self.end_by_line("the line hung up")
        else:
            self.enter_extension(extension)

    def check_target(self, target: str) -> None:
        """Report a target of a response for which the flow that it leads to has no handler.

        A folder of the platform may be meant, which no test can know: it is an error if a handler has a
        similar name, or if the call comes here again.
        """
        unknown = self.line.find_unknown_target(self.extension, target)
        if unknown is None:
            return
        step = (self.extension, target)
        is_error = bool(unknown.suggestion) or step in self._unknown_targets
        self._unknown_targets.add(step)
        message = f"{display_path(self.extension)} goes to {target!r}: it {unknown}"
        body = self.exchanges[-1].body if self.exchanges else ""
        level: Literal["error", "warning"] = "error" if is_error else "warning"
        self.problems.append(LineProblem(level, "no-handler", message, body, NO_HANDLER_HINT))

    def leave_extension(self) -> None:
        """Go to ``api_end_goto``, else one level up: the response has no further action [OFF]."""
        settings = self.extension_settings
        if settings is not None and settings.end_goto is not None:
            self.follow_target(settings.end_goto)
            return
        self._go_up("the answer said nothing more, and this was the root")

    def transfer(self, action: Action) -> None:
        """Transfer the caller out of the extensions of this line."""
        reason = f"left with {action}"
        self.playback.end_call(reason)
        self.set_state(Transferred(reason))

    def end_by_line(self, reason: str) -> None:
        """End the call from the line's side."""
        self._set_over(reason)
        if self.settings.hangup_after_goto:
            self._send_hangup_request()

    # -- requests and values

    def send_next_request(self) -> None:
        """Send the request that is due, and set the actions of its response as the next step."""
        serving = self._serving
        if serving is None or serving.settings.link is None:
            self.playback.play_system_message("M1609")
            message = f"{display_path(self.extension)} has no api_link"
            self.problems.append(
                LineProblem("warning", "no-link", message, hint="write api_link=… into ext.ini")
            )
            self.leave_extension()
            return
        with self.lock:
            if self.is_over:  # the caller has hung up from another thread
                return
            self._in_flight = True
            pairs = self._requests.build_request(serving, tuple(self.values))
        self.send(pairs, serving)

    def send(self, pairs: Values, serving: ServingExtension) -> None:
        """Send ``pairs``; use the response unless the caller has hung up before it arrives."""
        self._in_flight = True
        exchange = self._requests.send(serving, pairs, self.transcript)
        with self.lock:
            self._in_flight = False
            if self.is_over:  # no caller waits for this response, so it cannot be late
                problems = tuple(problem for problem in exchange.problems if problem.code != "late")
                self._add_exchange(replace(exchange, problems=problems))
            else:
                self._add_exchange(exchange)
                self._use_response(exchange)
                return
            is_due, self._hangup_request_due = self._hangup_request_due, False
        if is_due:
            self._send_hangup_request()

    def resend(self, exchange: LineExchange) -> None:
        """Send an earlier request again, byte for byte; a call that is over stays over."""
        settings = self.line.get_extension(exchange.extension)
        if settings is None:
            raise AssertionError
        serving = ServingExtension(exchange.extension, settings)
        if not self.is_over:
            self.extension, self._serving = exchange.extension, serving
            self.set_state(Requesting())
        self.send(exchange.pairs, serving)

    def ask(self, asking: Asking) -> None:
        """Play the question (again), and wait for the caller."""
        self.playback.play_question(asking.read)
        self.set_state(asking)

    def submit_value(self, value: str) -> None:
        """Collect the value of the open question, and set the next step."""
        with self.lock:
            asking = open_question(self._state)
            if asking is None:  # the caller has hung up from another thread
                return
            name = asking.read.name
            self.values.append((name, value))
            local_actions = (
                ()
                if self.extension_settings is None
                else self.extension_settings.local_answers.get(f"{name}_{value}", ())
            )
            if local_actions:
                self.set_state(Performing(local_actions))
            elif asking.pre_question is not None:
                self._ask_next_pre_question()
            else:
                self.set_state(Requesting())

    def add_values(self, *pairs: tuple[str, str]) -> None:
        """Collect values that no question asked for, and send them."""
        with self.lock:
            self.values.extend(pairs)
            self.set_state(Requesting())

    def hang_up(self) -> None:
        """Hang up, in any state; may be called from another thread."""
        with self.lock:
            recording = self._recording_to_keep()
            if recording is not None and self.settings.hangup_carries_recording:
                self.values.append(recording)
            self._set_over(CALLER_HUNG_UP)
            self._hangup_request_due = self._in_flight and self.settings.hangup_waits
        if not self._hangup_request_due:
            self._send_hangup_request()

    def recording_value(self, path: str) -> str:
        """Return a recording's path as the server gets it; the exact form is [?]."""
        prefix = {"path": "/", "ivr2": "ivr2:/", "bare": ""}[self.settings.recording_value]
        return f"{prefix}{path.removeprefix('/')}.wav"

    def _enter_api_extension(self, serving: ServingExtension) -> None:
        """Let the server of ``serving`` decide, after its pre-questions."""
        moved = self._serving is not None and self._serving.path != serving.path
        if moved and self.settings.new_call_id_per_extension:
            self._requests.change_call_id()
        self._serving = serving
        self._pending_pre_questions = [
            question
            for question in serving.settings.pre_questions
            if self.settings.lenient or not question.lenient_only
        ]
        self._ask_next_pre_question()

    def _ask_next_pre_question(self) -> None:
        """Ask the next question of ``ext.ini``; after the last one, a request is due [OFF]."""
        while self._pending_pre_questions:
            question = self._pending_pre_questions.pop(0)
            has_value = any(name == question.read.name for name, _ in self.values)
            if not (question.read.reuse and has_value):
                self.ask(Asking(question.read, pre_question=question))
                return
        self.set_state(Requesting())

    def _use_response(self, exchange: LineExchange) -> None:
        if exchange.response is None:
            self.playback.play_system_message("M1607")
            self.leave_extension()
        else:
            self.set_state(Performing(tuple(exchange.response)))

    def _report_notes(self, settings: Extension | None) -> None:
        """Report the notes on an extension that the caller enters, each once in a call."""
        for note in settings.notes if settings is not None else ():
            if note not in self._reported_notes:
                self._reported_notes.add(note)
                self.problems.append(LineProblem("warning", note.code, f"{note.place}: {note.message}"))

    def _handle_missing_extension(self, extension: str) -> None:
        """Play M1608 and go one level up, for a target that is no folder [?]."""
        here, target = display_path(self.extension), display_path(extension)
        message = f"{here} leads to {target}, which this line does not have"
        hint = f"there are {self.line.extension_names()}"
        self.problems.append(LineProblem("error", "no-extension", message, hint=hint))
        self.playback.play_system_message("M1608")
        self._go_up(f"there is no {target}, and this was the root")

    def _go_up(self, reason_at_root: str) -> None:
        up = parent(self.extension)
        if up is None:
            self.end_by_line(reason_at_root)
        else:
            self.enter_extension(up)

    def _recording_to_keep(self) -> tuple[str, str] | None:
        """Return name and path of the recording that a hang-up ends, if the read keeps it [OFF]."""
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

    def _set_over(self, reason: str) -> None:
        self.playback.end_call(reason)
        self.set_state(Over(reason))

    def _send_hangup_request(self) -> None:
        if self._serving is None:
            return
        exchange = self._requests.send_hangup(self._serving, tuple(self.values), self.extension)
        if exchange is not None:
            self._add_exchange(exchange)

    def _add_exchange(self, exchange: LineExchange) -> None:
        self.exchanges.append(exchange)
        self.problems.extend(exchange.problems)
