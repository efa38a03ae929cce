"""What ``codex exec --json`` writes: which events, in which order, with which fields."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.conformance.rule import Chapter, contains, same, that
from yemot_ai_testing.doubles.model_service import responses as api

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import Bench

__all__ = ["EVENTS"]

EVENTS: Final[Chapter[Bench]] = Chapter("events")

_ODD: Final = 'א\u2028ב\u2029ג\u200fד\u05b0 \U0001f600\x85\x0b\x1c\0"\\\t\n{thread_id}\x7f'


@EVENTS.rule("order", "A turn is thread.started, turn.started, its items, turn.completed; nothing after it")
def _order(bench: Bench) -> None:
    bench.answers("תשובה")
    bench.answered(bench.turn(), "תשובה")


@EVENTS.rule("lines", "Standard output is one JSON object with a type on each line, the last line ended too")
def _lines(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.turn()
    that(run.stdout.endswith(b"}\n"), "a last line that ends", repr(run.stdout[-80:]))
    that(all(isinstance(event.get("type"), str) for event in run.events), "events with a type", run.summary)


@EVENTS.rule("thread-id", "The thread's id is a UUID of version 7, in small letters")
def _thread_id(bench: Bench) -> None:
    bench.answers("תשובה")
    thread = bench.turn().thread
    try:
        found = uuid.UUID(thread)
    except ValueError:
        found = uuid.UUID(int=0)
    that(str(found) == thread and found.version == 7, "a UUID of version 7", thread)  # noqa: PLR2004 - a version


@EVENTS.rule("item-ids", "Every item has an id of its own in the turn")
def _item_ids(bench: Bench) -> None:
    bench.plays("two_messages")
    ids = [event["item"].get("id") for event in bench.turn().events if event["type"] == "item.completed"]
    that(all(ids) and len(set(ids)) == len(ids), "ids, each once", ids)


@EVENTS.rule("usage", "turn.completed has the tokens: input, cached input and output")
def _usage(bench: Bench) -> None:
    bench.answers("תשובה")
    usage = bench.turn().usage
    for name in ("input_tokens", "cached_input_tokens", "output_tokens"):
        that(isinstance(usage.get(name), int), f"a number {name}", usage)


@EVENTS.rule("usage-counts", "The tokens are those that the model service counted")
def _usage_counts(bench: Bench) -> None:
    bench.plays("two_messages")
    usage = bench.turn().usage
    seen = [usage.get(name) for name in ("input_tokens", "cached_input_tokens", "output_tokens")]
    same("tokens", seen, [api.TOKENS["input"], api.TOKENS["cached"], api.TOKENS["output"]])


@EVENTS.rule("usage-reasoning", "turn.completed has the reasoning tokens, too", since="0.142.0")
def _usage_reasoning(bench: Bench) -> None:
    bench.answers("תשובה")
    usage = bench.turn().usage
    that(isinstance(usage.get("reasoning_output_tokens"), int), "a number reasoning_output_tokens", usage)


@EVENTS.rule("two-messages", "Several messages of the agent come each as an item, in order")
def _two_messages(bench: Bench) -> None:
    bench.plays("two_messages")
    bench.answered(bench.turn(), "רגע, אני בודק.", "עכשיו שלוש וחצי.")


@EVENTS.rule("reasoning", "Reasoning is an item of its own, before the message")
def _reasoning(bench: Bench) -> None:
    bench.plays("reasoning")
    run = bench.turn()
    shown = ["item.completed:reasoning", "item.completed:agent_message"]
    same("events", run.kinds, ["thread.started", "turn.started", *shown, "turn.completed"])
    texts = [
        event["item"].get("text") for event in run.events if event.get("item", {}).get("type") == "reasoning"
    ]
    same("reasoning", texts, ["**Looking at the clock**"])


@EVENTS.rule("mixed", "Reasoning and messages keep the order in which the model put them out")
def _mixed(bench: Bench) -> None:
    first, second = api.reasoning("one"), api.reasoning("two", item_id="rs_2")
    bench.emits(first, api.message("ראשונה", item_id="msg_0"), second, text="שנייה")
    items = [kind.partition(":")[2] for kind in bench.turn().kinds if ":" in kind]
    same("items", items, ["reasoning", "agent_message", "reasoning", "agent_message"])


@EVENTS.rule("web-search", "A tool of the service is started and completed, before the message")
def _web_search(bench: Bench) -> None:
    bench.plays("web_search")
    run = bench.turn()
    shown = ["item.started:web_search", "item.completed:web_search", "item.completed:agent_message"]
    same("events", run.kinds, ["thread.started", "turn.started", *shown, "turn.completed"])


@EVENTS.rule("unknown-item", "What the model puts out and Codex does not know is passed over")
def _unknown_item(bench: Bench) -> None:
    bench.emits({"type": "frobnication", "id": "f_1", "status": "completed"}, text="תשובה")
    bench.answered(bench.turn(), "תשובה")


@EVENTS.rule("no-message", "A turn may complete without a message, with exit 0")
def _no_message(bench: Bench) -> None:
    bench.plays("no_message")
    bench.answered(bench.turn())


@EVENTS.rule("long-line", "An answer of 200 kB is one line, whole")
def _long_line(bench: Bench) -> None:
    text = "ש" * 100_000
    bench.answers(text)
    bench.answered(bench.turn(), text)


@EVENTS.rule("odd-text", "U+2028, control characters, NUL, directions and emoji of an answer come through")
def _odd_text(bench: Bench) -> None:
    bench.answers(_ODD)
    bench.answered(bench.turn(), _ODD)


@EVENTS.rule("unescaped", "U+2028 and Hebrew stand in a line as they are, not as escapes")
def _unescaped(bench: Bench) -> None:
    bench.answers("א\u2028ב")
    run = bench.turn()
    bench.answered(run, "א\u2028ב")
    contains("standard output", run.stdout.decode(), "א\u2028ב")


@EVENTS.rule("streams", "Whatever is no event goes to standard error, also in a turn that succeeds")
def _streams(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.run(*EXEC, stdin="שלום")
    bench.answered(run, "תשובה")
    contains("standard error", run.stderr, "Reading prompt from stdin...")
