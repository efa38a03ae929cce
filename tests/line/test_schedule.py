"""``caller.schedule``: something happens at the server while the application answers a verb."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from yemot_ai_testing import Caller
from yemot_ai_testing.errors import EndlessLineError, NeverDueError, WrongVerbError
from yemot_ai_testing.line import ServerActed
from yemot_ai_testing.line.clock import EngineClock, WallClock

Pairs = Sequence[tuple[str, str]]
POLL = "read=t-המתינו=w,no,1,1,1,No,,,,,1,Ok,None,,no"
MUSIC = "music_on_hold=ztomao,30&go_to_folder=."
QUESTION = "read=t-מה השאלה=q,no,voice"


@dataclass
class VirtualSeconds:
    """A clock that only the test advances."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class WaitingRoom:
    """An application with a waiting room.

    Attributes:
        waiting: the response while it is closed.
        clock: the clock of the line.
    """

    waiting: str = POLL
    clock: EngineClock | WallClock = field(default_factory=lambda: EngineClock(VirtualSeconds()))
    opened_at: float | None = None

    def __call__(self, pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        return self.waiting if self.opened_at is None else QUESTION

    def open(self) -> None:
        self.opened_at = self.clock.now()


@pytest.mark.parametrize("waiting", [POLL, MUSIC, "id_list_message=t-המתינו בבקשה&go_to_folder=."])
@pytest.mark.parametrize("after", [0.0, 2.5, 30.0, 3600.0])
def test_a_function_runs_at_its_time_on_the_clock_of_the_line(waiting: str, after: float) -> None:
    room = WaitingRoom(waiting)
    caller = Caller(room, clock=room.clock)
    caller.schedule.call(room.open, after=after)
    assert caller.dial().endswith("מה השאלה")
    assert room.opened_at == pytest.approx(after)


def test_several_functions_run_in_the_order_of_their_times() -> None:
    room = WaitingRoom()
    order: list[float] = []
    caller = Caller(room, clock=room.clock)
    for after in (3.0, 1.0, 2.0):
        caller.schedule.call(partial(order.append, after), after=after)
    caller.schedule.call(room.open, after=4.0)
    caller.dial()
    assert order == [1.0, 2.0, 3.0]


def test_the_times_count_from_the_end_of_what_the_caller_says() -> None:
    room = WaitingRoom(QUESTION)
    caller = Caller(room, clock=room.clock)
    caller.dial()
    room.waiting = POLL
    spoken_at = room.clock.now()
    caller.schedule.call(room.open, after=2.0)
    caller.says("א" * 100)
    assert room.opened_at == pytest.approx(spoken_at + 7.0 + 2.0)


def test_in_a_silence_the_times_count_from_its_start() -> None:
    room = WaitingRoom("read=t-הקישו=k,no,1,1,7,No,,,,,1,Ok,None,,no")
    caller = Caller(room, clock=room.clock)
    caller.dial()
    silent_since = room.clock.now()
    caller.schedule.call(room.open, after=2.0)
    assert caller.silent() == "מה השאלה"
    assert room.opened_at == pytest.approx(silent_since + 2.0)


def test_in_real_time_a_function_runs_while_a_request_is_open() -> None:
    opened = threading.Event()

    def app(pairs: Pairs) -> str:
        return "noop=bye" if ("hangup", "yes") in pairs or not opened.wait(5) else QUESTION

    caller = Caller(app)
    caller.schedule.call(opened.set, after=0.05)
    assert caller.dial() == "מה השאלה"


def test_the_transcript_shows_what_happened_at_its_time() -> None:
    room = WaitingRoom()
    caller = Caller(room, clock=room.clock)
    caller.schedule.call(room.open, after=1.5, name="the room opens")
    caller.dial()
    (event,) = (event for event in caller.transcript if isinstance(event, ServerActed))
    assert event.at == pytest.approx(1.5)
    assert str(caller.transcript).splitlines()[-3:] == [
        "line    המתינו",
        "server  the room opens",
        "line    מה השאלה",
    ]


def test_the_length_of_a_poll_does_not_change() -> None:
    room = WaitingRoom()
    caller = Caller(room, clock=room.clock)
    caller.schedule.call(room.open, after=0.3)
    caller.dial()
    first, second = (exchange.at for exchange in caller.exchanges)
    assert second - first == pytest.approx(1.0 + len("המתינו") * 0.07)


@pytest.mark.parametrize("waiting", [POLL, MUSIC, QUESTION])
def test_the_line_stops_at_what_a_function_raises(waiting: str) -> None:
    room = WaitingRoom(waiting)
    caller = Caller(room, clock=room.clock)

    def fail() -> None:
        raise KeyError("room 7")

    caller.schedule.call(fail)
    with pytest.raises(KeyError, match="room 7"):
        caller.dial()
    assert len(caller.exchanges) == 1


def test_what_a_function_raises_in_another_thread_is_raised_too() -> None:
    failed = threading.Event()

    def app(pairs: Pairs) -> str:
        return "noop=bye" if ("hangup", "yes") in pairs or not failed.wait(5) else QUESTION

    def fail() -> None:
        failed.set()
        pytest.fail("room 7")

    caller = Caller(app)
    caller.schedule.call(fail, after=0.2)
    with pytest.raises(pytest.fail.Exception, match="room 7"):
        caller.dial()


@pytest.mark.parametrize("verb", [partial(Caller.says, text="א"), Caller.repeats], ids=["says", "repeats"])
def test_a_function_runs_after_the_first_request_of_the_verb(verb: Callable[[Caller], str]) -> None:
    room = WaitingRoom(QUESTION)
    caller = Caller(room, clock=room.clock)
    caller.dial()
    room.waiting = POLL
    caller.schedule.call(room.open)
    assert verb(caller) == "המתינו מה השאלה"


def test_a_function_runs_without_a_request_too() -> None:
    room = WaitingRoom("read=t-הקישו=k,no,1,1,7,No,,,,12,,,,,no")
    caller = Caller(room, clock=room.clock)
    caller.dial()
    caller.schedule.call(room.open)
    assert caller.presses("3") == "M1224 בחירה שגויה הקישו"
    assert room.opened_at is not None


def test_a_function_that_is_never_due_is_an_error() -> None:
    caller = Caller(WaitingRoom(QUESTION))
    caller.schedule.call(lambda: None, after=5.0)
    with pytest.raises(
        NeverDueError, match=r"a function was due 5 s after the caller's verb, but after .* the line waits"
    ):
        caller.dial()


def test_a_line_on_which_no_time_passes_is_still_endless() -> None:
    room = WaitingRoom("go_to_folder=.")
    caller = Caller(room, clock=room.clock)
    caller.schedule.call(room.open, after=3600.0)
    with pytest.raises(EndlessLineError):
        caller.dial()


def test_it_is_forgotten_after_the_verb() -> None:
    room = WaitingRoom(QUESTION)
    caller = Caller(room, clock=room.clock)
    caller.schedule.call(room.open, after=50.0)
    with pytest.raises(NeverDueError):
        caller.dial()
    caller.says("שלום")
    assert room.opened_at is None


def test_a_caller_who_hangs_up_waits_for_nothing_more() -> None:
    room = WaitingRoom(QUESTION)
    caller = Caller(room, clock=room.clock)
    caller.dial()
    caller.schedule.call(room.open, after=1.0)
    caller.interrupts("1", after=1.0)
    with pytest.raises(WrongVerbError):
        caller.records()
    caller.hangs_up()
    assert (caller.ended, room.opened_at) == (True, None)
