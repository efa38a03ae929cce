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
from yemot_ai_testing.line import actions as acting
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.platform.folders import parent, resolve, written
from yemot_ai_testing.line.playback import Playing
from yemot_ai_testing.line.requests import Sending
from yemot_ai_testing.line.states import (
    Asking,
    Away,
    Idle,
    Outside,
    Over,
    RecordingMenu,
    Requesting,
    question_of,
)

if TYPE_CHECKING:
    from yemot_ai.protocol import Action
    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.exchange import Exchange
    from yemot_ai_testing.line.platform.extension import Extension, PreQuestion
    from yemot_ai_testing.line.platform.settings import LineSettings
    from yemot_ai_testing.line.platform.tree import Line
    from yemot_ai_testing.line.states import State
    from yemot_ai_testing.line.transcript import Transcript

__all__ = ["Call", "CallerId"]


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who calls, in which call.

    Attributes:
        phone: ``ApiPhone``; empty for a withheld number.
        call_id: ``ApiCallId``, 40 hexadecimal digits.
    """

    phone: str
    call_id: str


@dataclass(frozen=True, slots=True)
class _Home:
    """The last extension in which a server decided: what a hang-up request speaks for [OFF]."""

    extension: str
    place: Extension


class Call:
    """One call on one line.

    Attributes:
        extension: where the caller is.
        values: what was collected, in order, repeated names included.
        exchanges: every request with its answer.
        problems: what was wrong, in the order of discovery.
        playing: what the caller hears.
    """

    def __init__(self, line: Line, settings: LineSettings, clock: Clock, who: CallerId) -> None:
        self.line = line
        self.settings = settings
        self.clock = clock
        self.who = who
        self.extension = ""
        self.values: list[tuple[str, str]] = []
        self.exchanges: list[Exchange] = []
        self.problems: list[LineProblem] = []
        self.playing = Playing(clock, line.files, self.problems.append)
        self.lock = threading.RLock()
        self._state: State = Idle()
        self._home: _Home | None = None
        self._ahead: list[PreQuestion] = []
        self._sending = Sending(line, settings, clock, who)
        self._in_flight = False
        self._goodbye_due = False

    @property
    def state(self) -> State:
        """Where the call stands."""
        return self._state

    @property
    def transcript(self) -> Transcript:
        """Everything that happened."""
        return self.playing.transcript

    @property
    def place(self) -> Extension | None:
        """The settings of where the caller is; None where the line does not know the place."""
        return self.line.at(self.extension)

    @property
    def is_over(self) -> bool:
        """Whether nothing at all can happen any more."""
        return isinstance(self._state, Over)

    def become(self, state: State) -> None:
        """Go on to ``state``; a call that is over stays so."""
        with self.lock:
            if not self.is_over:
                self._state = state

    # -- where the caller goes

    def enter(self, extension: str) -> None:
        """Bring the caller into a folder: a server decides there, or the caller does."""
        place = self.line.at(extension)
        if place is None and self.line.is_tree:
            self._get_lost(extension)
            return
        self.extension = extension
        if place is not None and place.answers_calls and not self.settings.retain_values:
            self.values.clear()
        self.playing.moved(extension, place)
        if place is None:
            self.playing.ended(f"left for {written(extension)}")
            self.become(Outside(extension, known=False))
        elif not place.answers_calls:
            self.become(Outside(extension, known=True))
        else:
            self._home = _Home(extension, place)
            self._ahead = list(place.pre_questions)
            self._ask_ahead()

    def go(self, target: str) -> None:
        """Follow a target of ``go_to_folder``."""
        extension = resolve(self.extension, target)
        if extension is None:
            self.end_from_here("the line hung up")
        else:
            self.enter(extension)

    def leave(self) -> None:
        """[OFF] an answer that says nothing more: to ``api_end_goto``, else one level up."""
        place = self.place
        if place is not None and place.end_goto is not None:
            self.go(place.end_goto)
            return
        up = parent(self.extension)
        if up is None:
            self.end_from_here("the answer said nothing more, and this was the root")
        else:
            self.enter(up)

    def hand_over(self, action: Action) -> None:
        """Lead the caller away from every extension of this line."""
        why = f"left with {action}"
        self.playing.ended(why)
        self.become(Away(why))

    def end_from_here(self, why: str) -> None:
        """End the call from the line's side."""
        self._end(why)
        if self.settings.hangup_after_goto:
            self._say_goodbye()

    # -- what is asked and answered

    def step(self) -> None:
        """Send the request that is due, and do what the answer says."""
        home = self._home
        if home is None or home.place.link is None:
            self.playing.system("M1609")
            told = f"{written(self.extension)} has no api_link"
            self.problems.append(
                LineProblem("warning", "no-link", told, way_out="write api_link=… into ext.ini")
            )
            self.leave()
            return
        self.send(self._sending.request(home.extension, home.place, tuple(self.values)), home)

    def send(self, pairs: tuple[tuple[str, str], ...], home: _Home) -> None:
        """Send ``pairs`` and do what the answer says, unless the caller is gone by then."""
        self._in_flight = True
        exchange = self._sending.ask(home.extension, home.place, pairs, self.transcript)
        with self.lock:
            self._in_flight = False
            if self.is_over:  # nobody waits for this answer any more, so it cannot be late
                kept = tuple(problem for problem in exchange.problems if problem.code != "late")
                self._keep(replace(exchange, problems=kept))
            else:
                self._keep(exchange)
                self._do(exchange)
                return
        if self._goodbye_due:
            self._say_goodbye()

    def repeat(self, exchange: Exchange) -> None:
        """Send an earlier request again, byte for byte; a call that is over stays so."""
        place = self.line.at(exchange.extension)
        if place is None:
            raise AssertionError
        if not self.is_over:
            self.extension = exchange.extension
            self._home = _Home(exchange.extension, place)
            self.become(Requesting())
        self.send(exchange.pairs, _Home(exchange.extension, place))

    def ask(self, asking: Asking) -> None:
        """Ask (again), and wait for the caller."""
        self.playing.question(asking.read)
        self.become(asking)

    def give(self, value: str) -> None:
        """Add the answer to the open question to what is sent from now on."""
        with self.lock:
            asking = question_of(self._state)
            if asking is None:  # the caller has hung up from another thread
                return
            name = asking.read.name
            self.values.append((name, value))
            if asking.before is not None:
                self._say_after(asking.before, value)
            local = () if self.place is None else self.place.local_answers.get(f"{name}_{value}", ())
            if local:
                acting.perform(self, local)
            elif asking.before is not None:
                self._ask_ahead()
            else:
                self.become(Requesting())

    def add(self, *pairs: tuple[str, str]) -> None:
        """Collect what no question asked for, and send it."""
        with self.lock:
            self.values.extend(pairs)
            self.become(Requesting())

    def hang_up(self) -> None:
        """The caller hangs up, whatever the line is doing; may come from another thread."""
        with self.lock:
            kept = self._kept_recording()
            if kept is not None and self.settings.hangup_carries_recording:
                self.values.append(kept)
            self._end("the caller hung up")
            self._goodbye_due = self._in_flight and self.settings.hangup_waits
        if not self._goodbye_due:
            self._say_goodbye()

    def value_of(self, path: str) -> str:
        """Return a recording's path as the server gets it; [?] the exact form."""
        before = {"path": "/", "ivr2": "ivr2:/", "bare": ""}[self.settings.recording_value]
        return f"{before}{path.removeprefix('/')}.wav"

    # -- how that is done

    def _ask_ahead(self) -> None:
        """Ask the next question of ``ext.ini``; when there is none left, the server decides [OFF]."""
        while self._ahead:
            question = self._ahead.pop(0)
            known = any(name == question.read.name for name, _ in self.values)
            if not (question.read.reuse and known):
                self.ask(Asking(question.read, before=question))
                return
        self.become(Requesting())

    def _say_after(self, question: PreQuestion, value: str) -> None:
        for key, file in question.says:
            if key == value:
                self.playing.sound(f"f-{file}", kind="f")

    def _do(self, exchange: Exchange) -> None:
        if exchange.response is None:
            self.playing.system("M1607")
            self.leave()
        else:
            acting.perform(self, tuple(exchange.response))

    def _get_lost(self, extension: str) -> None:
        """A target that is no folder: M1608, and one level up [?]."""
        told = f"{written(self.extension)} leads to {written(extension)}, which this line does not have"
        way_out = f"there are {self.line.named()}"
        self.problems.append(LineProblem("error", "no-extension", told, way_out=way_out))
        self.playing.system("M1608")
        up = parent(self.extension)
        if up is None:
            self.end_from_here(f"there is no {written(extension)}, and this was the root")
        else:
            self.enter(up)

    def _kept_recording(self) -> tuple[str, str] | None:
        """Return the recording that a hang-up ends, if it is to be kept [OFF]."""
        asking = question_of(self._state)
        if asking is None or self.place is None:
            return None
        mode = asking.read.mode
        if not isinstance(mode, Record) or not mode.keep_on_hangup:
            return None
        path = self._state.path if isinstance(self._state, RecordingMenu) else asking.path
        path = path or self.value_of(self.line.files.recording(mode, self.extension, self.place))
        return asking.read.name, path

    def _end(self, why: str) -> None:
        self.playing.ended(why)
        self.become(Over(why))

    def _say_goodbye(self) -> None:
        home = self._home
        if home is None:
            return
        pairs = self._sending.request(home.extension, home.place, tuple(self.values))
        exchange = self._sending.say_goodbye(home.extension, home.place, pairs, self.extension)
        if exchange is not None:
            self._keep(exchange)

    def _keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.problems.extend(exchange.problems)
