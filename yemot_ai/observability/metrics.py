"""Metrics of the calls of a flow, for Prometheus (extra ``metrics``).

No metric has a label that a caller chooses, so their number stays small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai.errors import MissingExtraError
from yemot_ai.flow import AIFlow
from yemot_ai.flow.request_log import AnsweredRequest
from yemot_ai.sessions import Turn

if TYPE_CHECKING:  # an extra
    from prometheus_client import CollectorRegistry

    from yemot_ai import CallSummary
    from yemot_ai.providers import Usage

__all__ = ["Metrics"]

DEAD_AIR_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
"""Seconds; above 3 a caller wonders, at 10 the line gives up."""

TURN_BUCKETS: Final = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0)
"""Seconds."""


class Metrics:
    """Measures the calls of a flow in this process.

    Args:
        flow: the flow; its ``YemotAI`` is measured as a whole, so give only one of its flows.
        registry: gets the metrics; a new one unless given, so that several flows do not collide.

    Attributes:
        registry: has the metrics; ``prometheus_client.generate_latest(registry)`` is their text.

    Raises:
        MissingExtraError: ``prometheus-client`` is not installed.
    """

    def __init__(self, flow: AIFlow, *, registry: CollectorRegistry | None = None) -> None:
        try:
            import prometheus_client as prometheus  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError(package="prometheus_client", extra="metrics") from error
        self.registry = own = prometheus.CollectorRegistry() if registry is None else registry
        self._started = prometheus.Counter("yemot_ai_calls_started", "Calls that have started", registry=own)
        self._ended = prometheus.Counter(
            "yemot_ai_calls_ended", "Calls that have ended, by the reason", ["reason"], registry=own
        )
        self._turns = prometheus.Counter(
            "yemot_ai_turns",
            "Turns that asked a model: answered, interrupted, failed",
            ["result"],
            registry=own,
        )
        self._turn_seconds = prometheus.Histogram(
            "yemot_ai_turn_seconds",
            "Seconds from a question to its whole answer",
            buckets=TURN_BUCKETS,
            registry=own,
        )
        self._errors = prometheus.Counter(
            "yemot_ai_provider_errors",
            "Turns without an answer, by the kind of error",
            ["kind"],
            registry=own,
        )
        self._tokens = prometheus.Counter(
            "yemot_ai_tokens", "Tokens, where the provider reports them", ["type"], registry=own
        )
        self._tools = prometheus.Counter(
            "yemot_ai_tool_calls",
            "Calls of tools: done, or the kind of failure",
            ["tool", "result"],
            registry=own,
        )
        self._tool_seconds = prometheus.Histogram(
            "yemot_ai_tool_seconds",
            "Seconds of one run of a tool",
            ["tool"],
            buckets=TURN_BUCKETS,
            registry=own,
        )
        self._toolboxes = flow.ai.toolboxes
        self._dead_air = prometheus.Histogram(
            "yemot_ai_dead_air_seconds",
            "Seconds that a request was held, in which its caller heard nothing",
            buckets=DEAD_AIR_BUCKETS,
            registry=own,
        )
        runtime = flow.ai._runtime  # noqa: SLF001 - the same package
        prometheus.Gauge(
            "yemot_ai_requests_held", "Requests that wait for their response", registry=own
        ).set_function(lambda: runtime.engine.waiting)
        prometheus.Gauge(
            "yemot_ai_codex_waiting_turns", "Turns that wait for a server of Codex", registry=own
        ).set_function(lambda: sum(getattr(one, "waiting_turns", 0) for one in runtime.providers))
        flow.on_request(self._on_request)
        flow.ai.on_call_start(self._on_call_start)
        flow.ai.on_turn(self._on_turn)
        flow.ai.on_tool(self._on_tool)
        flow.ai.on_call_end(self._on_call_end)

    def _on_request(self, answered: AnsweredRequest) -> None:
        if not answered.request.hangup:
            self._dead_air.observe(answered.seconds)

    # The hooks are async, because others run in a thread; they never wait.

    async def _on_call_start(self, _call_id: str, _phone: str) -> None:
        self._started.inc()

    async def _on_turn(self, _call_id: str, turn: Turn) -> None:
        failure = turn.failure
        result = "failed" if failure else "interrupted" if turn.interrupted else "answered"
        self._turns.labels(result).inc()
        self._turn_seconds.observe(turn.duration)
        if failure:
            # The kind of a class that defines none is its Python path, of which there are few.
            self._errors.labels(failure.kind).inc()
        if turn.usage:
            self._tokens.labels("input").inc(turn.usage.input_tokens)
            self._tokens.labels("cached_input").inc(turn.usage.cached_input_tokens)
            self._tokens.labels("output").inc(turn.usage.output_tokens)
            self._tokens.labels("reasoning").inc(turn.usage.reasoning_output_tokens)

    async def _on_tool(self, _call_id: str, turn: Turn) -> None:
        name = turn.tool.name if turn.tool else ""
        # A model may name a tool that does not exist: its words are no label.
        known = any(name in toolbox.tools for toolbox in self._toolboxes.values())
        label = name if known else "(unknown)"
        self._tools.labels(label, turn.failure.kind if turn.failure else "done").inc()
        self._tool_seconds.labels(label).observe(turn.duration)

    async def _on_call_end(self, summary: CallSummary, _usage: Usage) -> None:
        self._ended.labels(summary.reason).inc()
