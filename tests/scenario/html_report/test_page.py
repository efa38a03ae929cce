from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from yemot_ai_testing.line.exchange import LineExchange, LineProblem
from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.call_record import CallRecord, TurnRecord
from yemot_ai_testing.scenario.report.html.page import render
from yemot_ai_testing.scenario.report.html.rows import polls, rows
from yemot_ai_testing.scenario.report.html.strip import TimelineStrip

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
NEXT_DAY = datetime(2026, 1, 2, 18, 30, tzinfo=UTC)


def speech(*texts: str) -> tuple[TimelineEvent, ...]:
    return tuple(
        TimelineEvent(float(at), 1.0, "line", "speaks", text, turn=1) for at, text in enumerate(texts)
    )


def exchange(at: float, extension: str = "", *, hangup: bool = False) -> LineExchange:
    return LineExchange(at, 0.1, extension, (), "noop", None, hangup=hangup)


class _Markup(HTMLParser):
    """Collects the elements of a page, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))


def markup_of(page: str) -> list[tuple[str, tuple[str, ...]]]:
    reader = _Markup()
    reader.feed(page)
    return reader.elements


def failed_call(text: str) -> CallRecord:
    """Return a failed call in which every text is ``text``."""
    problem = LineProblem("error", text, text, hint=text)
    hostile_exchange = LineExchange(0.0, 0.1, text, ((text, text),), text, None, (problem,))
    turn = TurnRecord(
        3,
        "failed",
        source=(text,),
        heard=text,
        timeline=(
            *speech(text),
            TimelineEvent(5.0, 1.0, "caller", "says", text),
            TimelineEvent(6.0, 0.0, "place", "ends", text),
        ),
        exchanges=(hostile_exchange,),
        warnings=(text,),
    )
    return CallRecord(
        name=text,
        path=text,
        line=2,
        state="failed",
        title=text,
        phone=text,
        extension=text,
        turns=(turn, TurnRecord(9, "not_run", source=(text,))),
        kind=text,
        failure_location=text,
        failed_turn=1,
        messages=(text,),
        replay=text,
    )


def call(phone: str = "0501234567") -> CallRecord:
    turn = TurnRecord(3, "passed", timeline=speech("שלום"), exchanges=(exchange(0.0),))
    return CallRecord("שיחה", "a.call.yaml", 2, "passed", phone=phone, turns=(turn,))


HARMLESS = markup_of(render([failed_call("שלום")], written=NOON))
BREAKOUTS = ["<!--", "</script>", "<img src=x>", "&lt;b&gt;", "{{ 1 }}", '" onload="', "]]>", "</pre>"]
HOSTILE = "<>&\"'=/- !{}%ax\u202e\x00אב"


def test_pages_of_the_same_run_differ_only_in_the_date() -> None:
    first, second = (render([call(), call()], written=written) for written in (NOON, NEXT_DAY))
    assert first == render([call(), call()], written=NOON)
    lines = zip(first.splitlines(), second.splitlines(), strict=True)
    (dated,) = (line for line, other in lines if line != other)
    assert "2026-01-01T12:00:00+00:00" in dated


@given(st.text(HOSTILE, min_size=1, max_size=20) | st.sampled_from(BREAKOUTS))
@settings(max_examples=50, deadline=None)
def test_no_text_adds_an_element_or_an_attribute(text: str) -> None:
    assert markup_of(render([failed_call(text)], written=NOON)) == HARMLESS


def test_a_lone_surrogate_is_escaped() -> None:
    assert "\\ud800" in render([call(phone="\ud800")], written=NOON)


def test_consecutive_texts_of_one_side_are_one_bubble() -> None:
    (bubble,) = rows(TurnRecord(1, "passed", timeline=speech("אחת", "שתיים")))
    assert bubble.texts == ("אחת", "שתיים")


def test_a_silence_of_minutes_is_cut() -> None:
    (silence,) = rows(
        TurnRecord(1, "passed", timeline=(TimelineEvent(0.0, 90.0, "silence", "silence", turn=1),))
    )
    assert silence.broken
    assert silence.height == 640


def test_a_request_after_an_action_or_in_another_extension_is_not_a_poll() -> None:
    action = TimelineEvent(4.5, 0.5, "caller", "presses", "1", turn=1)
    exchanges = (
        exchange(0.0),
        exchange(2.0),
        exchange(5.0),
        exchange(6.0, "2"),
        exchange(7.0, "2", hangup=True),
    )
    turn = TurnRecord(1, "passed", timeline=(action,), exchanges=exchanges)
    assert [poll.at for poll in polls(turn)] == [2.0]


def test_a_call_without_duration_has_a_scale() -> None:
    strip = TimelineStrip.from_timeline([], [])
    assert strip.seconds == 0.0
    assert [tick.title for tick in strip.ticks] == ["0:00", "0:01"]
