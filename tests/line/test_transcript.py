"""The transcript: events with times, and the silence between them."""

from __future__ import annotations

import pytest

from tests.line.apps import ASK, BYE, Pairs, Script, dialled
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.transcript import (
    Beep,
    CallEnded,
    CallerActed,
    CallEvent,
    ExtensionEntered,
    HoldMusic,
    Silence,
    Sound,
    SystemSound,
    Transcript,
    heard_text,
    longest_silence,
    silences,
)

MUSIC = HoldMusic(at=1.0, seconds=3.0, name="ztomao")
EVENTS: list[CallEvent] = [
    CallerActed(at=0.0, seconds=1.0, name="says", text="שלום"),
    Sound(at=5.0, seconds=1.0, text="טוב", kind="text"),
    MUSIC,
    Beep(at=6.0, seconds=0.5),
    SystemSound(at=8.0, seconds=1.0, code="M1353"),
]


class SlowApp:
    """A server and a clock: each response takes two seconds of that clock."""

    def __init__(self, *responses: str) -> None:
        self._responses = list(responses)
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    advance = sleep

    def __call__(self, pairs: Pairs) -> str:
        self.seconds += 2
        return "noop=bye" if "hangup" in dict(pairs) else self._responses.pop(0)


def music(app: SlowApp, **options: object) -> list[HoldMusic]:
    caller = Caller(app, clock=app, **options)  # type: ignore[arg-type]  # the options of one test
    caller.dial()
    caller.says("שלום")
    return [event for event in caller.transcript if isinstance(event, HoldMusic)]


def test_music_and_beeps_end_a_silence_in_any_order_of_events() -> None:
    assert silences(EVENTS, since=1.0, until=10.0) == [
        Silence(4.0, 1.0),
        Silence(6.5, 1.5),
        Silence(9.0, 1.0),
    ]


def test_the_longest_silence_is_the_dead_air() -> None:
    assert longest_silence(EVENTS, since=1.0, until=10.0) == 1.5


def test_the_heard_text_has_no_music_and_no_beeps() -> None:
    assert heard_text(EVENTS) == "טוב M1353 לאישור הקישו 1 להקשה מחדש הקישו 2"


def test_the_text_of_a_transcript_leaves_out_very_short_music() -> None:
    short = HoldMusic(at=1.0, seconds=0.01, name="")
    shown = str(
        Transcript(
            [*EVENTS, short, ExtensionEntered(at=9.0, extension="2"), CallEnded(at=9.0, reason="gone")]
        )
    )
    assert shown.splitlines() == [
        "caller  says שלום",
        "line    טוב",
        "line    music on hold ztomao (3.0 s)",
        "line    (beep)",
        "line    M1353 לאישור הקישו 1 להקשה מחדש הקישו 2",
        "        -- /2",
        "        -- gone",
    ]


def test_waiting_for_the_server_is_dead_air_only_without_music() -> None:
    silent_app, music_app = SlowApp(ASK), SlowApp(ASK)
    silent = Caller(silent_app, clock=silent_app)
    with_music = Caller(music_app, clock=music_app, waiting_music="")
    silent.dial()
    with_music.dial()
    assert (silent.dead_air, with_music.dead_air) == (2.0, 0.0)


def test_hold_music_lasts_from_the_request_to_the_response() -> None:
    first, second = music(SlowApp(ASK, ASK), waiting_music="ztomao")
    assert (first.at, first.seconds, first.name, first.position) == (0.0, 2.0, "ztomao", 0.0)
    assert second.position == 0.0


def test_an_exchange_has_its_time_and_duration() -> None:
    app = SlowApp(ASK, BYE)
    caller = Caller(app, clock=app)
    caller.dial()
    (exchange,) = caller.exchanges
    assert isinstance(exchange, LineExchange)
    assert (exchange.at, exchange.seconds) == (0.0, 2.0)


def test_a_response_that_is_late_on_the_lines_clock_is_m1607() -> None:
    app = SlowApp(ASK)
    caller = Caller(app, clock=app, server_timeout=1.5, strict=False)
    assert caller.dial().startswith("M1607")
    assert [problem.code for problem in caller.problems] == ["late"]


def test_no_hold_music_is_recorded_after_the_hang_up() -> None:
    provider = ScriptedProvider().hangs()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow, waiting_music="ztomao")
    caller.dial()
    caller.interrupts(after=5.0)
    caller.says("תחשוב")
    ended = next(event for event in caller.transcript if isinstance(event, CallEnded))
    music_events = [
        event for event in caller.transcript if isinstance(event, HoldMusic) and event.at < ended.at
    ]
    assert music_events
    assert all(event.at + event.seconds <= ended.at for event in music_events)


def test_the_echo_of_recognised_speech_ends_the_silence() -> None:
    caller = dialled(Script(ASK, BYE), say_tts=True)
    assert caller.says("שלום לכולם") == "שלום לכולם"


@pytest.mark.parametrize("text", ["א", "אב" * 30])
def test_the_duration_of_a_text_depends_on_its_length(text: str) -> None:
    caller = dialled(Script(f"read=t-{text}=q,no,voice"))
    (sound,) = [event for event in caller.transcript if isinstance(event, Sound)]
    assert sound.seconds == pytest.approx(len(text) * 0.07)
