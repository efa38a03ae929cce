"""Agents whose model is a function, and one turn with a provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from yemot_ai.providers import JSON, PydanticAIProvider, Reply, ToolCalls, ToolRequest, ToolSpec, read_answer

STATUS = ToolSpec(
    "order_status",
    "The status of an order.",
    {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
)
HOURS = ToolSpec("opening_hours", "The opening hours.", {"type": "object", "properties": {}})
SPECS = (STATUS, HOURS)


class Model:
    """Answers each request with the next of ``messages``; keeps what it was sent."""

    def __init__(self, *messages: ModelResponse) -> None:
        self._messages = list(messages)
        self.requests: list[list[ModelMessage]] = []
        self.offered: list[AgentInfo] = []

    def answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.requests.append(messages)
        self.offered.append(info)
        return self._messages.pop(0)

    async def stream(
        self, messages: list[ModelMessage], info: AgentInfo
    ) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
        for piece in _pieces(self.answer(messages, info)):
            yield piece

    def agent(self, **options: Any) -> Agent[None, str]:  # noqa: ANN401 - those of Agent
        return Agent(FunctionModel(self.answer, stream_function=self.stream), **options)

    def sent(self, number: int = -1) -> list[tuple[str, Any]]:
        """Return the parts of a request, each with its content or its arguments."""
        parts = [part for message in self.requests[number] for part in message.parts]
        return [(part.part_kind, getattr(part, "content", getattr(part, "args", None))) for part in parts]


def _pieces(message: ModelResponse) -> Iterator[str | dict[int, DeltaToolCall]]:
    for place, part in enumerate(message.parts):
        if isinstance(part, TextPart):
            half = len(part.content) // 2
            yield from (part.content[:half], part.content[half:])
        elif isinstance(part, ToolCallPart):
            arguments = part.args_as_json_str()
            yield {place: DeltaToolCall(part.tool_name, arguments[:3], tool_call_id=part.tool_call_id)}
            yield {place: DeltaToolCall(json_args=arguments[3:])}


def said(text: str) -> ModelResponse:
    return ModelResponse([TextPart(text)])


def called(*calls: tuple[str, dict[str, Any] | str], saying: str = "") -> ModelResponse:
    spoken = [TextPart(saying)] if saying else []
    return ModelResponse([*spoken, *(ToolCallPart(name, arguments) for name, arguments in calls)])


def give(agent: Agent[None, str], name: str, function: Callable[..., object], **options: Any) -> None:  # noqa: ANN401 - of ``tool_plain``
    """Give an agent a tool that is not the flow's."""
    agent.tool_plain(name=name, **options)(function)


def offer(*rounds: Any, may_call: bool = True) -> ToolRequest:  # noqa: ANN401 - of ToolRound
    return ToolRequest(SPECS, rounds, may_call=may_call)


class Asked:
    """One turn: its answer and its pieces."""

    def __init__(self, answer: Reply | ToolCalls, pieces: list[str]) -> None:
        self.answer = answer
        self.pieces = pieces

    @property
    def reply(self) -> Reply:
        assert isinstance(self.answer, Reply)
        return self.answer

    @property
    def calls(self) -> ToolCalls:
        assert isinstance(self.answer, ToolCalls)
        return self.answer

    @property
    def session(self) -> JSON:
        """The session, as a store returns it."""
        return through_json(self.reply.session)


def through_json(value: JSON) -> JSON:
    loaded: JSON = json.loads(json.dumps(value))
    return loaded


async def ask(provider: PydanticAIProvider, prompt: str, *, stream: bool = False, **options: Any) -> Asked:  # noqa: ANN401 - those of ``ask``
    pieces: list[str] = []
    parts = provider.ask(prompt, stream=stream, **options)
    return Asked(await read_answer(parts, provider.name, pieces.append if stream else None), pieces)


def ask_now(provider: PydanticAIProvider, prompt: str, *, stream: bool = False, **options: Any) -> Asked:  # noqa: ANN401 - as above
    return asyncio.run(ask(provider, prompt, stream=stream, **options))
