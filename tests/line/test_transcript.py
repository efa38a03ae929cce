"""What a caller hears: events with times, and the silence between them."""

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


class Thinking:
    """A server that takes its time: two seconds of the line's clock for each answer."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    advance = sleep

    def __call__(self, pairs: Pairs) -> str:
        self.seconds += 2
        return "noop=bye" if "hangup" in dict(pairs) else self._answers.pop(0)


def music(app: Thinking, **switches: object) -> list[HoldMusic]:
    caller = Caller(app, clock=app, **switches)  # type: ignore[arg-type]  # the switches of one test
    caller.dial()
    caller.says("שלום")
    return [event for event in caller.transcript if isinstance(event, HoldMusic)]


def test_music_and_beeps_are_no_silence_whenever_they_were_noted() -> None:
    assert silences(EVENTS, since=1.0, until=10.0) == [
        Silence(4.0, 1.0),
        Silence(6.5, 1.5),
        Silence(9.0, 1.0),
    ]


def test_the_longest_silence_is_the_dead_air() -> None:
    assert longest_silence(EVENTS, since=1.0, until=10.0) == 1.5


def test_music_and_beeps_are_no_words() -> None:
    assert heard_text(EVENTS) == "טוב M1353 לאישור הקישו 1 להקשה מחדש הקישו 2"


def test_a_transcript_reads_like_a_call_and_leaves_out_music_that_nobody_noticed() -> None:
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


def test_a_server_that_thinks_is_silence_without_music_and_none_with_it() -> None:
    quiet, musical = Thinking(ASK), Thinking(ASK)
    silent, soothed = Caller(quiet, clock=quiet), Caller(musical, clock=musical, waiting_music="")
    silent.dial()
    soothed.dial()
    assert (silent.dead_air, soothed.dead_air) == (2.0, 0.0)


def test_music_lasts_from_the_request_until_the_answer_and_has_a_name() -> None:
    first, second = music(Thinking(ASK, ASK), waiting_music="ztomao")
    assert (first.at, first.seconds, first.name, first.position) == (0.0, 2.0, "ztomao", 0.0)
    assert second.position == 0.0


def test_every_exchange_tells_when_it_began_and_how_long_it_took() -> None:
    app = Thinking(ASK, BYE)
    caller = Caller(app, clock=app)
    caller.dial()
    (exchange,) = caller.exchanges
    assert isinstance(exchange, LineExchange)
    assert (exchange.at, exchange.seconds) == (0.0, 2.0)


def test_an_answer_that_is_too_late_is_m1607_however_soon_the_wall_has_it() -> None:
    app = Thinking(ASK)
    caller = Caller(app, clock=app, server_timeout=1.5, strict=False)
    assert caller.dial().startswith("M1607")
    assert [one.code for one in caller.problems] == ["late"]


def test_music_stops_with_the_caller() -> None:
    provider = ScriptedProvider().hangs()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow, waiting_music="ztomao")
    caller.dial()
    caller.interrupts(after=5.0)
    caller.says("תחשוב")
    ended = next(event for event in caller.transcript if isinstance(event, CallEnded))
    notes = [event for event in caller.transcript if isinstance(event, HoldMusic) and event.at < ended.at]
    assert notes
    assert all(event.at + event.seconds <= ended.at for event in notes)


def test_the_echo_of_what_was_said_ends_the_silence() -> None:
    caller = dialled(Script(ASK, BYE), say_tts=True)
    assert caller.says("שלום לכולם") == "שלום לכולם"


@pytest.mark.parametrize("text", ["א", "אב" * 30])
def test_speech_lasts_as_long_as_it_has_characters(text: str) -> None:
    caller = dialled(Script(f"read=t-{text}=q,no,voice"))
    (sound,) = [event for event in caller.transcript if isinstance(event, Sound)]
    assert sound.seconds == pytest.approx(len(text) * 0.07)
