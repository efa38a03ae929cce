from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai.calls.hooks import CallSummary
from yemot_ai.errors import SessionFormatError
from yemot_ai.providers.provider import Usage
from yemot_ai.runtime.engine import WORKER_THREADS, Engine
from yemot_ai.sessions import MemoryStore, Session, Turn, TurnStatus
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

PHONE = "0501234567"


@pytest.fixture
def ai(provider: ScriptedProvider) -> YemotAI:
    return YemotAI(provider=provider)


@pytest.fixture
def flow(ai: YemotAI) -> AIFlow:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


@dataclass
class Ear:
    """Hears what is told, by hooks of both kinds."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def listens(self, ai: YemotAI) -> None:
        @ai.on_call_start
        def start(call_id: str, phone: str) -> None:
            self.told.append(("start", call_id, phone))

        @ai.on_turn
        async def turn(call_id: str, turn: Turn) -> None:
            self.told.append(("turn", call_id, turn.text, turn.answer))

        @ai.on_call_end
        def end(transcript: CallSummary, usage: Usage) -> None:
            self.told.append(("end", transcript, usage))

    @property
    def ends(self) -> list[tuple[CallSummary, Usage]]:
        return [(one[1], one[2]) for one in self.told if one[0] == "end"]


@pytest.fixture
def ear(ai: YemotAI) -> Ear:
    ear = Ear()
    ear.listens(ai)
    return ear


def test_the_beginning_each_turn_and_the_end_are_told_once_and_in_order(
    flow: AIFlow, provider: ScriptedProvider, ear: Ear
) -> None:
    provider.answers("באיזה גודל?").answers("רשמתי", after=5)
    caller = Caller(flow, phone=PHONE, call_id="c1")
    caller.dial()
    caller.says("פיצה")
    caller.says("גדולה")
    caller.hangs_up()

    assert ear.told[:3] == [
        ("start", "c1", PHONE),
        ("turn", "c1", "פיצה", "באיזה גודל?"),
        ("turn", "c1", "גדולה", "רשמתי"),
    ]
    ((transcript, usage),) = ear.ends
    assert len(ear.told) == 4
    assert (transcript.call_id, transcript.phone, transcript.reason) == ("c1", PHONE, "hangup")
    assert [(turn.text, turn.answer) for turn in transcript] == [("פיצה", "באיזה גודל?"), ("גדולה", "רשמתי")]
    assert str(transcript) == "> פיצה\nבאיזה גודל?\n> גדולה\nרשמתי"
    assert usage == Usage(4 + 5, 0, len("באיזה גודל?") + len("רשמתי"))


def test_a_hang_up_that_comes_twice_is_told_once(flow: AIFlow, ear: Ear) -> None:
    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)
    for _ in range(2):
        assert flow.handle_request({**line, "hangup": "yes"}) == "noop=ended"

    assert len(ear.ends) == 1


def test_a_hang_up_of_a_call_that_never_was_is_told_to_nobody(flow: AIFlow, ear: Ear) -> None:
    flow.handle_request({"ApiCallId": "c1", "hangup": "yes"})

    assert ear.told == []


def test_a_turn_that_the_hang_up_cancelled_is_in_the_transcript_without_an_answer(
    flow: AIFlow, ai: YemotAI, provider: ScriptedProvider, ear: Ear
) -> None:
    provider.answers("א").hangs()
    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)
    flow.handle_request({**line, "ai_1": "ראשון"})
    assert "ai_2w1" in flow.handle_request({**line, "ai_1": "ראשון", "ai_2": "שני"})
    flow.handle_request({**line, "hangup": "yes"})

    ((transcript, _),) = ear.ends
    assert [(turn.text, turn.answer, turn.status) for turn in transcript] == [
        ("ראשון", "א", TurnStatus.ANSWERED),
        ("שני", "", TurnStatus.RUNNING),
    ]
    assert str(transcript).endswith("> שני\n(no answer)")
    assert provider.running == 0


def test_what_an_agents_function_answers_itself_is_in_the_transcript(
    ai: YemotAI, provider: ScriptedProvider, ear: Ear
) -> None:
    provider.answers("רשמתי")
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: "פתוח" if text == "פתוחים?" else None)
    caller = Caller(flow)
    caller.dial()
    caller.says("פתוחים?")
    caller.says("פיצה")
    caller.hangs_up()

    ((transcript, _),) = ear.ends
    assert [(turn.text, turn.answer) for turn in transcript] == [("פתוחים?", "פתוח"), ("פיצה", "רשמתי")]


def test_steps_of_an_agents_function_are_told_and_counted_once_each(
    ai: YemotAI, provider: ScriptedProvider, ear: Ear
) -> None:
    provider.answers("אב").answers("גד")
    flow = AIFlow(ai)

    @flow.ai_agent("", greeting="שלום")
    def agent(call: Any, text: str) -> str:  # noqa: ANN401 - as users write it
        return f"{call.ask_ai('1')} {call.ask_ai('2')}"

    caller = Caller(flow)
    caller.dial()
    assert caller.says("שאלה") == "אב גד"
    caller.hangs_up()

    ((transcript, usage),) = ear.ends
    assert [turn.text for turn in transcript] == ["1", "2"]
    assert [one[2:] for one in ear.told if one[0] == "turn"] == [("1", "אב"), ("2", "גד")]
    assert usage == Usage(2, 0, 4)


def test_a_call_that_falls_silent_is_over_after_the_time_to_live(
    provider: ScriptedProvider,
) -> None:
    provider.answers("א")
    ai, ear = YemotAI(provider=provider, session_ttl=600), Ear()
    ear.listens(ai)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()
    caller.says("שאלה")

    provider.engine.clock.sleep(500)  # type: ignore[attr-defined]  # its time is virtual
    assert (ear.ends, ai.open_calls()) == ([], 1)
    provider.engine.clock.sleep(300)  # type: ignore[attr-defined]

    ((transcript, _),) = ear.ends
    assert (transcript.reason, len(transcript), ai.open_calls()) == ("idle", 1, 0)
    assert provider.ended_sessions == ["scripted-1"]


def test_a_session_of_a_newer_version_keeps_no_other_call_from_its_end(provider: ScriptedProvider) -> None:
    class Shared(MemoryStore):
        """A store in which a newer worker keeps a call as well."""

        async def load(self, call_id: str) -> Session | None:
            if call_id == "newer":
                raise SessionFormatError(found=2, known=1)
            return await super().load(call_id)

    store = Shared(now=provider.engine.time)
    ai, ear = YemotAI(provider=provider, store=store, session_ttl=600), Ear()
    ear.listens(ai)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    asyncio.run(store.save(Session("newer"), ttl=2000))
    for call_id in ("c1", "c2"):
        flow.handle_request({"ApiCallId": call_id, "ApiExtension": "", "ApiPhone": PHONE})

    ai.engine.run(asyncio.sleep(1000))

    assert {transcript.call_id for transcript, _ in ear.ends} == {"c1", "c2"}


def test_a_call_that_never_asked_anything_falls_silent_as_well(ai: YemotAI, flow: AIFlow, ear: Ear) -> None:
    flow.handle_request({"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE})

    ai.engine.run(asyncio.sleep(2 * ai.session_ttl - 1))

    assert [transcript.reason for transcript, _ in ear.ends] == ["idle"]


def test_a_conversation_without_a_line_is_told_when_it_is_ended(
    ai: YemotAI, provider: ScriptedProvider, ear: Ear
) -> None:
    provider.answers("א")
    ai.reply("chat", "שאלה")
    ai.end("chat")

    assert [one[:2] for one in ear.told[:2]] == [("start", "chat"), ("turn", "chat")]
    assert [(transcript.reason, transcript.phone) for transcript, _ in ear.ends] == [("ended", "")]


def test_a_hook_that_raises_is_logged_and_harms_neither_the_call_nor_the_other_hooks(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers("א")
    told: list[str] = []

    @ai.on_turn
    def broken(call_id: str, turn: Turn) -> None:
        raise KeyError("price")

    ai.on_turn(lambda call_id, turn: told.append(turn.answer))

    @ai.on_call_end
    async def broken_too(transcript: CallSummary, usage: Usage) -> None:
        raise ValueError("no such table")

    caller = Caller(flow)
    caller.dial()
    assert caller.says("שאלה") == "א"
    caller.hangs_up()

    assert told == ["א"]
    assert "broken raised" in caplog.text
    assert "no such table" in caplog.text


def test_a_hook_that_takes_its_time_delays_no_answer(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א").answers("ב")
    told: list[str] = []

    @ai.on_turn
    async def slow(call_id: str, turn: Turn) -> None:
        await asyncio.sleep(1000)
        told.append(turn.answer)

    ai.on_call_end(lambda transcript, usage: told.append("end"))
    now = provider.engine.clock.now  # type: ignore[attr-defined]  # its time is virtual
    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)
    flow.handle_request({**line, "ai_1": "אחת"})
    flow.handle_request({**line, "ai_1": "אחת", "ai_2": "שתיים"})
    assert now() == 0
    flow.handle_request({**line, "hangup": "yes"})
    assert now() <= 2

    ai.engine.run(asyncio.sleep(3000))
    assert told == ["א", "ב", "end"]


def test_a_blocking_hook_that_takes_its_time_delays_no_answer() -> None:
    provider = ScriptedProvider(engine=Engine()).answers("א")  # a thread at work stops virtual time
    ai = YemotAI(provider=provider)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    free, entered = threading.Event(), threading.Event()

    @ai.on_call_start
    def slow(call_id: str, phone: str) -> None:
        entered.set()
        free.wait(30)

    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    assert "שלום" in flow.handle_request(line)
    assert "t-א" in flow.handle_request({**line, "ai_1": "שאלה"})
    assert entered.wait(10)
    assert not free.is_set()
    free.set()


def test_hooks_that_never_return_leave_the_handlers_their_threads(ai: YemotAI) -> None:
    stuck = threading.Event()
    flow = AIFlow(ai)
    flow.get("")(lambda call: call.play_message([("text", "נשמע")]))

    @ai.on_call_start
    def start(call_id: str, phone: str) -> None:
        stuck.wait()

    try:
        for number in range(WORKER_THREADS + 1):
            answer = flow.handle_request({"ApiCallId": f"c{number}", "ApiPhone": PHONE})
        assert "נשמע" in answer
    finally:
        stuck.set()


def test_a_hook_that_hides_its_coroutine_is_awaited(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("א")
    told: list[str] = []

    class Diary:
        async def __call__(self, call_id: str, turn: Turn) -> None:
            await asyncio.sleep(0)
            told.append(turn.answer)

    ai.on_turn(Diary())
    ai.on_turn(lambda *what: Diary()(*what))  # noqa: PLW0108 - as users write it
    ai.reply("c1", "שאלה")
    ai.end("c1")

    assert told == ["א", "א"]


def test_when_the_end_is_answered_what_came_before_is_told_though_nobody_hears_of_the_end(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א")
    told: list[str] = []

    @ai.on_turn
    async def slow(call_id: str, turn: Turn) -> None:
        await asyncio.sleep(1)
        told.append(turn.answer)

    caller = Caller(flow)
    caller.dial()
    caller.says("שאלה")
    caller.hangs_up()

    assert told == ["א"]


def test_a_hook_stays_what_it_was_when_it_is_registered_as_a_decorator(ai: YemotAI) -> None:
    def hook(*_: object) -> None: ...

    assert [ai.on_call_start(hook), ai.on_turn(hook), ai.on_call_end(hook)] == [hook] * 3


def test_the_state_that_a_handler_has_kept_is_in_the_transcript(ai: YemotAI, ear: Ear) -> None:
    flow = AIFlow(ai)

    @flow.get("")
    def order(call: Any) -> None:  # noqa: ANN401 - as users write it
        call.state["dish"] = call.read("מה?", val_name="dish")
        call.read("עוד?", val_name="more")

    caller = Caller(flow)
    caller.dial()
    caller.presses("5#")
    caller.hangs_up()

    assert [transcript.state for transcript, _ in ear.ends] == [{"dish": "5"}]


def test_a_hang_up_whose_request_is_cancelled_ends_the_call_all_the_same() -> None:
    provider = ScriptedProvider(engine=Engine()).answers("כן")
    ai = YemotAI(provider=provider)
    told, going, ended = threading.Event(), threading.Event(), threading.Event()

    async def slow(_: str) -> None:
        told.set()
        await asyncio.to_thread(going.wait, 10)

    ai.end_callbacks.append(slow)
    ai.on_call_end(lambda *_: ended.set())
    ai.reply("c1", "שלום")

    async def disconnect() -> None:
        ending = asyncio.ensure_future(ai.aend("c1", reason="hangup"))
        await asyncio.to_thread(told.wait, 10)
        ending.cancel()
        await asyncio.wait({ending})

    asyncio.run(disconnect())
    going.set()

    assert ended.wait(10)
    assert provider.ended_sessions == ["scripted-1"]


def test_a_call_that_comes_back_while_others_are_ended_lives_on(provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב").answers("חזרתי")
    ai = YemotAI(provider=provider, session_ttl=60)
    over: list[str] = []

    async def meanwhile(transcript: CallSummary, _: Usage) -> None:
        over.append(transcript.call_id)
        other = "c2" if transcript.call_id == "c1" else "c1"
        if len(over) == 1:
            await ai.areply(other, "אני כאן")

    ai.on_call_end(meanwhile)
    ai.reply("c1", "שלום")
    ai.reply("c2", "שלום")

    ai.engine.run(asyncio.sleep(60 + 60 / 4))

    assert len(over) == 1
    assert ai.open_calls() == 1
