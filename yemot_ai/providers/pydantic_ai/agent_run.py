"""One run of an agent: from a prompt to what the caller hears, or to the calls of the flow's tools."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin

from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import ReinjectSystemPrompt
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
)
from pydantic_ai.run import AgentRun
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RunUsage

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.answer_filter import AnswerFilter, answer_of
from yemot_ai.providers.provider import JSON, Exchange, Reply, ToolCalls, ToolRequest, Usage
from yemot_ai.providers.pydantic_ai.errors import RunErrors
from yemot_ai.providers.pydantic_ai.messages import (
    dump_messages,
    history_messages,
    newest_exchanges,
    session_messages,
    texts_of,
)
from yemot_ai.providers.pydantic_ai.rounds import Continuation, continued, external_tools, flow_calls
from yemot_ai.providers.refusals.quoted_words import hide_words
from yemot_ai.providers.sdk.stop_reasons import cut_reason
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["AgentRunner", "AgentTurn"]

log = logging.getLogger("yemot_ai")

OnPiece: TypeAlias = Callable[[str], object]

GAP: Final = "\n"
"""Stands between what a model says before it uses a tool and what it says after it."""

_NO_CALLS: Final = ModelSettings(tool_choice="none")


class AgentRunner:
    """Runs turns of an agent.

    Args:
        agent: the agent.
        deps: the dependencies of its runs.
        timeout: seconds for one answer.
        provider: the name of the provider, for errors.

    Raises:
        ConfigurationError: it is no agent, or its output is no text.
    """

    def __init__(
        self, agent: AbstractAgent[Any, Any], deps: object, timeout: float, *, provider: str
    ) -> None:
        _check_agent(agent)
        self.agent = agent
        self.deps = deps
        self.timeout = timeout
        self.provider = provider
        self.errors = RunErrors(provider=provider, timeout=timeout)

    @property
    def model_name(self) -> str:
        """The name of the agent's model; empty without one."""
        model = self.agent.model
        return model if isinstance(model, str) else str(getattr(model, "model_name", ""))

    def turn(
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        tools: ToolRequest | None,
    ) -> AgentTurn:
        """Return a turn; the parameters are those of ``ToolProvider.ask``."""
        return AgentTurn(
            self, replace_surrogates(prompt), session, replace_surrogates(instructions or ""), history, tools
        )


@dataclass
class AgentTurn:
    """One turn; it is run once.

    Attributes:
        spoken: what was spoken of each message of the model while it was written.
        usage: the tokens so far.
    """

    runner: AgentRunner
    prompt: str
    session: JSON
    instructions: str
    history: Sequence[Exchange]
    tools: ToolRequest | None
    spoken: list[str] = field(default_factory=list)
    usage: RunUsage = field(default_factory=RunUsage)

    async def run(self, on_piece: OnPiece | None) -> Reply | ToolCalls:
        """Run the agent.

        Args:
            on_piece: is called with each piece of text; None if the text is wanted whole.

        Raises:
            ProviderError: as ``PydanticAIProvider.ask`` does.
        """
        start = self._start()
        try:
            async with asyncio.timeout(self.runner.timeout) as limit:
                return await self._run(start, on_piece)
        except Exception as error:
            known = self.runner.errors.timed_out() if limit.expired() else self.runner.errors.of_run(error)
            if known is None:
                raise
            words = [self.prompt, self.instructions, *texts_of(start.messages), *start.results.values()]
            hide_words(known, words)
            raise known from None

    def _start(self) -> Continuation:
        provider = self.runner.provider
        earlier = (
            history_messages(self.history)
            if self.session is None
            else session_messages(self.session, provider=provider)
        )
        return continued(earlier, self.prompt, self.tools.rounds if self.tools else (), provider=provider)

    async def _run(self, start: Continuation, on_piece: OnPiece | None) -> Reply | ToolCalls:
        tools = self.tools
        async with self.runner.agent.iter(
            start.prompt,
            message_history=start.messages,
            deferred_tool_results=start.deferred_results,
            instructions=self.instructions or None,
            deps=self.runner.deps,
            usage=self.usage,
            # Without it the system prompt of the agent would be missing in a conversation that was rebuilt.
            capabilities=[ReinjectSystemPrompt()],
            output_type=_with_calls(self.runner.agent.output_type) if tools else None,
            toolsets=[external_tools(tools)] if tools else None,
            model_settings=None if tools is None or tools.may_call else _NO_CALLS,
        ) as run:
            last = await self._follow(run, on_piece)
        return self._answer(run, last, streamed=on_piece is not None)

    async def _follow(self, run: AgentRun[Any, Any], on_piece: OnPiece | None) -> ModelResponse:
        """Run the agent to its end; return the last message of the model."""
        last = ModelResponse([])
        async for node in run:
            if on_piece is not None and Agent.is_model_request_node(node):
                spoken = _Message(on_piece, gap=any(self.spoken))
                async with node.stream(run.ctx) as events:
                    async for event in events:
                        spoken.feed(_text_of(event))
                self.spoken.append(spoken.finish(events.response))
            elif Agent.is_call_tools_node(node):
                last = node.model_response
                self._check_answered(last)
        return last

    def _check_answered(self, response: ModelResponse) -> None:
        """Raise if the model has written nothing: pydantic-ai would ask it again and again."""
        reason = _reason(response)
        # Text before a refusal must not be used.
        if reason == "refusal" or not (_has_calls(response) or _answer_in(response)):
            raise self.runner.errors.empty(reason)

    def _answer(self, run: AgentRun[Any, Any], last: ModelResponse, *, streamed: bool) -> Reply | ToolCalls:
        assert run.result is not None  # noqa: S101 - the run has ended
        output, messages, usage = run.result.output, run.result.all_messages(), _usage(self.usage)
        before_tools = self.spoken if streamed else _said_before_tools(run.result.new_messages())
        if isinstance(output, DeferredToolRequests):
            calls = flow_calls(output, self.tools, provider=self.runner.provider)
            return ToolCalls(calls, _joined(before_tools), dump_messages(messages), usage)
        final = answer_of(replace_surrogates(output))
        text = self._spoken_text(final) if streamed else _joined([*before_tools, final])
        kept = dump_messages(newest_exchanges(messages, Exchange(self.prompt, text)))
        session: JSON = {"id": last.provider_response_id or "", "messages": kept}
        return Reply(text, session, usage, _cut(last))

    def _spoken_text(self, final: str) -> str:
        if self.spoken[-1].strip() != final:
            log.warning(
                "an output validator of the agent changed an answer that was already spoken: "
                "pass streams=False to PydanticAIProvider"
            )
        return _joined(self.spoken)


class _Message:
    """What is spoken of one message of the model, while it is written."""

    def __init__(self, on_piece: OnPiece, *, gap: bool) -> None:
        self._on_piece = on_piece
        self._filter = AnswerFilter()
        self._gap = GAP if gap else ""
        self._spoken: list[str] = []

    def feed(self, text: str) -> None:
        if text:
            self._say(self._filter.feed(replace_surrogates(text)))

    def finish(self, response: ModelResponse) -> str:
        """Say the rest; return all that was said."""
        self._say(self._filter.finish(cut=bool(_cut(response))))
        return "".join(self._spoken)

    def _say(self, text: str) -> None:
        if not self._spoken:
            text = text.lstrip()
        if text:
            self._on_piece(self._gap + text)
            self._gap = ""
            self._spoken.append(text)


def _check_agent(agent: object) -> None:
    if isinstance(agent, type) or not isinstance(agent, AbstractAgent):
        what = agent.__name__ if isinstance(agent, type) else type(agent).__name__
        raise ConfigurationError(f"{what} is no agent of pydantic-ai: give Agent('provider:model', …)")
    outputs = _outputs(agent.output_type)
    if str not in outputs or set(outputs) - {str, DeferredToolRequests}:
        raise ConfigurationError(
            f"the agent's output_type is {agent.output_type!r}, but a caller hears text: make the agent with "
            "output_type=str"
        )


def _outputs(output_type: object) -> list[object]:
    if isinstance(output_type, list | tuple):
        return [single for one in output_type for single in _outputs(one)]
    if get_origin(output_type) in {Union, UnionType}:
        return list(get_args(output_type))
    return [output_type]


def _with_calls(output_type: object) -> list[Any] | None:
    """Return the output of a run with tools; None if the agent's own allows for their calls."""
    return None if DeferredToolRequests in _outputs(output_type) else [str, DeferredToolRequests]


def _text_of(event: object) -> str:
    match event:
        case (
            PartStartEvent(part=TextPart(content=text))
            | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
        ):
            return text
    return ""


def _said_before_tools(messages: Sequence[ModelMessage]) -> list[str]:
    """Return what the model said in messages that call tools; a text that a validator rejected is none."""
    return [_answer_in(one) for one in messages if isinstance(one, ModelResponse) and _has_calls(one)]


def _has_calls(response: ModelResponse) -> bool:
    return any(isinstance(part, ToolCallPart) for part in response.parts)


def _answer_in(response: ModelResponse) -> str:
    return answer_of(replace_surrogates(response.text or ""), cut=bool(_cut(response)))


def _joined(texts: Sequence[str]) -> str:
    return GAP.join(text for text in texts if text).strip()


def _reason(response: ModelResponse) -> str:
    """Return why the model stopped: in the service's word, else in that of pydantic-ai."""
    reason = (response.provider_details or {}).get("finish_reason")
    return reason if isinstance(reason, str) else response.finish_reason or ""


def _cut(response: ModelResponse) -> str:
    return "" if _has_calls(response) else cut_reason(_reason(response))


def _usage(usage: RunUsage) -> Usage:
    thoughts = getattr(usage, "output_reasoning_tokens", 0) or usage.details.get("reasoning_tokens", 0)
    return Usage.from_counts(usage.input_tokens, usage.cache_read_tokens, usage.output_tokens, thoughts)
