"""The tools of a flow as external tools of an agent, and their results as its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic_ai import DeferredToolRequests, DeferredToolResults, RunContext, ToolDefinition
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.toolsets import ExternalToolset, WrapperToolset
from pydantic_ai.toolsets.abstract import ToolsetTool

from yemot_ai.errors import ProviderError
from yemot_ai.providers.provider import ToolCall, ToolRequest, ToolRound
from yemot_ai.providers.pydantic_ai.messages import load_messages
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["Continuation", "continued", "external_tools", "flow_calls"]

MAX_RETRIES: Final = 2
"""How often the model may write the arguments of a call again that are no JSON."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """The beginning of a run.

    Attributes:
        messages: the conversation so far.
        prompt: what the caller said; None if it is in the messages.
        results: the results of the calls at the end of the messages, by the ids of the calls.
    """

    messages: list[ModelMessage]
    prompt: str | None
    results: dict[str, str] = field(default_factory=dict)

    @property
    def deferred_results(self) -> DeferredToolResults | None:
        """The results for pydantic-ai."""
        return DeferredToolResults(calls=dict(self.results)) if self.results else None


def continued(
    messages: list[ModelMessage], prompt: str, rounds: Sequence[ToolRound], *, provider: str
) -> Continuation:
    """Return where a turn continues.

    Args:
        messages: the earlier turns.
        prompt: what the caller said.
        rounds: the calls of this turn and their results.
        provider: for errors.

    Raises:
        SessionLostError: the state of a round is damaged.
    """
    if not rounds:
        return Continuation(messages, prompt)
    rounds = [_with_ids(one, number) for number, one in enumerate(rounds)]
    known = max((place for place, one in enumerate(rounds) if one.state is not None), default=None)
    if known is None:
        known, begun = 0, [*messages, ModelRequest([UserPromptPart(prompt)]), _calls_message(rounds[0])]
    else:
        begun = load_messages(rounds[known].state, provider=provider)
    for before, later in zip(rounds[known:], rounds[known + 1 :], strict=False):
        begun += [_results_message(before), _calls_message(later)]
    return Continuation(begun, None, _results(rounds[-1]))


def external_tools(request: ToolRequest) -> WrapperToolset[Any]:
    """Return the tools for the agent."""
    definitions = [
        ToolDefinition(
            name=spec.name, description=spec.description, parameters_json_schema=dict(spec.parameters)
        )
        for spec in request.specs
    ]
    return _FlowTools(ExternalToolset(definitions))


def flow_calls(
    found: DeferredToolRequests, tools: ToolRequest | None, *, provider: str
) -> tuple[ToolCall, ...]:
    """Return the calls of the flow's tools.

    Raises:
        ProviderError: there are calls of other tools, which nothing here runs or approves.
    """
    names = {spec.name for spec in tools.specs} if tools else set()
    foreign = [call.tool_name for call in (*found.approvals, *found.calls) if call.tool_name not in names]
    if foreign:
        raise ProviderError(
            f"the agent's tool {foreign[0]!r} waits for an approval or a result from outside, which no "
            "line gives: let a capability of the agent handle its deferred calls, or give the tool to tools= "
            "of the flow",
            provider=provider,
        )
    return tuple(ToolCall(call.tool_call_id, call.tool_name, call.args_as_json_str()) for call in found.calls)


@dataclass
class _FlowTools(WrapperToolset[Any]):
    """External tools whose arguments the model may correct."""

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        tools = await self.wrapped.get_tools(ctx)
        return {name: replace(tool, max_retries=MAX_RETRIES) for name, tool in tools.items()}


def _with_ids(round_: ToolRound, number: int) -> ToolRound:
    """Return a round whose calls have ids; those of another provider may have none, or the same."""
    ids = {call.id for call in round_.calls} - {""}
    if round_.state is not None or len(ids) == len(round_.calls):
        return round_
    calls = (replace(call, id=f"call_{number}_{place}") for place, call in enumerate(round_.calls))
    return replace(round_, calls=tuple(calls))


def _calls_message(round_: ToolRound) -> ModelResponse:
    said = [TextPart(round_.text)] if round_.text else []
    return ModelResponse([*said, *(ToolCallPart(one.name, one.arguments, one.id) for one in round_.calls)])


def _results_message(round_: ToolRound) -> ModelRequest:
    results = zip(round_.calls, _results(round_).values(), strict=True)
    return ModelRequest([ToolReturnPart(call.name, result, call.id) for call, result in results])


def _results(round_: ToolRound) -> dict[str, str]:
    pairs = zip(round_.calls, round_.results, strict=True)
    return {call.id: replace_surrogates(result) for call, result in pairs}
