"""Spans of the calls of a flow, for OpenTelemetry (extra ``otel``): call, turn, question, run of a tool.

The names follow the semantic conventions for generative AI, which are not stable yet (status "development",
1.41): https://opentelemetry.io/docs/specs/semconv/gen-ai/. The library needs the API only; without an SDK
in the application nothing is recorded.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import MissingExtraError
from yemot_ai.flow import AIFlow
from yemot_ai.sessions import ToolUse, Turn

if TYPE_CHECKING:  # an extra
    from opentelemetry.trace import Span, TracerProvider

    from yemot_ai import CallSummary
    from yemot_ai.providers import Usage

__all__ = ["Tracing"]

MAX_CALLS: Final = 10_000
"""Open spans of calls in one process; the span of a call that ends at another worker is ended by age."""

AGENT: Final = "yemot-ai"
"""``gen_ai.agent.name``, before the name of an agent with a separate conversation."""


class Tracing:
    """Makes spans of the calls of a flow.

    A call has a span in each process that answers it. The spans of a turn, of its question to the model, and
    of the tools that the model has called are made when the turn is done, with the times at which they began
    and ended.

    Args:
        flow: the flow; its ``YemotAI`` is traced as a whole, so give only one of its flows.
        tracer_provider: of the application; the global one unless given.
        words: whether spans have what callers and models said.

    Raises:
        MissingExtraError: ``opentelemetry-api`` is not installed.
    """

    def __init__(
        self, flow: AIFlow, *, tracer_provider: TracerProvider | None = None, words: bool = False
    ) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError(package="opentelemetry", extra="otel") from error
        self._trace = trace
        self._tracer = trace.get_tracer("yemot_ai", tracer_provider=tracer_provider)
        self._words = words
        self._provider_of = flow.ai._runtime.find_provider  # noqa: SLF001 - the same package
        self._calls: OrderedDict[str, Span] = OrderedDict()
        self._tools: dict[str, list[tuple[Turn, int]]] = {}
        self._lock = threading.Lock()
        flow.ai.on_call_start(self._on_call_start)
        flow.ai.on_turn(self._on_turn)
        flow.ai.on_tool(self._on_tool)
        flow.ai.on_call_end(self._on_call_end)

    # The hooks are async, because others run in a thread; they never wait.

    async def _on_call_start(self, call_id: str, _phone: str) -> None:
        self._call_span(call_id, start=time.time_ns())

    async def _on_tool(self, call_id: str, turn: Turn) -> None:
        self._tools.setdefault(call_id, []).append((turn, time.time_ns()))

    async def _on_turn(self, call_id: str, turn: Turn) -> None:
        end = time.time_ns()
        start = end - int(turn.duration * 1e9)
        provider = self._provider_of(turn.conversation)
        model = str(getattr(provider, "model", None) or "")
        common = {"gen_ai.conversation.id": call_id, "gen_ai.provider.name": getattr(provider, "name", "")}
        agent = ":".join(filter(None, (AGENT, turn.conversation.partition(":")[2])))
        name = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent,
            "yemot_ai.turn.id": turn.id,
        }
        turn_span = self._tracer.start_span(
            f"invoke_agent {agent}",
            context=self._trace.set_span_in_context(self._call_span(call_id, start=start)),
            start_time=start,
            attributes={**common, **name, "yemot_ai.turn.interrupted": turn.interrupted},
        )
        model_span = self._tracer.start_span(
            f"chat {model}".strip(),
            context=self._trace.set_span_in_context(turn_span),
            kind=self._trace.SpanKind.CLIENT,
            start_time=start,
            attributes={**common, "gen_ai.operation.name": "chat", **self._attributes(turn, model)},
        )
        self._add_tools(call_id, turn.id, turn_span)
        for span in (model_span, turn_span):
            self._end(span, turn, end)

    def _add_tools(self, call_id: str, turn_id: str, turn_span: Span) -> None:
        ran = self._tools.pop(call_id, [])
        others = [(step, end) for step, end in ran if step.parent != turn_id]
        if others:
            self._tools[call_id] = others
        context = self._trace.set_span_in_context(turn_span)
        for step, end in ran:
            if step.tool is None or step.parent != turn_id:
                continue
            start = end - int(step.duration * 1e9)
            span = self._tracer.start_span(
                f"execute_tool {step.tool.name}",
                context=context,
                start_time=start,
                attributes=self._tool_attributes(call_id, step, step.tool),
            )
            self._end(span, step, end)

    def _end(self, span: Span, turn: Turn, end: int) -> None:
        if turn.failure:
            span.set_attribute("error.type", turn.failure.kind)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(end)

    async def _on_call_end(self, summary: CallSummary, _usage: Usage) -> None:
        self._tools.pop(summary.call_id, None)
        with self._lock:
            span = self._calls.pop(summary.call_id, None)
        if span is not None:
            span.set_attribute("yemot_ai.call.end_reason", summary.reason)
            span.end()

    def _tool_attributes(self, call_id: str, step: Turn, use: ToolUse) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "gen_ai.conversation.id": call_id,
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": use.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": use.call_id,
        }
        if self._words:
            attributes |= {
                "gen_ai.tool.call.arguments": use.arguments,
                "gen_ai.tool.call.result": step.answer,
            }
        return attributes

    def _attributes(self, turn: Turn, model: str) -> dict[str, Any]:
        attributes: dict[str, Any] = {"gen_ai.request.model": model} if model else {}
        if turn.usage:
            attributes |= {
                "gen_ai.usage.input_tokens": turn.usage.input_tokens,
                "gen_ai.usage.cache_read.input_tokens": turn.usage.cached_input_tokens,
                "gen_ai.usage.output_tokens": turn.usage.output_tokens,
                "gen_ai.usage.reasoning.output_tokens": turn.usage.reasoning_output_tokens,
            }
        if self._words:
            attributes |= {
                "gen_ai.input.messages": _message("user", turn.text),
                "gen_ai.output.messages": _message("assistant", turn.answer),
            }
        return attributes

    def _call_span(self, call_id: str, *, start: int) -> Span:
        """Return the span of a call, which starts at ``start`` unless it has started already."""
        with self._lock:
            span = self._calls.get(call_id)
            if span is None:
                span = self._calls[call_id] = self._tracer.start_span(
                    "call", start_time=start, attributes={"gen_ai.conversation.id": call_id}
                )
            self._calls.move_to_end(call_id)
            oldest = self._calls.popitem(last=False)[1] if len(self._calls) > MAX_CALLS else None
        if oldest is not None:
            oldest.end()
        return span


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)
