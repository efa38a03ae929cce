"""Applications without a fault: no violation may be found in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.property.faults.broken_agents import ByHand
from tests.property.faults.handwritten_agent import Agent
from tests.property.faults.subject import FlowMachine, healthy
from yemot_ai import AICall, AIFlow, AsyncAICall
from yemot_ai.sessions import JSONFileStore, SessionStore, SQLiteStore
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property import TOOL_STEPS, CallMachine, StreamingMachine


@healthy("an AIFlow over memory; workers are replaced, the store fails")
class OverMemory(CallMachine):
    restarts_workers = True
    store_fails = True


@healthy("an AIFlow that speaks while the model streams; workers and store as above")
class Speaking(StreamingMachine):
    restarts_workers = True
    store_fails = True


@healthy("an AIFlow whose model calls tools; workers and store as above")
class WithTools(CallMachine):
    tool_steps = TOOL_STEPS
    restarts_workers = True
    store_fails = True


@healthy("an AIFlow whose model calls tools and streams; workers and store as above")
class SpeakingWithTools(StreamingMachine):
    tool_steps = TOOL_STEPS
    restarts_workers = True
    store_fails = True


class OnDisk(CallMachine):
    restarts_workers = True
    store_fails = True

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="yemot-ai-faults-", ignore_cleanup_errors=True)
        super().__init__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.app.ai.close()  # type: ignore[attr-defined]  # the default one
            self.folder.cleanup()


@healthy("an AIFlow over JSON files; workers and store as above", slow=True)
class OverFiles(OnDisk):
    def make_store(self) -> SessionStore:
        return JSONFileStore(Path(self.folder.name) / "sessions")


@healthy("an AIFlow over SQLite; workers and store as above", slow=True)
class OverSQLite(OnDisk):
    def make_store(self) -> SessionStore:
        return SQLiteStore(Path(self.folder.name) / "sessions.db")


@healthy("an AIFlow with tools over JSON files; workers and store as above", slow=True)
class ToolsOverFiles(OverFiles):
    tool_steps = TOOL_STEPS


@healthy("an AIFlow with tools over SQLite; workers and store as above", slow=True)
class ToolsOverSQLite(OverSQLite):
    tool_steps = TOOL_STEPS


@healthy("an async handler that calls ask_ai")
class PlainHandler(FlowMachine):
    reset_key = ""

    def add_routes(self, flow: AIFlow) -> None:
        @flow.get("")
        async def handler(call: AsyncAICall) -> None:
            words, silences = "שלום", 0
            while silences < 3:
                said = await call.read(words, mode="stt")
                silences = 0 if said else silences + 1
                words = await _answer(call, said) if said else "לא שמעתי"
            call.hangup()


async def _answer(call: AsyncAICall, said: str) -> str:
    try:
        return await call.ask_ai(said)
    except Exception:  # noqa: BLE001 - the same sentence for any error
        return "סליחה"


@healthy("a blocking agent that calls ask_ai, behind a menu")
class BlockingHandler(FlowMachine):
    reset_key = ""

    def add_routes(self, flow: AIFlow) -> None:
        @flow.get("")
        def menu(call: AICall) -> None:
            if call.read("הקישו 1", max_digits=1) == "1":
                call.goto("/agent")

        @flow.ai_agent("agent")
        def agent(call: AICall, text: str) -> str:
            return call.ask_ai(text)

    def reach_agent(self, caller: Caller) -> None:
        caller.presses("1")


@healthy("an async agent that calls ask_ai")
class FunctionAgent(FlowMachine):
    def add_routes(self, flow: AIFlow) -> None:
        @flow.ai_agent("")
        async def agent(call: AsyncAICall, text: str) -> str:
            return await call.ask_ai(text)


@healthy("an agent with keyboard input")
class Keyboard(FlowMachine):
    def add_routes(self, flow: AIFlow) -> None:
        flow.ai_agent("", listen="keyboard")(lambda call, text: None)


@healthy("an agent written without AIFlow")
class WrittenByHand(ByHand):
    agent = Agent
