"""Flows as users write them: plain yemot-flow, an example of a design document, AIFlow misused."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, TypeAlias

import yemot_flow

from tests.property.faults.broken_agents import QUICK
from tests.property.faults.subject import FlowMachine, broken
from tests.support.asking import ask_provider
from yemot_ai import AIFlow, AsyncAICall
from yemot_ai._calls.hooks import CallSummary
from yemot_ai.sessions import Session
from yemot_ai_testing.doubles.steps import Answer
from yemot_ai_testing.history import Budget
from yemot_ai_testing.property import CallMachine, EchoProvider

Line: TypeAlias = Any
"""A call of yemot-flow; its annotations contradict its documentation."""


class Blocking(CallMachine):
    """Runs a flow that blocks while the model runs."""

    model_steps = QUICK
    budget = Budget(hangup=60.0)


@broken(
    "yemot-flow as it is: an agent in a loop of its README's making",
    "ignored", "stale", "asked_twice", "broken", "invalid", "unheard", "answered_twice",
)  # fmt: skip
class PlainYemotFlow(Blocking):
    def make_app(self, provider: EchoProvider) -> object:
        flow = yemot_flow.Flow()
        sessions: dict[str, str] = {}

        async def agent(call: Line) -> None:
            said = await call.read([("text", "שלום")], mode="stt", val_name="said")
            answer, sessions[call.call_id] = provider.ask_blocking(said, sessions.get(call.call_id, ""))
            await call.read([("text", answer)], mode="stt", val_name="said_2")

        flow.add_route("", agent)
        return flow


@broken(
    "yemot-flow with play_message and a question, as its README shows: the question is never asked",
    "ignored", "unheard", "broken", "invalid", "ran_after_hangup", "spoke_after_hangup", "asked_unsaid",
)  # fmt: skip
class PlayThenRead(Blocking):
    def make_app(self, provider: EchoProvider) -> object:
        flow = yemot_flow.Flow()

        async def agent(call: Line) -> None:
            turn = 1
            while True:
                said = await call.read([("text", "מה רצונך")], mode="stt", val_name=f"said_{turn}")
                call.play_message([("text", provider.ask_blocking(said)[0])])
                turn += 1

        flow.add_route("", agent)
        return flow


@broken(
    "the example of the design document: a dictionary of sessions around the Codex command",
    "broken", "invalid", "ignored", "unheard", "asked_twice",
)  # fmt: skip
class DesignDocument(Blocking):
    def make_app(self, provider: EchoProvider) -> object:
        flow = yemot_flow.Flow()
        sessions: dict[str, str] = {}
        subprocess = SimpleNamespace(run=lambda command, **_: _codex(provider, command))

        def ai_agent_handler(call: Line) -> None:
            user_text = call.params.get("RecordingText")
            call_id = call.params.get("ApiCallId")
            if not user_text:
                call.play_message([("text", "אתה כעת משוחח עם סוכן ה-AI. מה ברצונך לומר?")])
                call.record(max_seconds=5, silence_timeout=2, speech_timeout=2)
                return
            if call_id in sessions:
                session_id = sessions[call_id]
                result = subprocess.run(
                    ["codex", "exec", "resume", session_id, user_text], capture_output=True, text=True
                )
                answer = result.stdout.strip()
            else:
                result = subprocess.run(
                    ["codex", "exec", "--json", user_text], capture_output=True, text=True
                )
                answer = ""
                session_id = None
                for line in result.stdout.splitlines():
                    try:
                        event = json.loads(line)
                    except json.JSONDecodeError:
                        continue
                    if event.get("type") == "thread.started":
                        session_id = event.get("thread_id")
                    if (
                        event.get("type") == "item.completed"
                        and event.get("item", {}).get("type") == "agent_message"
                    ):
                        answer = event["item"]["text"]
                if session_id:
                    sessions[call_id] = session_id
            call.play_message([("text", answer)])
            call.record(max_seconds=5, silence_timeout=2, speech_timeout=2)

        flow.add_route("ai_agent", ai_agent_handler)
        return flow

    extension = "ai_agent"


def _codex(provider: EchoProvider, command: list[str]) -> SimpleNamespace:
    """Answer as ``codex exec`` does: plain text, or events with ``--json``."""
    if "resume" in command:
        return SimpleNamespace(stdout=provider.ask_blocking(command[-1], command[3])[0])
    text, session = provider.ask_blocking(command[-1])
    events = (
        {"type": "thread.started", "thread_id": session},
        {"type": "item.completed", "item": {"type": "agent_message", "text": text}},
    )
    return SimpleNamespace(stdout="\n".join(map(json.dumps, events)))


@broken("stores a summary after the hang-up", "stored_after_hangup", "left_open")
class StoresAfterHangUp(FlowMachine):
    def add_routes(self, flow: AIFlow) -> None:
        super().add_routes(flow)

        @flow.ai.on_call_end
        async def summary(transcript: CallSummary, usage: object) -> None:
            call_id = transcript.call_id
            await self.store.delete(call_id)
            await self.store.save(Session(call_id, state={"summary": "…"}), ttl=60)


@broken("one conversation for all calls, outside of them", "crossed_sessions", "ran_after_hangup", "stale")
class AsksBesideTheCall(FlowMachine):
    def add_routes(self, flow: AIFlow) -> None:
        @flow.ai_agent("")
        async def agent(call: AsyncAICall, text: str) -> str:
            return await flow.ai.areply("everybody", text, turn_id=f"{call.call_id} {text}")

    def count_open_calls(self) -> int | None:
        return None


@broken("a handler that calls the model twice for one utterance", "asked_twice")
class TalksToItself(FlowMachine):
    def add_routes(self, flow: AIFlow) -> None:
        @flow.get("")
        async def handler(call: AsyncAICall) -> None:
            said = await call.read("שלום", mode="stt")
            await call.ask_ai(said)
            call.play_message(await call.ask_ai(f"ענה יפה: {said}"))


@broken(
    "asks in the background and listens at once: two questions meet",
    "two_writers",
    "ran_after_hangup",
)
class AsksInTheBackground(FlowMachine):
    model_steps = (Answer(("",), 30.0),)

    def add_routes(self, flow: AIFlow) -> None:
        self.tasks: set[asyncio.Task[object]] = set()
        self.provider.think_seconds = 30.0

        @flow.ai_agent("")
        async def agent(call: AsyncAICall, text: str) -> str:
            self.tasks.add(asyncio.create_task(ask_provider(self.provider, text)))
            return "רגע"
