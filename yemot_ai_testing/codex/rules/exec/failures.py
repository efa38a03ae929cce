"""The rules of failed turns: wording, events, exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.process import AGENT_MESSAGE
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_contains, expect_equal, expect_true

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from yemot_ai_testing.codex.rules.bench import ExecBench
    from yemot_ai_testing.codex.rules.process import CompletedRun
    from yemot_ai_testing.doubles.steps import FailureKind

__all__ = ["FAILURE_RULES"]

FAILURE_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("failure", source=MEASURED, interface="exec")

_KINDS: Final[tuple[tuple[FailureKind, str, tuple[str, ...]], ...]] = (
    ("unauthorized", "A 401 is named with its status", ("401 Unauthorized",)),
    ("rate_limited", "A 429 is named with its status, after the retries", ("429 Too Many Requests",)),
    ("overloaded", "A 500 is reported as high demand", ("currently experiencing high demand",)),
    ("context_overflow", "A full context window is reported as such", ("ran out of room", "context window")),
    ("quota_exceeded", "A used-up quota is reported as such", ("quota exceeded",)),
    ("unknown_model", "An unknown model is reported as such", ("does not exist",)),
    ("refused_request", "Refused words are reported in the service's words", ("Invalid prompt",)),
)


def expect_failed(run: CompletedRun, *substrings: str, messages: Sequence[str] = ()) -> None:
    """Expect a failed turn whose message has these texts: ``error`` and ``turn.failed``, exit 1.

    Args:
        run: the process.
        substrings: texts of the message.
        messages: the messages of the agent before it.
    """
    expect_equal("exit code", run.exit_code, 1)
    end = [*[AGENT_MESSAGE] * len(messages), "error", "turn.failed"]
    expect_equal("events", run.event_types, ["thread.started", "turn.started", *end])
    expect_equal("messages", run.agent_messages, list(messages))
    message = run.events[-1].get("error", {}).get("message", "")
    expect_contains("the message of turn.failed", message, *substrings)


def _fails(kind: FailureKind, substrings: tuple[str, ...]) -> Callable[[ExecBench], None]:
    def check(bench: ExecBench) -> None:
        bench.model.fails(kind)
        expect_failed(bench.run_turn(), *substrings)

    return check


for _kind, _title, _words in _KINDS:
    FAILURE_RULES.rule(_kind.replace("_", "-"), f"{_title}: turn.failed, exit 1")(_fails(_kind, _words))


@FAILURE_RULES.rule(
    "cut-stream", "A connection that breaks in the middle of an answer fails the turn: exit 1"
)
def _cut_stream(bench: ExecBench) -> None:
    bench.model.drops("half ✓")
    run = bench.run_turn()
    expect_failed(run, "stream disconnected")


@FAILURE_RULES.rule(
    "cut-length", "An answer that reached the maximum of tokens is a message, then turn.failed: exit 1"
)
def _cut_length(bench: ExecBench) -> None:
    bench.model.cuts("length", ["half ", "✓"])
    reason = "Incomplete response returned, reason: max_output_tokens"
    expect_failed(bench.run_turn(), reason, messages=["half ✓"])


@FAILURE_RULES.rule(
    "cut-content-filter", "An answer that a filter has cut is a message, then turn.failed: exit 1"
)
def _cut_content_filter(bench: ExecBench) -> None:
    bench.model.cuts("content_filter", "half ✓")
    reason = "Incomplete response returned, reason: content_filter"
    expect_failed(bench.run_turn(), reason, messages=["half ✓"])


@FAILURE_RULES.rule(
    "cut-error", "An error of the service in the middle of an answer fails the turn, without a message"
)
def _cut_error(bench: ExecBench) -> None:
    bench.model.cuts("error", "half ✓")
    expect_failed(bench.run_turn(), "The server had an error")


@FAILURE_RULES.rule(
    "cut-usage", "The tokens of an answer that reached the maximum count in the thread", since="0.163.0"
)
def _cut_usage(bench: ExecBench) -> None:
    bench.model.cuts("length", "half ✓")
    thread = bench.run_turn().thread_id
    run = bench.resume(thread, answer="whole ✓")
    expect_equal("tokens", [run.thread_id, run.usage["input_tokens"]], [thread, 200])


@FAILURE_RULES.rule("error-event", "turn.failed follows an error event with the same message")
def _error_event(bench: ExecBench) -> None:
    bench.model.fails("rate_limited")
    *_, error, last = bench.run_turn().events
    expect_equal("the error event", error, {"type": "error", "message": last.get("error", {}).get("message")})


@FAILURE_RULES.rule("stderr", "The reason of a failure is in the events, not on standard error")
def _stderr(bench: ExecBench) -> None:
    bench.model.fails("rate_limited")
    run = bench.run_turn()
    expect_true("Too Many Requests" not in run.stderr, "nothing about the failure", run.stderr)


@FAILURE_RULES.rule(
    "resumable", "After a failed turn the thread can be resumed, and the failed turn has no tokens"
)
def _resumable(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.model.fails("overloaded")
    expect_equal("exit code", bench.resume(thread).exit_code, 1)
    run = bench.resume(thread, answer="second ✓")
    expect_equal("tokens", [run.thread_id, run.usage["input_tokens"]], [thread, 200])


@FAILURE_RULES.rule("first-turn", "A thread whose first turn failed can be resumed")
def _first_turn(bench: ExecBench) -> None:
    bench.model.fails("overloaded")
    thread = bench.run_turn().thread_id
    run = bench.resume(thread, answer="answer ✓")
    expect_equal("thread", run.thread_id, thread)
