from __future__ import annotations

from yemot_ai_testing.line.transcript import (
    CallEnded,
    CallerActed,
    CallEvent,
    ExtensionEntered,
    HoldMusic,
    Sound,
)
from yemot_ai_testing.scenario.format.model import SilenceLimits
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, TurnEvent, build_timeline
from yemot_ai_testing.scenario.report.call_record import CallRecord, TurnRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_summary, percentile, slow_turns
from yemot_ai_testing.scenario.report.text import timeline_lines

STRICT = SilenceLimits(0.5, 2.0)


def says(at: float, seconds: float = 1.0) -> CallerActed:
    return CallerActed(at=at, seconds=seconds, name="says", text="שלום")


def heard(at: float, seconds: float = 1.0) -> Sound:
    return Sound(at=at, seconds=seconds, text="טוב", kind="text")


def silences(*events: CallEvent, within: SilenceLimits | None = None) -> list[tuple[float, float, str]]:
    """Return where the silences of one turn are, how long, and how they are graded."""
    call = build_timeline([TurnEvent(event, 1, within) for event in events])
    return [(beat.at, beat.seconds, beat.grade) for beat in call if beat.origin == "silence"]


def turn(line: int, dead_air: float) -> TurnRecord:
    return TurnRecord(line, "passed", dead_air=dead_air)


def call(*turns: TurnRecord) -> CallRecord:
    return CallRecord("שיחה", "a.call.yaml", 1, "passed", turns=turns)


def test_times_count_from_the_beginning_of_the_call() -> None:
    assert silences(says(100.0), heard(103.0)) == [(1.0, 2.0, "")]


def test_a_silence_below_a_second_is_told_only_over_a_bound() -> None:
    assert silences(says(0.0), heard(1.8)) == []
    assert silences(says(0.0), heard(1.8), within=STRICT) == [(1.0, 0.8, "long")]


def test_a_silence_over_the_last_bound_is_too_long_and_one_of_just_that_length_is_not() -> None:
    assert silences(says(0.0), heard(3.1), within=STRICT) == [(1.0, 2.1, "too_long")]
    assert silences(says(0.0), heard(3.0), within=STRICT) == [(1.0, 2.0, "long")]


def test_music_on_hold_is_no_silence_though_it_is_noted_when_it_ends() -> None:
    music = HoldMusic(at=1.0, seconds=5.0, name="")
    assert silences(says(0.0), heard(6.0), music) == []


def test_what_takes_no_time_does_not_end_a_silence() -> None:
    assert silences(says(0.0), ExtensionEntered(at=2.0, extension="2"), heard(4.0)) == [(1.0, 3.0, "")]


def test_a_caller_who_interrupts_falls_silent_at_the_end_of_the_interruption() -> None:
    assert silences(heard(0.0, 10.0), says(2.0), heard(6.0)) == [(3.0, 3.0, "")]


def test_a_silence_belongs_to_the_turn_in_which_it_begins() -> None:
    events = [TurnEvent(says(0.0), 1, STRICT), TurnEvent(CallEnded(at=4.0, reason="the caller hung up"), 0)]
    (silence,) = (beat for beat in build_timeline(events) if beat.origin == "silence")
    assert (silence.turn, silence.grade) == (1, "too_long")


def test_minutes_are_told_as_minutes_when_seconds_are_rounded_up() -> None:
    (line,) = timeline_lines([TimelineEvent(59.97, 1.0, "line", "speaks", "טוב")])
    assert str(line) == "   1:00.0     line  טוב"


def test_percentiles_are_silences_that_were_measured() -> None:
    assert [percentile([0.1, 0.2, 0.3, 9.0], percent) for percent in (25, 50, 95)] == [0.1, 0.2, 9.0]


def test_turns_that_were_not_played_do_not_count() -> None:
    not_run = TurnRecord(9, "not_run")
    after = TurnRecord(0, "passed", dead_air=7.0)
    assert (
        dead_air_summary([call(turn(2, 3.0), not_run, after)])
        == "dead air: p50 3.0 s · p95 3.0 s · longest 3.0 s (1 turn)"
    )


def test_a_run_without_turns_tells_no_silences() -> None:
    assert dead_air_summary([]) == ""


def test_the_slowest_turns_are_those_that_anybody_notices() -> None:
    slow = slow_turns([call(turn(2, 0.9), turn(3, 1.5)), call(turn(4, 4.0))], limit=5)
    assert [(one.line, one.seconds) for one in slow] == [(4, 4.0), (3, 1.5)]


def test_no_more_slow_turns_are_told_than_asked_for() -> None:
    assert len(slow_turns([call(*(turn(line, 2.0) for line in range(9)))], limit=3)) == 3
