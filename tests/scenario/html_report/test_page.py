from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.call_record import CallRecord, ExchangeRecord, ProblemRecord, TurnRecord
from yemot_ai_testing.scenario.report.html.page import render
from yemot_ai_testing.scenario.report.html.rows import polls, rows
from yemot_ai_testing.scenario.report.html.strip import TimelineStrip

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
EVENING = datetime(2026, 1, 2, 18, 30, tzinfo=UTC)


def spoken(*texts: str) -> tuple[TimelineEvent, ...]:
    return tuple(
        TimelineEvent(float(at), 1.0, "line", "speaks", text, turn=1) for at, text in enumerate(texts)
    )


def asked(at: float, extension: str = "", *, hangup: bool = False) -> ExchangeRecord:
    return ExchangeRecord(at, 0.1, extension, (), "noop", hangup=hangup)


class _Markup(HTMLParser):
    """Collects the elements of a page, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def markup_of(page: str) -> list[tuple[str, tuple[str, ...]]]:
    reader = _Markup()
    reader.feed(page)
    return reader.found


def failed(said: str) -> CallRecord:
    """Return a failed call all of whose texts are ``said``."""
    asked_it = ExchangeRecord(
        0.0, 0.1, said, ((said, said),), said, (ProblemRecord("error", said, said, said),)
    )
    turn = TurnRecord(
        3,
        "failed",
        source=(said,),
        heard=said,
        timeline=(
            *spoken(said),
            TimelineEvent(5.0, 1.0, "caller", "says", said),
            TimelineEvent(6.0, 0.0, "place", "ends", said),
        ),
        exchanges=(asked_it,),
        warnings=(said,),
    )
    return CallRecord(
        name=said,
        path=said,
        line=2,
        state="failed",
        title=said,
        phone=said,
        extension=said,
        turns=(turn, TurnRecord(9, "not_run", source=(said,))),
        kind=said,
        failure_location=said,
        failed_turn=1,
        messages=(said,),
        replay=said,
    )


def call(phone: str = "0501234567") -> CallRecord:
    turn = TurnRecord(3, "passed", timeline=spoken("שלום"), exchanges=(asked(0.0),))
    return CallRecord("שיחה", "a.call.yaml", 2, "passed", phone=phone, turns=(turn,))


HARMLESS = markup_of(render([failed("שלום")], written=NOON))
BREAKOUTS = ["<!--", "</script>", "<img src=x>", "&lt;b&gt;", "{{ 1 }}", '" onload="', "]]>", "</pre>"]
HOSTILE = "<>&\"'=/- !{}%ax\u202e\x00אב"


def test_two_pages_of_one_run_differ_in_the_date_alone() -> None:
    noon, evening = (render([call(), call()], written=written) for written in (NOON, EVENING))
    assert noon == render([call(), call()], written=NOON)
    lines = zip(noon.splitlines(), evening.splitlines(), strict=True)
    (dated,) = (one for one, other in lines if one != other)
    assert "2026-01-01T12:00:00+00:00" in dated


@given(st.text(HOSTILE, min_size=1, max_size=20) | st.sampled_from(BREAKOUTS))
@settings(max_examples=50, deadline=None)
def test_no_text_adds_an_element_or_an_attribute(said: str) -> None:
    assert markup_of(render([failed(said)], written=NOON)) == HARMLESS


def test_half_a_character_does_not_keep_a_page_from_being_written() -> None:
    assert "\\ud800" in render([call(phone="\ud800")], written=NOON)


def test_what_one_side_says_in_one_breath_is_one_bubble() -> None:
    (bubble,) = rows(TurnRecord(1, "passed", timeline=spoken("אחת", "שתיים")))
    assert bubble.texts == ("אחת", "שתיים")


def test_a_silence_of_minutes_is_drawn_broken() -> None:
    (silence,) = rows(
        TurnRecord(1, "passed", timeline=(TimelineEvent(0.0, 90.0, "silence", "silence", turn=1),))
    )
    assert silence.broken
    assert silence.height == 640


def test_only_what_the_line_asks_by_itself_is_a_poll() -> None:
    said = TimelineEvent(4.5, 0.5, "caller", "presses", "1", turn=1)
    exchanges = (asked(0.0), asked(2.0), asked(5.0), asked(6.0, "2"), asked(7.0, "2", hangup=True))
    assert list(polls(TurnRecord(1, "passed", timeline=(said,), exchanges=exchanges))) == [2.0]


def test_a_call_of_no_length_has_a_scale_all_the_same() -> None:
    strip = TimelineStrip.from_timeline([], [])
    assert strip.seconds == 0.0
    assert [tick.label for tick in strip.ticks] == ["0:00", "0:01"]
