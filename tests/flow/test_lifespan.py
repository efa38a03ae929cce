from __future__ import annotations

import asyncio
import threading
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.web import ASGIApp


class SlowModel:
    """Answers when it may; counts how often it is closed and cancelled."""

    name = "slow"

    def __init__(self) -> None:
        self.started, self.may_answer = threading.Event(), asyncio.Event()
        self.closed = self.cancelled = 0

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        self.started.set()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Reply("תשובה", session="1")

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
def model() -> SlowModel:
    return SlowModel()


@pytest.fixture
def ai(model: SlowModel) -> YemotAI:
    return YemotAI(provider=model)


async def send(app: ASGIApp, event: str) -> None:
    """Send one event of the lifespan protocol, and the shutdown after a startup."""
    events = [event]

    async def receive() -> MutableMapping[str, Any]:
        if events:
            return {"type": f"lifespan.{events.pop()}"}
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    done = asyncio.Event()

    async def answer(message: MutableMapping[str, Any]) -> None:
        assert message["type"] == f"lifespan.{event}.complete"
        done.set()

    task = asyncio.create_task(app({"type": "lifespan"}, receive, answer))
    async with asyncio.timeout(5):
        await done.wait()
    task.cancel()


def test_the_last_server_closes_the_connections(ai: YemotAI, model: SlowModel) -> None:
    async def main() -> list[int]:
        apps = [AIFlow(ai).asgi_app for _ in range(2)]
        closed = []
        for app in apps:
            await send(app, "startup")
        for app in apps:
            await send(app, "shutdown")
            closed.append(model.closed)
        return closed

    assert asyncio.run(main()) == [0, 1]


def test_a_turn_that_runs_longer_than_its_server_is_cancelled(ai: YemotAI, model: SlowModel) -> None:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)

    async def main() -> None:
        app = flow.make_asgi_app(drain_seconds=0.05)
        await send(app, "startup")
        asked = asyncio.create_task(flow.ahandle_request({"ApiCallId": "c1", "ai_1": "שאלה"}))
        await asyncio.to_thread(model.started.wait, 5)
        await send(app, "shutdown")
        await asked

    asyncio.run(main())

    assert (model.cancelled, model.closed) == (1, 1)


def test_a_turn_that_ends_in_time_is_kept(ai: YemotAI, model: SlowModel) -> None:
    async def main() -> tuple[int, str, int]:
        asked = asyncio.create_task(ai.areply("c1", "שאלה"))
        await asyncio.to_thread(model.started.wait, 5)
        running = await ai.adrain(0)
        ai.engine.loop.call_soon_threadsafe(model.may_answer.set)
        return running, await asked, await ai.adrain(5)

    assert asyncio.run(main()) == (1, "תשובה", 0)
