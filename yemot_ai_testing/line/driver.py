"""Run the line after a verb until it waits for the caller again."""

from __future__ import annotations

from yemot_ai.protocol import Tap
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.line.actions import perform
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.interruption import Interruption, hang_up_when_due, no_interruption
from yemot_ai_testing.line.platform.folders import display_path
from yemot_ai_testing.line.schedule import Schedule, check_performed
from yemot_ai_testing.line.states import Asking, Holding, Performing, Requesting
from yemot_ai_testing.line.transcript import CallEnded, CallerActed, ServerActed, heard_text, longest_silence
from yemot_ai_testing.line.verbs.dtmf import apply_keys, check_keys, handle_no_keys, result_of_keys
from yemot_ai_testing.line.verbs.keypad import DEFAULT_SECONDS, is_poll

__all__ = ["Driver"]

MAX_REQUESTS = 200
MAX_SECONDS = 600.0
MAX_MOVES_WITHOUT_HANDLER = 3
"""How many moves to no handler one action of the caller may lead to."""
MAX_DEPTH = 5
"""Levels of folders within which a circle of moves is found."""
REQUESTS_PER_SECOND = 2
"""How many more requests may be sent while something is scheduled."""
SILENCE = "is silent"
REPETITION = "repeats"
"""Sends its request itself."""


class Driver:
    """Runs one call, verb by verb.

    Args:
        call: the platform's side.
        schedule: functions that run while a verb is being answered; the clock of ``call``.
        strict: raise the first error of a response.

    Attributes:
        interruption: what the caller will do while the next verb is being answered.
        is_running: a verb is being answered.
    """

    def __init__(self, call: Call, schedule: Schedule, *, strict: bool) -> None:
        self.interruption = no_interruption()
        self.is_running = False
        self._call = call
        self._schedule = schedule
        schedule.on_run = self._record_server
        self._strict = strict
        self._verb_index = 0
        self._problem_index = 0
        self._silent_since = self._settled_at = call.clock.now()
        self._raised_problems = 0

    @property
    def heard(self) -> str:
        """What was heard since the last verb."""
        return heard_text(self._call.transcript[self._verb_index :])

    @property
    def dead_air(self) -> float:
        """The longest silence, in seconds, since the end of the last verb."""
        events = self._call.transcript[self._verb_index :]
        until = next((event.at for event in events if isinstance(event, CallEnded)), self._settled_at)
        return longest_silence(events, since=self._silent_since, until=until)

    def begin_verb(self, name: str, text: str, *, seconds: float) -> None:
        """Record a verb that takes the caller ``seconds``."""
        self._verb_index = len(self._call.transcript)
        self._problem_index = len(self._call.problems)
        self._record_verb(name, text, seconds=seconds)
        if name == SILENCE:  # its seconds are those in which something happens
            self._schedule.start(held=False)
        self._call.clock.advance(seconds)
        self._silent_since = self._call.clock.now()
        if name != SILENCE:
            self._schedule.start(held=name != REPETITION)

    def run_until_waiting(self) -> str:
        """Run the line until it waits for the caller, or the call is over.

        Returns:
            What was heard.

        Raises:
            LineError: the line does not understand a response (if strict).
            EndlessLineError: the line does not wait again within the limits.
            WrongVerbError: an interruption could not happen.
            NeverDueError: a scheduled function was not due; what it raised is raised here, too.
        """
        interruption, self.interruption = self.interruption, no_interruption()
        self.is_running = True
        try:
            with (
                hang_up_when_due(interruption, self._call.clock, self._silent_since, self.hang_up),
                self._schedule.watch_requests(),
            ):
                self._run(interruption)
            self._schedule.release()
            self._schedule.perform_due()
            self._schedule.raise_error()
        finally:
            self.is_running = False
            self._settled_at = self._call.clock.now()
            scheduled = self._schedule.stop()
        if not interruption.done:
            waits_for = self._call.state.waits_for
            raise WrongVerbError(
                f"{interruption} while the application answers", waits_for=f"by then {waits_for}"
            )
        seconds = self._settled_at - self._silent_since
        check_performed(scheduled, seconds=seconds, waits_for=self._call.state.waits_for)
        return self.heard

    def cancel_pending(self) -> None:
        """Forget what was to happen during a verb that the line did not take."""
        self.interruption = no_interruption()
        self._schedule.stop()

    def hang_up(self) -> None:
        """Hang up while the line is busy; may be called from another thread."""
        self._record_verb("hangs up", "", seconds=0)
        self._call.hang_up()

    def _record_verb(self, name: str, text: str, *, seconds: float) -> None:
        self._call.transcript.add(
            CallerActed(at=self._call.clock.now(), seconds=seconds, name=name, text=text)
        )

    def _record_server(self, name: str) -> None:
        self._call.transcript.add(ServerActed(at=self._call.clock.now(), name=name))

    def _run(self, interruption: Interruption) -> None:
        requests = 0
        while not self._waits_for_caller():
            match self._call.state:
                case Requesting():
                    requests += 1
                    self._schedule.perform_due()
                    self._schedule.release()
                    self._call.send_next_request()
                    self._perform_due_actions()
                case Performing():
                    self._perform_due_actions()
                case Holding() as holding:
                    self._play_hold_music(holding, interruption)
                case Asking() as asking:
                    self._poll(asking, interruption)
            self._raise_new_error()
            self._schedule.raise_error()
            self._check_limits(requests)
        self._raise_new_error()

    def _waits_for_caller(self) -> bool:
        """Whether the line waits for the caller."""
        match self._call.state:
            case Requesting() | Performing():
                return False
            case Holding(seconds=seconds):
                return seconds is None
            case Asking(read=read):
                return not is_poll(read.mode)
        return True

    def _perform_due_actions(self) -> None:
        """Perform the actions that are due, unless the caller has hung up."""
        with self._call.lock:
            if isinstance(state := self._call.state, Performing):
                perform(self._call, state.actions)

    def _poll(self, asking: Asking, interruption: Interruption) -> None:
        """Wait as the line does, in real time, because the server works during a poll."""
        tap = asking.read.mode
        if not isinstance(tap, Tap):
            raise TypeError(tap)
        seconds = tap.seconds or DEFAULT_SECONDS
        due = self._due(interruption, seconds)
        self._call.clock.sleep(seconds if due is None else due)
        if due is None:
            handle_no_keys(self._call, asking)
        elif interruption.claim() and (keys := self._interrupt(interruption)) is not None:
            check_keys(asking, keys)
            apply_keys(self._call, asking, keys, result_of_keys(self._call, asking, keys))

    def _play_hold_music(self, holding: Holding, interruption: Interruption) -> None:
        """Play the music to its end, or until the caller ends it."""
        call, seconds = self._call, holding.seconds or 0.0
        # ``*`` ends the music, unless the action has ``no_return`` [OFF].
        ends_music = interruption.keys is None or (interruption.keys == "*" and not holding.music.no_return)
        due = self._due(interruption, seconds) if ends_music else None
        played = seconds if due is None else due
        call.playback.play_sound(f"music {holding.music.name}", kind="music", seconds=played)
        if due is not None and interruption.claim():
            self._interrupt(interruption)
        if call.state == holding:
            perform(call, holding.next_actions)

    def _due(self, interruption: Interruption, seconds: float) -> float | None:
        """Return in how many seconds the interruption is due; None if not within ``seconds``."""
        due = interruption.seconds_until_due(self._call.clock.now() - self._silent_since)
        return None if due is None or due > seconds else due

    def _interrupt(self, interruption: Interruption) -> str | None:
        """Hang up, or record that keys are pressed and return them."""
        if interruption.keys is None:
            self.hang_up()
        else:
            self._record_verb("presses", interruption.keys, seconds=0)
        return interruption.keys

    def _raise_new_error(self) -> None:
        """Raise the first new error of a response, if this caller is strict."""
        new = self._call.problems[self._raised_problems :]
        self._raised_problems += len(new)
        errors = [problem for problem in new if problem.level == "error"]
        if self._strict and errors:
            errors[0].raise_()

    def _check_limits(self, requests: int) -> None:
        seconds = self._call.clock.now() - self._silent_since
        latest = self._schedule.latest  # until then the line may ask again and again
        allowed = MAX_REQUESTS + REQUESTS_PER_SECOND * min(seconds, latest)
        mistaken_moves = self._mistaken_moves()
        is_lost = len(mistaken_moves) >= MAX_MOVES_WITHOUT_HANDLER and seconds >= latest
        if is_lost or requests > allowed or seconds > MAX_SECONDS + latest:
            last = self._call.exchanges[-1] if self._call.exchanges else None
            doubts = () if last is None else tuple(problem.message for problem in last.problems)
            raise EndlessLineError(
                requests=requests,
                seconds=seconds,
                body="" if last is None else last.body,
                warnings=(*self._circle(), *doubts),
                mistake=mistaken_moves[0] if mistaken_moves else "",
            )

    def _mistaken_moves(self) -> list[str]:
        """Return the moves to no handler since the last verb, as texts."""
        problems = self._call.problems[self._problem_index :]
        return [
            f"{problem.code}: {problem.message}"
            for problem in problems
            if problem.code == "no-handler" and problem.level == "error"
        ]

    def _circle(self) -> tuple[str, ...]:
        """Return what is doubtful about the extensions of the last requests."""
        last = self._call.exchanges[-2 * MAX_DEPTH :]
        names = sorted({display_path(exchange.extension) for exchange in last})
        if len(names) == 1 or len(names) > MAX_DEPTH:
            return ()
        return (f"the call goes round through {', '.join(names)}: does the server know each of them?",)
