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
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, build_timeline
from yemot_ai_testing.scenario.report.call_record import CallRecord, TurnRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_summary, percentile, slow_turns
from yemot_ai_testing.scenario.report.text import conversation_lines

STRICT = SilenceLimits(0.5, 2.0)


def says(at: float, seconds: float = 1.0) -> CallerActed:
    return CallerActed(at=at, seconds=seconds, name="says", text="שלום")


def heard(at: float, seconds: float = 1.0) -> Sound:
    return Sound(at=at, seconds=seconds, text="טוב", kind="text")


def silences(*events: CallEvent, within: SilenceLimits | None = None) -> list[tuple[float, float, str]]:
    """Return start, duration and grade of the silences of one turn."""
    timeline = build_timeline([(events, within)])
    return [(event.at, event.seconds, event.grade) for event in timeline if event.origin == "silence"]


def turn(line: int, dead_air: float) -> TurnRecord:
    return TurnRecord(line, "passed", dead_air=dead_air)


def call(*turns: TurnRecord) -> CallRecord:
    return CallRecord("שיחה", "a.call.yaml", 1, "passed", turns=turns)


def test_times_are_relative_to_the_start_of_the_call() -> None:
    assert silences(says(100.0), heard(103.0)) == [(1.0, 2.0, "")]


def test_a_silence_below_a_second_is_shown_only_above_a_limit() -> None:
    assert silences(says(0.0), heard(1.8)) == []
    assert silences(says(0.0), heard(1.8), within=STRICT) == [(1.0, 0.8, "long")]


def test_a_silence_is_too_long_above_the_failure_limit_but_not_at_it() -> None:
    assert silences(says(0.0), heard(3.1), within=STRICT) == [(1.0, 2.1, "too_long")]
    assert silences(says(0.0), heard(3.0), within=STRICT) == [(1.0, 2.0, "long")]


def test_hold_music_is_not_silence() -> None:
    music = HoldMusic(at=1.0, seconds=5.0, name="")
    assert silences(says(0.0), heard(6.0), music) == []


def test_an_event_without_duration_does_not_end_a_silence() -> None:
    assert silences(says(0.0), ExtensionEntered(at=2.0, extension="2"), heard(4.0)) == [(1.0, 3.0, "")]


def test_silence_after_an_interruption_starts_when_the_caller_stops_speaking() -> None:
    assert silences(heard(0.0, 10.0), says(2.0), heard(6.0)) == [(3.0, 3.0, "")]


def test_a_silence_belongs_to_the_turn_in_which_it_begins() -> None:
    end = CallEnded(at=4.0, reason="the caller hung up")
    timeline = build_timeline([([says(0.0)], STRICT)], after=[end])
    (silence,) = (event for event in timeline if event.origin == "silence")
    assert (silence.turn, silence.grade) == (1, "too_long")


def test_seconds_that_round_up_to_a_minute_are_shown_as_a_minute() -> None:
    ((_, line),) = conversation_lines([TimelineEvent(59.97, 1.0, "line", "speaks", "טוב")])
    assert line == "   1:00.0     line  טוב"


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([0.1, 0.2, 0.3, 9.0], percent) for percent in (25, 50, 95)] == [0.1, 0.2, 9.0]


def test_turns_that_were_not_played_are_ignored() -> None:
    not_run = TurnRecord(9, "not_run")
    after = TurnRecord(0, "passed", dead_air=7.0)
    assert (
        dead_air_summary([call(turn(2, 3.0), not_run, after)])
        == "dead air: p50 3.0 s · p95 3.0 s · longest 3.0 s (1 turn)"
    )


def test_a_run_without_turns_has_no_summary() -> None:
    assert dead_air_summary([]) == ""


def test_slow_turns_are_silent_for_a_second_or_more() -> None:
    slow = slow_turns([call(turn(2, 0.9), turn(3, 1.5)), call(turn(4, 4.0))], limit=5)
    assert [(turn.line, turn.dead_air) for _, turn in slow] == [(4, 4.0), (3, 1.5)]


def test_the_number_of_slow_turns_is_limited() -> None:
    assert len(slow_turns([call(*(turn(line, 2.0) for line in range(9)))], limit=3)) == 3
