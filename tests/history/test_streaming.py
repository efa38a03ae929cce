from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import ProviderError
from yemot_ai.providers import Reply
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.pauses import PAUSE_POINTS, PausePoint
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.history import (
    CallerInterrupted,
    CallerSpoke,
    FaultInjected,
    History,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    RecordedProvider,
    RequestSent,
    ResponseReceived,
    check,
)
from yemot_ai_testing.history.correlation import sentence_text, spoken_sentences
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.property import EchoProvider

POLL = "no,1,1,1,No,,,,,1,Ok,None,,no"
BROKEN = "the connection broke"


def part(number: int) -> str:
    return sentence_text("1", "אמירה 7001", number, 3).removesuffix(". ")


def violations_of(*bodies: str, interrupted: float = -1, ends: ModelAnswered | None = None) -> list[str]:
    """Return the violations of a call whose utterance gets these responses, one each second."""
    history = History(now=lambda: float(len(history)) if history else 0.0)
    events: list[HistoryEvent] = [CallerSpoke(0, "call 1", "7001"), ModelAsked(0, "1", "אמירה 7001", "7001")]
    events += [ModelWrote(0, "1", sentence_text("1", "אמירה 7001", number, 3)) for number in (1, 2, 3)]
    events += [] if ends is None else [ends]
    for event in events:
        history.add(event)
    for number, body in enumerate(bodies, 1):
        if interrupted == number:
            history.add(CallerInterrupted(number, "call 1", "7001"))
        history.now = lambda at=number: float(at)  # type: ignore[misc]
        sent = record_request(history, (("ApiCallId", "1"), ("poll", str(number))))
        record_response(history, sent, body)
    history.add(FaultInjected(60.0, "the end", "no call"))
    return [violation.kind for violation in check(history)]


def poll(*numbers: int) -> str:
    return f"read=t-{', '.join(map(part, numbers)) or 'רק רגע'}=p,{POLL}"


def listen(*numbers: int) -> str:
    return f"read=t-{', '.join(map(part, numbers)) or 'כן'}=said_2,no,voice"


ANSWERED = ModelAnswered(0, "1", "echo-1")


@pytest.mark.parametrize(
    ("bodies", "kinds"),
    [
        ((poll(1), poll(), poll(2), listen(3)), []),
        ((poll(1, 2), listen(3)), []),
        ((poll(1), poll(1), poll(2), listen(3)), ["answered_twice"]),
        ((poll(1), poll(2), listen()), ["unheard"]),
        ((poll(2), poll(1), listen(3)), ["out_of_order"]),
        ((poll(1), poll(3), listen()), ["out_of_order", "unheard"]),
    ],
)
def test_each_sentence_is_heard_once_and_in_order(bodies: tuple[str, ...], kinds: list[str]) -> None:
    assert violations_of(*bodies, ends=ANSWERED) == kinds


def test_the_complete_sentences_of_a_failed_answer_are_heard() -> None:
    broken = ModelAnswered(0, "1", "echo-1", "crashed")
    assert violations_of(poll(1), listen(2), ends=broken) == ["unheard"]
    assert violations_of(poll(1), listen(2, 3), ends=broken) == []


def test_after_an_interruption_no_sentence_is_heard_and_the_model_stops() -> None:
    stopped = ModelAnswered(0, "1", "", "cancelled")
    assert violations_of(poll(1), listen(), interrupted=2, ends=stopped) == []
    assert violations_of(poll(1), listen(2), interrupted=2, ends=stopped) == ["spoke_after_interruption"]
    assert violations_of(poll(1), listen(), interrupted=2) == ["ran_after_interruption"]


def test_a_request_during_a_store_outage_may_speak_after_the_hang_up() -> None:
    history = History(now=lambda: 0.0)
    hangup = record_request(history, (("ApiCallId", "1"), ("hangup", "yes")))
    record_response(history, hangup, "noop=ended")
    late = record_request(history, (("ApiCallId", "1"),), is_repeat=True)
    history.add(FaultInjected(0.0, "store away", "call 1"))
    record_response(history, late, f"read=t-תקלה זמנית=ai_x1,{POLL}")

    assert check(history) == []


def test_the_events_of_a_stream_are_recorded_before_the_reply_is_yielded() -> None:
    history = History(now=lambda: 0.0)
    provider = RecordedProvider(EchoProvider(history=History(), sentences=2), history)

    async def ask() -> None:
        async for piece in provider.ask("אמירה 7001", stream=True):
            if isinstance(piece, Reply):
                return  # callers may stop at the reply

    asyncio.run(ask())
    assert [type(event) for event in history.events] == [ModelAsked, ModelWrote, ModelWrote, ModelAnswered]


def test_a_failed_stream_and_a_cancelled_stream_are_recorded() -> None:
    class Breaking(ScriptedProvider):
        async def ask(self, *args: object, **more: object) -> AsyncIterator[str | Reply]:
            yield "שלום "
            raise ProviderError(BROKEN)

    async def first(provider: RecordedProvider) -> None:
        parts = provider.ask("אמירה 7001", stream=True)
        assert await anext(parts) == "שלום "
        await parts.aclose()  # type: ignore[attr-defined]  # it is a generator

    async def every(provider: RecordedProvider) -> None:
        async for _ in provider.ask("אמירה 7001", stream=True):
            pass

    history = History(now=lambda: 0.0)
    provider = RecordedProvider(Breaking(), history)
    asyncio.run(first(provider))
    with pytest.raises(ProviderError):
        asyncio.run(every(provider))
    errors = [event.error for event in history.events if isinstance(event, ModelAnswered)]
    assert errors == ["cancelled", "provider"]


def test_a_recorded_provider_streams_if_the_wrapped_one_does() -> None:
    assert RecordedProvider(EchoProvider(sentences=3), History()).streams
    assert not RecordedProvider(EchoProvider(), History()).streams


HEARD: dict[PausePoint, str] = {"asked": "רק רגע", "first_text": "פתוח", "last_text": "פתוח, סגור"}


@pytest.mark.parametrize("point", PAUSE_POINTS)
def test_a_caller_hangs_up_while_the_model_is_paused(point: PausePoint) -> None:
    model = ScriptedProvider().answers(["פתוח. ", "סגור. "])
    flow = AIFlow(YemotAI(provider=model))
    flow.ai_agent("")(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()
    model.pause_at(point)
    caller.interrupts(None, when=lambda: model.pause.waiting == 1)

    assert caller.says("מתי?") == HEARD[point]
    assert (model.running, model.pause.waiting) == (0, 0)


def test_an_echo_pauses_and_resumes() -> None:
    echo = EchoProvider(sentences=2)
    flow = AIFlow(YemotAI(provider=echo))
    flow.ai_agent("")(lambda call, text: None)
    with Caller(flow) as caller:
        caller.dial()
        echo.pause_at("first_text")
        caller.interrupts("5", when=lambda: echo.pause.waiting == 1)
        assert [sentence.number for sentence in spoken_sentences(caller.says("אמירה 7001"))] == [1]
        echo.resume()
        assert [sentence.number for sentence in spoken_sentences(caller.says("אמירה 7002"))] == [1, 2]


def test_an_unknown_pause_point_raises() -> None:
    with pytest.raises(ValueError, match="asked, first_text, last_text, not at 'later'"):
        EchoProvider().pause_at("later")  # type: ignore[arg-type]


def test_streaming_events_are_equal_after_dumps_and_loads() -> None:
    history = History()
    sent = RequestSent(0.0, 1, "call 1", "poll")
    received = ResponseReceived(0.0, 1, poll(1), spoken_sentences=spoken_sentences(poll(1)))
    for event in (sent, ModelWrote(0.0, "1", part(1)), CallerInterrupted(0.0, "call 1", "7001"), received):
        history.add(event)
    assert History.loads(history.dumps()).events == history.events
