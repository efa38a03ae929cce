from __future__ import annotations

import json
import sys

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import MissingExtraError
from yemot_ai.observability import Tracing
from yemot_ai_testing import ScriptedProvider


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracers(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def call(provider: ScriptedProvider, tracers: TracerProvider, *, words: bool = False) -> None:
    flow = AIFlow(YemotAI(provider=provider, retries=0))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    flow.ai_agent("own", greeting="שלום", instructions="קצר")(lambda call, text: None)
    Tracing(flow, tracer_provider=tracers, words=words)
    line = Line(flow, "c1")
    line.enter("own")
    line.send(("ai_1", "סוד השאלה"))
    line.hang_up()


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_question_to_the_model_is_in_its_turn_in_its_call(
    exporter: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    call(ScriptedProvider().answers("סוד התשובה"), tracers)
    spans = by_name(exporter)
    outer, turn, model = spans["call"], spans["invoke_agent yemot-ai:own"], spans["chat"]
    assert outer.context is not None
    assert turn.context is not None

    assert outer.parent is None
    assert turn.parent is not None
    assert turn.parent.span_id == outer.context.span_id
    assert model.parent is not None
    assert model.parent.span_id == turn.context.span_id
    assert model.kind is SpanKind.CLIENT


def test_the_spans_have_the_attributes_of_the_conventions(
    exporter: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    call(ScriptedProvider().answers("סוד התשובה"), tracers)
    spans = by_name(exporter)
    turn, model = (dict(spans[name].attributes or {}) for name in ("invoke_agent yemot-ai:own", "chat"))

    assert model["gen_ai.operation.name"] == "chat"
    assert model["gen_ai.provider.name"] == "scripted"
    assert model["gen_ai.conversation.id"] == "c1"
    assert model["gen_ai.usage.input_tokens"]
    assert model["gen_ai.usage.output_tokens"]
    assert turn["gen_ai.operation.name"] == "invoke_agent"
    assert turn["yemot_ai.turn.id"] == "ai_1"
    assert (spans["call"].attributes or {})["yemot_ai.call.end_reason"] == "hangup"


def test_words_are_in_the_spans_only_if_they_are_asked_for(
    exporter: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    call(ScriptedProvider().answers("סוד התשובה"), tracers)
    assert "סוד" not in " ".join(span.to_json() for span in exporter.get_finished_spans())

    exporter.clear()
    call(ScriptedProvider().answers("סוד התשובה"), tracers, words=True)
    asked = (by_name(exporter)["chat"].attributes or {})["gen_ai.input.messages"]
    assert json.loads(str(asked)) == [{"role": "user", "parts": [{"type": "text", "content": "סוד השאלה"}]}]


def test_a_failure_is_the_error_of_both_spans(
    exporter: InMemorySpanExporter, tracers: TracerProvider
) -> None:
    call(ScriptedProvider().fails("quota_exceeded"), tracers)

    for name in ("chat", "invoke_agent yemot-ai:own"):
        span = by_name(exporter)[name]
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == "quota_exceeded"


def order_status(number: int) -> str:
    """Return the status of an order."""
    if number == 1:
        return "סוד התוצאה"
    raise KeyError(number)


@pytest.mark.parametrize("words", [False, True])
def test_the_run_of_a_tool_is_a_span_in_its_turn(
    exporter: InMemorySpanExporter, tracers: TracerProvider, *, words: bool
) -> None:
    provider = ScriptedProvider().calls("order_status", {"number": 1}).calls("order_status", {"number": 2})
    ai = YemotAI(provider=provider.answers("מוכנה"), tools=[order_status])
    Tracing(AIFlow(ai), tracer_provider=tracers, words=words)
    ai.reply("c1", "מה עם ההזמנה")
    ai.end("c1")

    turn = by_name(exporter)["invoke_agent yemot-ai"]
    done, failed = (
        span for span in exporter.get_finished_spans() if span.name == "execute_tool order_status"
    )
    assert turn.context is not None
    assert {span.parent.span_id for span in (done, failed) if span.parent} == {turn.context.span_id}
    attributes = dict(done.attributes or {})
    assert attributes["gen_ai.operation.name"] == "execute_tool"
    assert attributes["gen_ai.tool.name"] == "order_status"
    assert attributes["gen_ai.tool.call.id"]
    assert ("סוד התוצאה" in str(attributes)) is words
    assert failed.status.status_code is StatusCode.ERROR
    assert dict(failed.attributes or {})["error.type"] == "tool_failed"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(MissingExtraError, match=r"yemot-ai\[otel\]"):
        Tracing(AIFlow(YemotAI(provider=ScriptedProvider())))
