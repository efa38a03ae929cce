"""The healthy relatives: nothing may be found in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.property.faults.broken_agents import ByHand
from tests.property.faults.handwritten_agent import Agent
from tests.property.faults.subject import good
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.sessions import JSONFileStore, SessionStore, SQLiteStore
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property import CallMachine, EchoProvider, StreamingMachine


@good("ours, over memory; workers come and go, the store fails")
class OverMemory(CallMachine):
    restarts_workers = True
    store_fails = True


@good("ours, speaking while the model writes; likewise")
class Speaking(StreamingMachine):
    restarts_workers = True
    store_fails = True


class OnDisk(CallMachine):
    restarts_workers = True
    store_fails = True

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="ya-zoo-", ignore_cleanup_errors=True)
        super().__init__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.app.ai.close()  # type: ignore[attr-defined]  # the default one
            self.folder.cleanup()


@good("ours, over JSON files; likewise", slow=True)
class OverFiles(OnDisk):
    def make_store(self) -> SessionStore:
        return JSONFileStore(Path(self.folder.name) / "sessions")


@good("ours, over SQLite; likewise", slow=True)
class OverSQLite(OnDisk):
    def make_store(self) -> SessionStore:
        return SQLiteStore(Path(self.folder.name) / "sessions.db")


@good("a plain handler that asks, async")
class PlainHandler(CallMachine):
    reset_key = ""

    def make_app(self, provider: EchoProvider) -> object:
        flow = AIFlow(YemotAI(provider=provider, store=self.store))

        @flow.get("")
        async def handler(call: AICall) -> None:
            words, silences = "שלום", 0
            while silences < 3:
                said = await call.read(words, mode="stt")
                silences = 0 if said else silences + 1
                words = await _answer(call, said) if said else "לא שמעתי"
            call.hangup()

        return flow


async def _answer(call: AICall, said: str) -> str:
    try:
        return await call.ask_ai(said)
    except Exception:  # noqa: BLE001 - whatever it is, the caller is told the same
        return "סליחה"


@good("a plain handler that asks, blocking, behind a menu")
class BlockingHandler(CallMachine):
    reset_key = ""

    def make_app(self, provider: EchoProvider) -> object:
        flow = AIFlow(YemotAI(provider=provider, store=self.store))

        @flow.get("")
        def menu(call: AICall) -> None:
            if call.read("הקישו 1", max_digits=1) == "1":
                call.goto("/agent")

        @flow.ai_agent("agent")
        def agent(call: AICall, text: str) -> str:
            return call.ask_ai(text)

        return flow

    def reach_agent(self, caller: Caller) -> None:
        caller.presses("1")


@good("an agent whose function asks by itself, async")
class FunctionAgent(CallMachine):
    def make_app(self, provider: EchoProvider) -> object:
        flow = AIFlow(YemotAI(provider=provider, store=self.store))

        @flow.ai_agent("")
        async def agent(call: AICall, text: str) -> str:
            return await call.ask_ai(text)

        return flow


@good("an agent that is typed to")
class Keyboard(CallMachine):
    def make_app(self, provider: EchoProvider) -> object:
        flow = AIFlow(YemotAI(provider=provider, store=self.store))
        flow.ai_agent("", listen="keyboard")(lambda call, text: None)
        return flow


@good("an agent written by hand over the bare protocol")
class WrittenByHand(ByHand):
    agent = Agent
