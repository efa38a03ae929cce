"""Attacks by raw texts of a model: signs with which a mark could begin, in megabytes, before any limit."""

from __future__ import annotations

import time

import pytest

from tests.attacks.test_models import LETTERS, MB, ask, is_short, measured_latency
from tests.support.untraced import untraced
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import AnthropicProvider, CodexAppServerProvider, CodexCLIProvider, OpenAIProvider
from yemot_ai.providers.answer_filter import AnswerFilter, answer_of
from yemot_ai.providers.answer_filter.filter import MAX_LOOKS
from yemot_ai_testing import FakeCodex, ModelServer

UNITS = [
    "<", "[", "{", "`", "◁", "*", "_", '"', "\u05f4", "0", "a", " ", "\n", "\\", "|", "/",
    "<<", "< ", "</", "<a", "<a ", "<a>", "<|", "`<", "``", "```", "```\n", "```a", "[A", "[{", "{}", "{}\n",
    "{\n", "\n{", "\n[", '{"', '{"id":"a",', '\n{"id":"',
    '{"name":"x","arguments":{', '{"name":"x","arguments":{}}\n',
    "<think>", "</think>", "<think></think>", "<think><think></think>", "[THINK]", "a <think>", "a <tool>",
    "<tool_call>", "</tool_call>", "<|im_end|>", "<|channel|>analysis<|message|>x", "<|channel|>", "<s>",
]  # fmt: skip
BEGINNINGS = ["", "<think>", "a <think>", "```json\n", '{"name":"x","arguments":']
MORE_BEGINNINGS = [
    "<think><think></think>", "<tool_call>", "<|channel|>", "```", "```json", "[", '{"id":"', "analysisא",
    '{"name":"x","arguments":"',
]  # fmt: skip


def seconds(text: str, piece: int, thought_end: str = "") -> float:
    """Return the processor time for a text that arrives in pieces of ``piece`` characters."""
    answer_filter = AnswerFilter(thought_end)
    with untraced():
        start = time.thread_time()
        for position in range(0, len(text), piece):
            answer_filter.feed(text[position : position + piece])
        answer_filter.finish()
        return time.thread_time() - start


def repeated(beginning: str, unit: str, count: int) -> str:
    return beginning + unit * (count // len(unit))


def check_cost(beginning: str, unit: str, thought_end: str = "") -> None:
    """Check that a text costs little, and twice the text at most about twice as much."""
    for count, piece in ((300_000, MB), (20_000, 5)):
        text = repeated(beginning, unit, 2 * count)
        once = seconds(text[:count], piece, thought_end)
        bound = 3 * once + 0.05
        tries = (seconds(text, piece, thought_end) for _ in range(3))  # another program may slow one down
        assert any(twice < bound and is_short(twice) for twice in tries), (beginning, unit, piece)


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_a_text_of_any_signs_costs_little_and_twice_the_text_twice_as_much(unit: str) -> None:
    for beginning in BEGINNINGS:
        check_cost(beginning, unit)
    check_cost("", unit, "</think>")


@pytest.mark.slow
@pytest.mark.parametrize("beginning", MORE_BEGINNINGS)
def test_a_long_rest_of_a_mark_costs_little(beginning: str) -> None:
    for unit in (" ", "a", "\n", "[", "<", '"', "<think></think>"):
        check_cost(beginning, unit)


@pytest.mark.parametrize("count", [100, 5_000])
@pytest.mark.parametrize("piece", [MB, 3])
def test_thoughts_within_thoughts_without_ends_are_no_error(count: int, piece: int) -> None:
    assert is_short(seconds("<think><think></think>" * count, piece))


def test_what_comes_before_the_bound_is_the_answer_and_the_rest_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = "כן < " * (MAX_LOOKS - 100)

    assert answer_of(text + "סוף") == text + "סוף"
    assert not caplog.records
    assert answer_of(text + "< " * 5_000 + "סוף").startswith(text)
    assert "the rest of an answer is dropped" in caplog.text


def test_no_thought_beyond_the_bound_is_spoken() -> None:
    assert answer_of("כן. <think>" + "<" * 2 * MAX_LOOKS + "סוד") == "כן."
    assert "סוד" not in answer_of("<" * 2 * MAX_LOOKS + "<think>סוד</think>")


RAW = {
    "less": "<",
    "brackets": "[",
    "braces": "\n{",
    "thoughts": "<think>",
    "pairs": "<think></think>",
    "nested": "<think><think></think>",
    "JSON": '{"name":"x","arguments":{',
    "calls": '{"name":"x","arguments":{}}\n',
    "stars": "*",
}


def agent(ai: YemotAI, *, stream: bool) -> AIFlow:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום", stream=stream)(lambda call, text: None)
    return flow


@pytest.mark.slow
@pytest.mark.parametrize("unit", RAW.values(), ids=RAW)
@pytest.mark.parametrize("api", ["chat", "responses", "anthropic"])
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_three_megabytes_of_a_service_delay_no_other_caller(unit: str, api: str, *, stream: bool) -> None:
    with ModelServer() as server:
        server.answers("כן")  # the first answer builds the SDK's types
        server.answers([unit * (3 * MB // len(unit))] if stream else unit * (3 * MB // len(unit)))
        provider = (
            AnthropicProvider(api_key="unused", model="m", base_url=server.root_url)
            if api == "anthropic"
            else OpenAIProvider(api_key="unused", model="m", base_url=server.base_url, api=api)  # type: ignore[arg-type]  # one of two
        )
        ai = YemotAI(provider=provider, retries=0)
        assert ask(agent(ai, stream=stream)).endswith("כן")
        with measured_latency(ai.engine) as latency:
            heard = ask(agent(ai, stream=stream))
        ai.close()

    assert len(heard) < 2 * LETTERS
    assert is_short(latency[0])


@pytest.mark.slow
@pytest.mark.parametrize("unit", RAW.values(), ids=RAW)
@pytest.mark.parametrize("make", [CodexCLIProvider, CodexAppServerProvider])
def test_a_megabyte_of_codex_delays_no_other_caller(
    unit: str, make: type[CodexCLIProvider | CodexAppServerProvider], fake: FakeCodex
) -> None:
    fake.answers(unit * (MB // len(unit)))
    ai = YemotAI(provider=make(fake.executable), retries=0)
    with measured_latency(ai.engine) as latency:
        heard = ask(agent(ai, stream=True))

    assert len(heard) < 2 * LETTERS
    assert is_short(latency[0])
    ai.close()
