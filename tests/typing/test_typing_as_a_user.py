"""The public API, used as a user would: this file is about what mypy --strict says of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, assert_type

from yemot_ai import AICall, AIFlow, AsyncAgent, AsyncAICall, Tool, ToolContext, Turn, YemotAI, tool
from yemot_ai.flow import RecordingInput
from yemot_ai.protocol import Digits, Problem, Request, Response, Text, lint, speakable
from yemot_ai.providers import JSON, Exchange, Provider, Reply, SessionProvider
from yemot_ai.sessions import MemoryStore, SessionStore
from yemot_ai.transcription import OpenAITranscriber, Transcriber
from yemot_ai.transcription.download import Recordings
from yemot_ai_testing import Caller, FakeCodex, ModelServer, ScriptedProvider, contract


class Parrot:
    """A provider needs no base class."""

    name = "parrot"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply(prompt, session=None)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return Reply(prompt, session)


class Echo:
    """A provider with one method."""

    name = "echo"
    streams = True

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        yield Reply(prompt, session)


def test_any_object_with_one_method_is_a_provider() -> None:
    echo: Provider = Echo()

    assert_type(YemotAI(provider=echo).reply("c1", "שלום"), str)


def test_any_object_with_the_methods_is_a_provider() -> None:
    parrot: SessionProvider = Parrot()
    store: SessionStore = MemoryStore()
    ai = YemotAI(provider=parrot, store=store)

    assert_type(ai.reply("c1", "שלום"), str)
    assert_type(ai.ask("c1", "שלום"), Turn)
    assert_type(ai.areply("c1", "שלום", turn_id="x"), Coroutine[Any, Any, str]).close()
    ai.end("c1")


class QueueBackend:
    """A backend needs no base class."""

    def __init__(self) -> None:
        self.calls: list[contract.Received] = []

    def answers(self, text: str) -> None: ...

    def refuses(self, kind: str) -> None: ...

    def hangs(self) -> None: ...

    def received(self) -> list[contract.Received]:
        return self.calls


def test_what_make_provider_gets_is_what_backend_returns() -> None:
    def on_server(server: ModelServer) -> Parrot:
        return Parrot()

    def on_queue(queue: QueueBackend) -> Echo:
        return Echo()

    def on_codex(codex: FakeCodex) -> Parrot:
        return Parrot()

    backend: contract.ModelBackend = QueueBackend()
    assert backend.received() == []
    suites = [
        contract.provider(Parrot),
        contract.provider(on_server, backend=ModelServer),
        contract.provider(on_queue, backend=QueueBackend, deadline=2.0, name="queue"),
        contract.provider(on_codex, backend=FakeCodex),
    ]
    assert_type(suites[0].run("answer-reply"), contract.Verdict)
    contract.provider(on_server, backend=QueueBackend)  # type: ignore[misc]  # another backend


class Ear:
    """A transcriber needs no base class either."""

    async def transcribe(self, audio: bytes) -> str:
        return "שלום" if audio else ""


def test_any_object_that_transcribes_is_a_transcriber() -> None:
    ears: list[Transcriber] = [Ear(), OpenAITranscriber(api_key="test"), ScriptedProvider()]
    for ear in ears:
        ai = YemotAI(provider=Parrot(), transcriber=ear, recordings=Recordings("word-of-the-test"))

        @AIFlow(ai).ai_agent("", listen=RecordingInput(max_seconds=90))
        def agent(call: AICall, text: str) -> None: ...


def test_one_method_serves_sync_and_async_handlers() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("כן").answers("כן")))

    @flow.get("sync")
    def sync_handler(call: AICall) -> None:
        text: str = call.ask_ai("שאלה")
        call.play_message([("text", text)])

    @flow.get("async")
    async def async_handler(call: AsyncAICall) -> None:
        task = asyncio.create_task(call.ask_ai("שאלה"))
        text: str = await task
        call.play_message(text)

    for extension in ("sync", "async"):
        assert Caller(flow, extension=extension).dial().startswith("כן")


def test_both_forms_of_an_agent_are_typed() -> None:
    flow = AIFlow(YemotAI(provider=Parrot()))

    @flow.ai_agent("a")
    def with_text(call: AICall, text: str) -> str | None:
        return text

    @flow.ai_agent("b", greeting="שלום", instructions="קצר", listen="voice")
    async def with_agent(call: AsyncAICall, agent: AsyncAgent) -> str | None:
        return await agent.ask(agent.text)

    assert set(flow.agents) == {"a", "b"}


@tool
def opening_hours(day: str) -> str:
    """Return the opening hours."""
    return day


@tool(says="רגע", confirm="לבטל את {number}?", timeout=5, retry=True)
async def cancel_order(call: ToolContext, number: int) -> None:
    """Cancel an order."""
    call.state["cancelled"] = number


def order_status(number: int) -> dict[str, int]:
    """Return the status of an order."""
    return {"number": number}


def test_functions_and_tools_are_tools() -> None:
    ai = YemotAI(provider=ScriptedProvider(), tools=[opening_hours])

    @ai.on_tool
    def done(call_id: str, turn: Turn) -> None:
        assert turn.tool is not None

    @AIFlow(ai).ai_agent("", tools=[opening_hours, cancel_order, order_status])
    def agent(call: AICall, text: str) -> None: ...

    assert_type(opening_hours, Tool)
    assert opening_hours("ראשון") == "ראשון"


def test_the_protocol_is_typed() -> None:
    request = Request.parse({"ApiCallId": "c1"})
    assert_type(request.newest("x"), str | None)
    assert_type(Response.parse("go_to_folder=/"), Response)
    assert_type(lint("noop"), list[Problem])
    assert_type(speakable("שלום"), list[Text | Digits])
