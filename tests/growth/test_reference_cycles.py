"""A call leaves no reference cycles: they keep its objects until the next full collection, minutes later.

A server under load then needs several megabytes more, and its memory seems to grow for half an hour.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.stores import store_factory
from yemot_ai import AICall, AIFlow, AsyncAICall, YemotAI
from yemot_ai.providers import CodexAppServerProvider, Provider
from yemot_ai.sessions import SessionStore
from yemot_ai_testing import Caller, FakeCodex, ScriptedProvider

CALLS = 10
OURS = ("yemot_ai._", "yemot_ai.flow", "yemot_ai.providers", "yemot_ai.sessions")  # a Caller has responses


@pytest.fixture(params=["memory", "json", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    return store_factory(request, tmp_path)()


def cyclic_garbage(job: Callable[[], object]) -> list[str]:
    """Return the classes of ``yemot_ai`` of which each run of ``job`` leaves an object in a cycle."""
    job()  # fills the caches
    gc.collect()
    gc.disable()
    try:
        for _ in range(CALLS):
            job()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        names = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    return [name for name, count in names.items() if name.startswith(OURS) and count >= CALLS]


@contextmanager
def flow_of(provider: Provider, store: SessionStore, *tools: Callable[..., str]) -> Iterator[AIFlow]:
    flow = AIFlow(YemotAI(provider=provider, store=store))

    @flow.get("")
    def menu(call: AICall) -> None:
        call.play_message("שלום")
        if call.read("לסוכן הקישו 1, לאחר הקישו 2", max_digits=1) == "1":
            call.goto("/agent")
        call.goto("/other")

    @flow.get("/other")
    async def other(call: AsyncAICall) -> None:
        await call.read("הקישו ספרה", max_digits=1)
        raise ValueError(await call.ask_ai("מה להגיד?"))

    @flow.ai_agent("/agent", greeting="במה אפשר לעזור?", tools=tools)
    def agent(call: AICall, text: str) -> str | None:
        return "עד שבע" if "מתי" in text else None

    with closing(flow.ai):
        yield flow


def opening_hours(day: str) -> str:
    """Return the opening hours of ``day``."""
    return f"{day}: 9-17"


def test_a_call_of_an_agent_leaves_none(store: SessionStore) -> None:
    provider = ScriptedProvider()

    def call() -> None:
        provider.answers("יש לנו פיצה. יש לנו גם פסטה.").fails("overloaded").answers("להתראות")
        with Caller(flow) as caller:
            caller.dial()
            caller.presses("1")
            for said in ("מה יש לכם", "ומה עוד", "מתי אתם פתוחים", "תודה"):
                caller.says(said)

    with flow_of(provider, store, opening_hours) as flow:
        assert cyclic_garbage(call) == []


def test_a_call_of_plain_handlers_leaves_none(store: SessionStore) -> None:
    provider = ScriptedProvider()

    def call() -> None:
        provider.answers("תגיד שלום")
        with Caller(flow) as caller:
            caller.dial()
            caller.presses("2")
            caller.presses("5")

    with flow_of(provider, store, opening_hours) as flow:
        assert cyclic_garbage(call) == []


def test_turns_of_an_app_server_leave_none(fake_codex: FakeCodex, store: SessionStore) -> None:
    def call() -> None:
        for answer in ("אחת", "שתיים"):
            fake_codex.answers(answer)
        with Caller(flow) as caller:
            caller.dial()
            caller.presses("1")
            caller.says("שאלה")
            caller.says("עוד שאלה")

    with flow_of(CodexAppServerProvider(), store) as flow:
        assert cyclic_garbage(call) == []
