"""The rules of the events of ``codex exec --json``: types, order and fields."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.backends import STREAM_RETRIES
from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.process import AGENT_MESSAGE
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal, expect_true
from yemot_ai_testing.doubles.model_service import responses as api

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import ExecBench

__all__ = ["EVENT_RULES"]

EVENT_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("events", source=MEASURED, interface="exec")

_ODD_TEXT: Final = 'a\u2028é\u2029ñ\u200fe\u0301 \U0001f600\x85\x0b\x1c\0"\\\t\n{thread_id}\x7f'


@EVENT_RULES.rule(
    "order", "A turn is thread.started, turn.started, its items, turn.completed; nothing after it"
)
def _order(bench: ExecBench) -> None:
    bench.run_turn(answer="answer ✓")


@EVENT_RULES.rule(
    "lines", "Each line of standard output is a JSON object with a type; the last one ends with a newline too"
)
def _lines(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    run = bench.run_turn()
    expect_true(run.stdout.endswith(b"}\n"), "a last line that ends", repr(run.stdout[-80:]))
    expect_true(
        all(isinstance(event.get("type"), str) for event in run.events), "events with a type", run.summary
    )


@EVENT_RULES.rule("thread-id", "The thread's id is a UUID of version 7, in small letters")
def _thread_id(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    thread = bench.run_turn().thread_id
    try:
        found = uuid.UUID(thread)
    except ValueError:
        found = uuid.UUID(int=0)
    expect_true(str(found) == thread and found.version == 7, "a UUID of version 7", thread)  # noqa: PLR2004 - a version


@EVENT_RULES.rule("item-ids", "Every item of a turn has another id")
def _item_ids(bench: ExecBench) -> None:
    bench.emits_recorded("two_messages")
    ids = [event["item"].get("id") for event in bench.run_turn().events if event["type"] == "item.completed"]
    expect_true(all(ids) and len(set(ids)) == len(ids), "different ids", ids)


@EVENT_RULES.rule("usage", "turn.completed has the tokens: input, cached input and output")
def _usage(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    usage = bench.run_turn().usage
    for name in ("input_tokens", "cached_input_tokens", "output_tokens"):
        expect_true(isinstance(usage.get(name), int), f"a number {name}", usage)


@EVENT_RULES.rule("usage-counts", "The tokens are those that the model service counted")
def _usage_counts(bench: ExecBench) -> None:
    bench.emits_recorded("two_messages")
    usage = bench.run_turn().usage
    counts = [usage.get(name) for name in ("input_tokens", "cached_input_tokens", "output_tokens")]
    expect_equal("tokens", counts, [api.TOKENS["input"], api.TOKENS["cached"], api.TOKENS["output"]])


@EVENT_RULES.rule("usage-reasoning", "turn.completed has the reasoning tokens", since="0.142.0")
def _usage_reasoning(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    usage = bench.run_turn().usage
    expect_true(
        isinstance(usage.get("reasoning_output_tokens"), int), "a number reasoning_output_tokens", usage
    )


@EVENT_RULES.rule("two-messages", "Each message of the agent is an item, in order")
def _two_messages(bench: ExecBench) -> None:
    messages = bench.emits_recorded("two_messages")
    bench.model.answers(["whole ", "✓"], saying="one moment ✓")
    bench.expect_answered(bench.run_turn(), *messages)
    bench.expect_answered(bench.run_turn(), "one moment ✓", "whole ✓")


@EVENT_RULES.rule(
    "reconnected", "A stream that breaks off is asked for again: an error event each time, the answer once"
)
def _reconnected(bench: ExecBench) -> None:
    bench.breaks_stream("half ✓")
    bench.breaks_stream("an")
    bench.answers("answer ✓")
    run = bench.run_turn("hello ✓", "-c", f"{STREAM_RETRIES}=2")
    expected = ["thread.started", "turn.started", "error", "error", AGENT_MESSAGE, "turn.completed"]
    expect_equal("events", run.event_types, expected)
    expect_equal("messages", run.agent_messages, ["answer ✓"])
    for number, event in enumerate((event for event in run.events if event["type"] == "error"), start=1):
        expect_contains("the error event", event["message"], f"Reconnecting... {number}/2")


@EVENT_RULES.rule("reasoning", "Reasoning is a separate item, before the message")
def _reasoning(bench: ExecBench) -> None:
    bench.emits_recorded("reasoning")
    run = bench.run_turn()
    shown = ["item.completed:reasoning", "item.completed:agent_message"]
    expect_equal("events", run.event_types, ["thread.started", "turn.started", *shown, "turn.completed"])
    texts = [
        event["item"].get("text") for event in run.events if event.get("item", {}).get("type") == "reasoning"
    ]
    expect_equal("reasoning", texts, ["**Looking at the clock**"])


@EVENT_RULES.rule("mixed", "Reasoning and messages keep the order of the model")
def _mixed(bench: ExecBench) -> None:
    first, second = api.reasoning("one"), api.reasoning("two", item_id="rs_2")
    bench.service.emits(first, api.message("first ✓", item_id="msg_0"), second, text="second ✓")
    items = [kind.partition(":")[2] for kind in bench.run_turn().event_types if ":" in kind]
    expect_equal("items", items, ["reasoning", "agent_message", "reasoning", "agent_message"])


@EVENT_RULES.rule("web-search", "A tool of the service is started and completed, before the message")
def _web_search(bench: ExecBench) -> None:
    bench.emits_recorded("web_search")
    run = bench.run_turn()
    shown = ["item.started:web_search", "item.completed:web_search", "item.completed:agent_message"]
    expect_equal("events", run.event_types, ["thread.started", "turn.started", *shown, "turn.completed"])


@EVENT_RULES.rule("unknown-item", "Output of the model that Codex does not know is ignored")
def _unknown_item(bench: ExecBench) -> None:
    bench.service.emits({"type": "frobnication", "id": "f_1", "status": "completed"}, text="answer ✓")
    bench.expect_answered(bench.run_turn(), "answer ✓")


@EVENT_RULES.rule("no-message", "A turn can complete without a message, with exit 0")
def _no_message(bench: ExecBench) -> None:
    bench.emits_recorded("no_message")
    bench.expect_answered(bench.run_turn())


@EVENT_RULES.rule("long-line", "An answer of 200 kB is one line")
def _long_line(bench: ExecBench) -> None:
    text = "é" * 100_000
    bench.run_turn(answer=text)


@EVENT_RULES.rule(
    "odd-text", "U+2028, control characters, NUL, direction marks and emoji of an answer are kept"
)
def _odd_text(bench: ExecBench) -> None:
    bench.run_turn(answer=_ODD_TEXT)


@EVENT_RULES.rule("unescaped", "U+2028 and other non-ASCII characters are not escaped")
def _unescaped(bench: ExecBench) -> None:
    run = bench.run_turn(answer="é\u2028ñ")
    expect_contains("standard output", run.stdout.decode(), "é\u2028ñ")


@EVENT_RULES.rule("streams", "All other output goes to standard error, also in a turn that succeeds")
def _streams(bench: ExecBench) -> None:
    run = bench.run(*EXEC, stdin="hello ✓", answer="answer ✓")
    expect_contains("standard error", run.stderr, "Reading prompt from stdin...")
