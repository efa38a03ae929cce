from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai._calls.hooks import CallSummary
from yemot_ai._runtime.engine import WORKER_THREADS, Engine
from yemot_ai.errors import SessionFormatError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import MemoryStore, Session, Turn, TurnStatus
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

PHONE = "0501234567"


@pytest.fixture
def flow(ai: YemotAI) -> AIFlow:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


@dataclass
class RecordingHooks:
    """Records the calls of its hooks, which are of both kinds."""

    events: list[tuple[Any, ...]] = field(default_factory=list)

    def register(self, ai: YemotAI) -> None:
        @ai.on_call_start
        def start(call_id: str, phone: str) -> None:
            self.events.append(("start", call_id, phone))

        @ai.on_turn
        async def turn(call_id: str, turn: Turn) -> None:
            self.events.append(("turn", call_id, turn.text, turn.answer))

        @ai.on_call_end
        def end(transcript: CallSummary, usage: Usage) -> None:
            self.events.append(("end", transcript, usage))

    @property
    def ends(self) -> list[tuple[CallSummary, Usage]]:
        return [(event[1], event[2]) for event in self.events if event[0] == "end"]


@pytest.fixture
def recorded(ai: YemotAI) -> RecordingHooks:
    recorded = RecordingHooks()
    recorded.register(ai)
    return recorded


def test_hooks_for_start_turns_and_end_run_once_and_in_order(
    flow: AIFlow, provider: ScriptedProvider, recorded: RecordingHooks
) -> None:
    provider.answers("באיזה גודל?").answers("רשמתי", after=5)
    caller = Caller(flow, phone=PHONE, call_id="c1")
    caller.dial()
    caller.says("פיצה")
    caller.says("גדולה")
    caller.hangs_up()

    assert recorded.events[:3] == [
        ("start", "c1", PHONE),
        ("turn", "c1", "פיצה", "באיזה גודל?"),
        ("turn", "c1", "גדולה", "רשמתי"),
    ]
    ((transcript, usage),) = recorded.ends
    assert len(recorded.events) == 4
    assert (transcript.call_id, transcript.phone, transcript.reason) == ("c1", PHONE, "hangup")
    assert [(turn.text, turn.answer) for turn in transcript] == [("פיצה", "באיזה גודל?"), ("גדולה", "רשמתי")]
    assert str(transcript) == "> פיצה\nבאיזה גודל?\n> גדולה\nרשמתי"
    assert usage == Usage(4 + 5, 0, len("באיזה גודל?") + len("רשמתי"))


def test_a_repeated_hang_up_calls_the_hook_once(flow: AIFlow, recorded: RecordingHooks) -> None:
    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)
    for _ in range(2):
        assert flow.handle_request({**line, "hangup": "yes"}) == "noop=ended"

    assert len(recorded.ends) == 1


def test_a_hang_up_of_an_unknown_call_calls_no_hook(flow: AIFlow, recorded: RecordingHooks) -> None:
    flow.handle_request({"ApiCallId": "c1", "hangup": "yes"})

    assert recorded.events == []


def test_a_turn_that_the_hang_up_cancelled_is_in_the_summary_without_an_answer(
    flow: AIFlow, ai: YemotAI, provider: ScriptedProvider, recorded: RecordingHooks
) -> None:
    provider.answers("א").hangs()
    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)
    flow.handle_request({**line, "ai_1": "ראשון"})
    assert "ai_2w1" in flow.handle_request({**line, "ai_1": "ראשון", "ai_2": "שני"})
    flow.handle_request({**line, "hangup": "yes"})

    ((transcript, _),) = recorded.ends
    assert [(turn.text, turn.answer, turn.status) for turn in transcript] == [
        ("ראשון", "א", TurnStatus.ANSWERED),
        ("שני", "", TurnStatus.RUNNING),
    ]
    assert str(transcript).endswith("> שני\n(no answer)")
    assert provider.running == 0


def test_what_an_agents_function_answers_itself_is_in_the_summary(
    ai: YemotAI, provider: ScriptedProvider, recorded: RecordingHooks
) -> None:
    provider.answers("רשמתי")
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: "פתוח" if text == "פתוחים?" else None)
    caller = Caller(flow)
    caller.dial()
    caller.says("פתוחים?")
    caller.says("פיצה")
    caller.hangs_up()

    ((transcript, _),) = recorded.ends
    assert [(turn.text, turn.answer) for turn in transcript] == [("פתוחים?", "פתוח"), ("פיצה", "רשמתי")]


def test_steps_of_an_agents_function_are_reported_and_counted_once(
    ai: YemotAI, provider: ScriptedProvider, recorded: RecordingHooks
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

    ((transcript, usage),) = recorded.ends
    assert [turn.text for turn in transcript] == ["1", "2"]
    assert [event[2:] for event in recorded.events if event[0] == "turn"] == [("1", "אב"), ("2", "גד")]
    assert usage == Usage(2, 0, 4)


def test_an_idle_call_ends_after_the_session_ttl(
    provider: ScriptedProvider,
) -> None:
    provider.answers("א")
    ai, recorded = YemotAI(provider=provider, session_ttl=600), RecordingHooks()
    recorded.register(ai)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()
    caller.says("שאלה")

    provider.engine.clock.sleep(500)  # type: ignore[attr-defined]  # its time is virtual
    assert (recorded.ends, ai.open_calls()) == ([], 1)
    provider.engine.clock.sleep(300)  # type: ignore[attr-defined]

    ((transcript, _),) = recorded.ends
    assert (transcript.reason, len(transcript), ai.open_calls()) == ("idle", 1, 0)
    assert provider.ended_sessions == ["scripted-1"]


def test_a_session_of_a_newer_version_does_not_keep_other_calls_open(provider: ScriptedProvider) -> None:
    class Shared(MemoryStore):
        """A store in which a newer worker keeps a call as well."""

        async def load(self, call_id: str) -> Session | None:
            if call_id == "newer":
                raise SessionFormatError(found=2, known=1)
            return await super().load(call_id)

    store = Shared(now=provider.engine.time)
    ai, recorded = YemotAI(provider=provider, store=store, session_ttl=600), RecordingHooks()
    recorded.register(ai)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    asyncio.run(store.save(Session("newer"), ttl=2000))
    for call_id in ("c1", "c2"):
        flow.handle_request({"ApiCallId": call_id, "ApiExtension": "", "ApiPhone": PHONE})

    ai.engine.run(asyncio.sleep(1000))

    assert {transcript.call_id for transcript, _ in recorded.ends} == {"c1", "c2"}


def test_a_call_without_a_question_becomes_idle_too(
    ai: YemotAI, flow: AIFlow, recorded: RecordingHooks
) -> None:
    flow.handle_request({"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE})

    ai.engine.run(asyncio.sleep(2 * ai._runtime.session_ttl - 1))

    assert [transcript.reason for transcript, _ in recorded.ends] == ["idle"]


def test_the_end_of_a_conversation_without_a_line_calls_the_hook(
    ai: YemotAI, provider: ScriptedProvider, recorded: RecordingHooks
) -> None:
    provider.answers("א")
    ai.reply("chat", "שאלה")
    ai.end("chat")

    assert [event[:2] for event in recorded.events[:2]] == [("start", "chat"), ("turn", "chat")]
    assert [(transcript.reason, transcript.phone) for transcript, _ in recorded.ends] == [("ended", "")]


def test_a_hook_that_raises_is_logged_and_harms_neither_the_call_nor_the_other_hooks(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers("א")
    calls: list[str] = []

    @ai.on_turn
    def broken(call_id: str, turn: Turn) -> None:
        raise KeyError("price")

    ai.on_turn(lambda call_id, turn: calls.append(turn.answer))

    @ai.on_call_end
    async def broken_too(transcript: CallSummary, usage: Usage) -> None:
        raise ValueError("no such table")

    caller = Caller(flow)
    caller.dial()
    assert caller.says("שאלה") == "א"
    caller.hangs_up()

    assert calls == ["א"]
    assert "broken raised" in caplog.text
    assert "no such table" in caplog.text


def test_a_slow_hook_delays_no_answer(ai: YemotAI, flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")
    calls: list[str] = []

    @ai.on_turn
    async def slow(call_id: str, turn: Turn) -> None:
        await asyncio.sleep(1000)
        calls.append(turn.answer)

    ai.on_call_end(lambda transcript, usage: calls.append("end"))
    now = provider.engine.clock.now  # type: ignore[attr-defined]  # its time is virtual
    line = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)
    flow.handle_request({**line, "ai_1": "אחת"})
    flow.handle_request({**line, "ai_1": "אחת", "ai_2": "שתיים"})
    assert now() == 0
    flow.handle_request({**line, "hangup": "yes"})
    assert now() <= 2

    ai.engine.run(asyncio.sleep(3000))
    assert calls == ["א", "ב", "end"]


def test_a_slow_blocking_hook_delays_no_answer() -> None:
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


@pytest.mark.slow
def test_hooks_that_never_return_take_no_threads_from_handlers(ai: YemotAI) -> None:
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


def test_a_coroutine_that_a_hook_returns_is_awaited(ai: YemotAI, provider: ScriptedProvider) -> None:
    provider.answers("א")
    calls: list[str] = []

    class AsyncHook:
        async def __call__(self, call_id: str, turn: Turn) -> None:
            await asyncio.sleep(0)
            calls.append(turn.answer)

    ai.on_turn(AsyncHook())
    ai.on_turn(lambda *arguments: AsyncHook()(*arguments))  # noqa: PLW0108 - as users write it
    ai.reply("c1", "שאלה")
    ai.end("c1")

    assert calls == ["א", "א"]


def test_turn_hooks_are_done_when_the_hang_up_is_answered_without_an_end_hook(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א")
    calls: list[str] = []

    @ai.on_turn
    async def slow(call_id: str, turn: Turn) -> None:
        await asyncio.sleep(1)
        calls.append(turn.answer)

    caller = Caller(flow)
    caller.dial()
    caller.says("שאלה")
    caller.hangs_up()

    assert calls == ["א"]


def test_a_decorator_returns_the_hook_unchanged(ai: YemotAI) -> None:
    def hook(*_: object) -> None: ...

    assert [ai.on_call_start(hook), ai.on_turn(hook), ai.on_call_end(hook)] == [hook] * 3


def test_the_state_that_a_handler_has_kept_is_in_the_summary(ai: YemotAI, recorded: RecordingHooks) -> None:
    flow = AIFlow(ai)

    @flow.get("")
    def order(call: Any) -> None:  # noqa: ANN401 - as users write it
        call.state["dish"] = call.read("מה?", val_name="dish")
        call.read("עוד?", val_name="more")

    caller = Caller(flow)
    caller.dial()
    caller.presses("5#")
    caller.hangs_up()

    assert [transcript.state for transcript, _ in recorded.ends] == [{"dish": "5"}]


def test_a_hang_up_whose_request_is_cancelled_still_ends_the_call() -> None:
    provider = ScriptedProvider(engine=Engine()).answers("כן")
    ai = YemotAI(provider=provider)
    started, may_finish, ended = threading.Event(), threading.Event(), threading.Event()

    async def slow(_: str) -> None:
        started.set()
        await asyncio.to_thread(may_finish.wait, 10)

    ai.end_callbacks.append(slow)
    ai.on_call_end(lambda *_: ended.set())
    ai.reply("c1", "שלום")

    async def disconnect() -> None:
        ending = asyncio.ensure_future(ai.aend("c1", reason="hangup"))
        await asyncio.to_thread(started.wait, 10)
        ending.cancel()
        await asyncio.wait({ending})

    asyncio.run(disconnect())
    may_finish.set()

    assert ended.wait(10)
    assert provider.ended_sessions == ["scripted-1"]


def test_a_call_that_is_active_again_during_a_sweep_is_not_ended(provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב").answers("חזרתי")
    ai = YemotAI(provider=provider, session_ttl=60)
    over: list[str] = []

    async def ask_in_other_call(transcript: CallSummary, _: Usage) -> None:
        over.append(transcript.call_id)
        other = "c2" if transcript.call_id == "c1" else "c1"
        if len(over) == 1:
            await ai.areply(other, "אני כאן")

    ai.on_call_end(ask_in_other_call)
    ai.reply("c1", "שלום")
    ai.reply("c2", "שלום")

    ai.engine.run(asyncio.sleep(60 + 60 / 4))

    assert len(over) == 1
    assert ai.open_calls() == 1
