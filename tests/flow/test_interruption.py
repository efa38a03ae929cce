"""Interrupted answers, and requests that wait while the caller has moved on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, AsyncAICall, DialogSettings, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.protocol import Read, Response
from yemot_ai.providers import JSON, Reply
from yemot_ai.sessions import MemoryStore, Session, Turn
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

THREE = ["הספרייה פתוחה. ", "ביום שישי עד אחת. ", "בשבת סגור."]
POLL = "no,1,1,1,No,,,,,1,Ok,None,,no"


class BlockedModel:
    """A model that blocks until ``answers`` is called."""

    name = "thinking"

    def __init__(self) -> None:
        self.engine = Engine()
        self.was_asked = threading.Event()
        self._released = asyncio.Event()

    def answers(self) -> None:
        self.engine.loop.call_soon_threadsafe(self._released.set)

    async def start_session(self, prompt: str, **_: object) -> Reply:
        self.was_asked.set()
        await self._released.wait()
        return Reply(f"אמרת {prompt}", "s")

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        return await self.start_session(prompt)


@pytest.fixture
def blocked_model() -> Iterator[BlockedModel]:
    provider = BlockedModel()
    yield provider
    provider.engine.close()


@pytest.mark.parametrize("kind", ["handler", "agent"])
def test_a_dropped_request_does_not_move_the_caller_back(blocked_model: BlockedModel, kind: str) -> None:
    flow = AIFlow(YemotAI(provider=blocked_model), dialog=DialogSettings(answer_wait=60.0))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    if kind == "agent":
        flow.ai_agent("b", greeting="כאן אחרים")(lambda call, text: text)
    else:
        flow.get("b")(menu)
    line = Line(flow)
    line.enter("a")
    line.values.append(("ai_1", "מתי?"))
    held = threading.Thread(target=flow.handle_request, args=(line.request(),))
    held.start()
    assert blocked_model.was_asked.wait(10)

    first = Response.parse(line.enter("b"))
    blocked_model.answers()
    held.join(10)
    assert not held.is_alive()
    question = tuple(first)[-1]
    assert isinstance(question, Read)
    assert line.send((question.name, "1")).startswith("read=t-גודל=" if kind == "handler" else "read=t-1=")
    flow.ai.end("c1")


def menu(call: AICall) -> None:
    call.read("צבע", val_name="color", max_digits=1)
    call.read("גודל", val_name="size", max_digits=1)


class SlowStore(MemoryStore):
    """The same sessions for another worker, whose ``acquire`` blocks until ``in_time`` is set."""

    immediate = False

    def __init__(self, sessions: MemoryStore) -> None:
        super().__init__()
        self.is_blocked = threading.Event()
        self.in_time = asyncio.Event()
        self._sessions = sessions

    async def load(self, call_id: str) -> Session | None:
        return await self._sessions.load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        return await self._sessions.save(session, ttl=ttl)

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        self.is_blocked.set()
        await self.in_time.wait()
        return await self._sessions.acquire(key, token, seconds)

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        return await self._sessions.renew(key, token, seconds)

    async def release(self, key: str, token: str) -> None:
        await self._sessions.release(key, token)


def test_a_repeated_request_that_waits_after_its_poll_was_answered_changes_nothing(
    blocked_model: BlockedModel,
) -> None:
    sessions = MemoryStore()
    slow_store = SlowStore(sessions)
    here, there = (
        AIFlow(
            YemotAI(provider=blocked_model, store=store),
            dialog=DialogSettings(answer_wait=hold, poll_wait=60.0),
        )
        for store, hold in ((sessions, 0.0), (slow_store, 60.0))
    )
    for flow in (here, there):
        flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line, answers = Line(here), dict[str, str]()

    def ask(name: str, flow: AIFlow) -> threading.Thread:
        request = line.request()
        thread = threading.Thread(target=lambda: answers.update({name: flow.handle_request(request)}))
        thread.start()
        return thread

    line.enter("a")
    assert "ai_1w1" in line.send(("ai_1", "מתי?"))
    repeated = ask("repeated", there)
    assert slow_store.is_blocked.wait(10)
    line.values.append(("ai_1w1", "None"))
    line.time += 1
    poll = ask("poll", here)
    blocked_model.answers()
    poll.join(10)
    blocked_model.engine.loop.call_soon_threadsafe(slow_store.in_time.set)
    repeated.join(10)

    assert answers == dict.fromkeys(("poll", "repeated"), "read=t-אמרת מתי?=ai_2,no,voice")
    assert "=ai_2w1," in line.send(("ai_2", "ועוד")), "the next utterance is answered, not greeted"
    line.hang_up()


def test_two_waiting_copies_of_a_request_get_one_response(flow: AIFlow, provider: ScriptedProvider) -> None:
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    provider.answers([*THREE, ""], after=2.2, every=4)
    line = Line(flow)
    line.enter("a")
    line.values.append(("ai_1", "מתי?"))
    request = line.request()

    async def twice() -> list[str]:
        async def later() -> str:
            await asyncio.sleep(0.5)
            return await flow.ahandle_request(request)

        return list(await asyncio.gather(flow.ahandle_request(request), later()))

    assert flow.ai.engine.run(twice()) == [f"read=t-רק רגע=ai_1w1,{POLL}"] * 2
    assert line.again() == f"read=t-רק רגע=ai_1w1,{POLL}"
    assert line.send(("ai_1w1", "None")) == f"read=t-הספרייה פתוחה=ai_1w2,{POLL}"


def test_the_turn_hook_is_called_once_for_an_interrupted_turn(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    turns: list[Turn] = []
    flow.ai.on_turn(lambda _call_id, turn: turns.append(turn))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    provider.answers(THREE, after=1, every=60).answers("בבקשה")
    line = Line(flow)
    line.enter("a")
    line.send(("ai_1", "מתי?"))
    line.send(("ai_1w1", "5"))
    line.send(("ai_2", "תודה"))
    line.hang_up()

    assert [(turn.text, turn.answer, turn.interrupted) for turn in turns] == [
        ("מתי?", "הספרייה פתוחה.", True),
        ("תודה", "בבקשה", False),
    ]


@pytest.mark.parametrize("steps", range(8))
def test_no_request_waits_for_an_interrupted_turn_of_a_dead_worker(
    provider: ScriptedProvider, steps: int
) -> None:
    def worker() -> AIFlow:
        flow = AIFlow(YemotAI(provider=provider, store=sessions))
        flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
        return flow

    async def press_key() -> str:
        answer = await line.flow.ahandle_request(request)
        for _ in range(steps):
            await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        return answer

    sessions = MemoryStore(now=provider.engine.time)
    provider.answers(THREE, after=1, every=60).answers("בבקשה")
    line = Line(worker())
    line.enter("a")
    assert "ai_1w1," in line.send(("ai_1", "מתי?"))
    line.values.append(("ai_1w1", "5"))
    line.time += 5
    request = line.request()
    assert provider.engine.run(press_key()) == "read=noop-listen=ai_2,no,voice"
    line.flow = worker()

    assert line.send(("ai_2", "תודה")) == "read=t-בבקשה=ai_3,no,voice"
    line.hang_up()


def test_a_key_interrupts_at_every_speaking_poll(flow: AIFlow, provider: ScriptedProvider) -> None:
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    for turn in (1, 2, 3):
        polls = turn
        provider.answers([*THREE[:2], "בשבת סגור. ", "עוד. ", "סוף."], after=1, every=1)
        assert f"ai_{turn}w1," in line.send((f"ai_{turn}", "מתי?"))
        for poll in range(1, polls):
            assert f"ai_{turn}w{poll + 1}," in line.send((f"ai_{turn}w{poll}", "None"))
        assert line.send((f"ai_{turn}w{polls}", "5")) == f"read=noop-listen=ai_{turn + 1},no,voice"
        assert line.again() == f"read=noop-listen=ai_{turn + 1},no,voice"
    provider.answers("בבקשה")
    line.send(("ai_4", "תודה"))

    whole = "".join(THREE).strip()
    spoken = ["הספרייה פתוחה.", "הספרייה פתוחה. ביום שישי עד אחת.", whole]
    assert [exchange.answer for exchange in provider.requests[-1].history] == spoken


class InterruptedModel:
    """A model whose caller presses a key right after its last word."""

    name = "hurried"

    def __init__(self) -> None:
        self.engine = ScriptedProvider().engine
        self.key: Callable[[], Awaitable[None]] | None = None
        self.spoken = asyncio.Event()
        self.ended_sessions: list[JSON] = []

    async def stream(self, session: JSON, _prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield "הספרייה פתוחה. "
        await self.spoken.wait()
        if self.key is not None:
            await self.key()
        yield Reply("הספרייה פתוחה. בשבת סגור.", "new thread")

    async def start_session(self, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def continue_session(self, session: JSON, prompt: str, **_: object) -> Reply:
        raise AssertionError(prompt)

    async def end_session(self, session: JSON) -> None:
        self.ended_sessions.append(session)


def test_the_thread_of_an_answer_interrupted_at_its_end_is_deleted_with_the_call() -> None:
    provider = InterruptedModel()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    assert "ai_1w1," in line.send(("ai_1", "מתי?"))
    line.values.append(("ai_1w1", "5"))
    line.time += 5
    request, answers = line.request(), []

    async def press() -> None:
        answers.append(await flow.ahandle_request(request))

    async def wait_until_retired() -> None:
        async with asyncio.timeout(10):  # of virtual time
            while not (session := await flow.ai._runtime.store.load("c1")) or not session.retired:  # noqa: ASYNC110 - a store has no event
                await asyncio.sleep(0.01)

    provider.key = press
    provider.engine.loop.call_soon_threadsafe(provider.spoken.set)
    provider.engine.run(wait_until_retired())
    line.hang_up()

    assert answers == ["read=noop-listen=ai_2,no,voice"]
    assert provider.ended_sessions == ["new thread"]


def test_an_interrupted_turn_leaves_no_step_that_runs(
    line: Line, flow: AIFlow, provider: ScriptedProvider
) -> None:
    @flow.ai_agent("a", greeting="שלום")
    async def agent(call: AsyncAICall, text: str) -> None:
        tasks.append(asyncio.create_task(call.ask_ai("רקע")))

    tasks: list[asyncio.Task[str]] = []
    provider.answers(THREE, after=1, every=60)
    line.enter("a")
    assert "=ai_1w1," in line.send(("ai_1", "מתי?"))
    line.send(("ai_1w1", "5"))
    session = provider.engine.run(flow.ai._runtime.store.load("c1"))

    assert session is not None
    assert [(turn.id, turn.is_done, turn.answer) for turn in session.turns] == [
        ("ai_1.1", True, ""),
        ("ai_1", True, "הספרייה פתוחה."),
    ]
