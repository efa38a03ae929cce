from __future__ import annotations

import sys

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import MissingExtraError
from yemot_ai.observability import Metrics
from yemot_ai_testing import ScriptedProvider

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def flow(provider: ScriptedProvider) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider, retries=0))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


def scraped(metrics: Metrics) -> Samples:
    """The samples as Prometheus reads them, without the times at which they were made."""
    text = prometheus_client.generate_latest(metrics.registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_a_call_its_turns_and_its_tokens_are_counted(flow: AIFlow, provider: ScriptedProvider) -> None:
    metrics = Metrics(flow)
    provider.answers("תשובה")
    line = Line(flow, "c1")
    line.enter("")
    line.send(("ai_1", "שאלה"))
    line.hang_up()
    samples = scraped(metrics)

    assert samples["yemot_ai_calls_started_total", ()] == 1
    assert samples["yemot_ai_calls_ended_total", (("reason", "hangup"),)] == 1
    assert samples["yemot_ai_turns_total", (("result", "answered"),)] == 1
    assert samples["yemot_ai_turn_seconds_count", ()] == 1
    assert samples["yemot_ai_tokens_total", (("type", "input"),)] > 0
    assert samples["yemot_ai_tokens_total", (("type", "output"),)] > 0
    assert samples["yemot_ai_dead_air_seconds_count", ()] == 2  # the hang-up makes nobody wait
    assert samples["yemot_ai_requests_held", ()] == 0


def test_failures_are_counted_by_their_kind(flow: AIFlow, provider: ScriptedProvider) -> None:
    metrics = Metrics(flow)
    provider.fails("quota_exceeded")
    line = Line(flow, "c1")
    line.enter("")
    line.send(("ai_1", "שאלה"))
    flow.ai.end("c1")
    samples = scraped(metrics)

    assert samples["yemot_ai_turns_total", (("result", "failed"),)] == 1
    assert samples["yemot_ai_provider_errors_total", (("kind", "quota_exceeded"),)] == 1


def test_nothing_that_a_caller_chooses_becomes_a_label(flow: AIFlow, provider: ScriptedProvider) -> None:
    metrics = Metrics(flow)
    before = scraped(metrics).keys()
    for number in range(50):
        Line(flow, f"c{number}", phone=f"05012345{number:02}").enter(f"no{number}")

    assert scraped(metrics).keys() == before


def order_status(number: int) -> str:
    """Return the status of an order."""
    return "מוכנה"


def test_tools_are_counted_by_name_and_a_name_that_the_model_invents_is_none() -> None:
    provider = ScriptedProvider().calls(("order_status", {"number": 1}), ("invented", {})).answers("מוכנה")
    ai = YemotAI(provider=provider, tools=[order_status])
    metrics = Metrics(AIFlow(ai))
    ai.reply("c1", "מה עם ההזמנה")
    ai.end("c1")
    samples = scraped(metrics)

    assert samples["yemot_ai_tool_calls_total", (("result", "done"), ("tool", "order_status"))] == 1
    assert samples["yemot_ai_tool_calls_total", (("result", "tool_failed"), ("tool", "(unknown)"))] == 1
    assert samples["yemot_ai_tool_seconds_count", (("tool", "order_status"),)] == 1


def test_two_flows_have_metrics_of_their_own(flow: AIFlow) -> None:
    first, second = Metrics(flow), Metrics(AIFlow(YemotAI(provider=ScriptedProvider())))
    Line(flow, "c1").enter("")
    flow.ai.end("c1")  # after the hooks of its start

    assert scraped(first)["yemot_ai_calls_started_total", ()] == 1
    assert scraped(second)["yemot_ai_calls_started_total", ()] == 0


def test_without_the_extra_it_says_what_to_install(flow: AIFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(MissingExtraError, match=r"yemot-ai\[metrics\]"):
        Metrics(flow)
