"""How a turn fails: the class of the wording, the events, the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.conformance.rule import Chapter, contains, same, that

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import Bench
    from yemot_ai_testing.codex.rules.process import Run
    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["FAILURES"]

FAILURES: Final[Chapter[Bench]] = Chapter("failure")

_KINDS: Final[tuple[tuple[FailureKind, str, tuple[str, ...]], ...]] = (
    ("unauthorized", "A 401 is named with its status", ("401 Unauthorized",)),
    ("rate_limited", "A 429 is named with its status, after the retries", ("429 Too Many Requests",)),
    ("overloaded", "A 500 is told as high demand", ("currently experiencing high demand",)),
    ("context_overflow", "A full context window is told as such", ("ran out of room", "context window")),
    ("quota_exceeded", "A used-up quota is told as such", ("quota exceeded",)),
    ("unknown_model", "A model that is not there is told as such", ("does not exist",)),
)


def failed(run: Run, *words: str) -> None:
    """Expect a turn that failed in these words: an ``error`` and ``turn.failed``, exit 1."""
    same("exit code", run.code, 1)
    same("events", run.kinds, ["thread.started", "turn.started", "error", "turn.failed"])
    message = run.events[-1].get("error", {}).get("message", "")
    contains("the message of turn.failed", message, *words)


def _fails(kind: FailureKind, words: tuple[str, ...]) -> Callable[[Bench], None]:
    def check(bench: Bench) -> None:
        bench.fails(kind)
        failed(bench.turn(), *words)

    return check


for _kind, _title, _words in _KINDS:
    FAILURES.rule(_kind.replace("_", "-"), f"{_title}: turn.failed, exit 1")(_fails(_kind, _words))


@FAILURES.rule("cut-stream", "A connection that breaks in the middle of an answer fails the turn: exit 1")
def _cut_stream(bench: Bench) -> None:
    bench.drops()
    run = bench.turn()
    failed(run, "stream disconnected")
    same("messages", run.messages, [])


@FAILURES.rule("error-event", "turn.failed follows an error event with the same message")
def _error_event(bench: Bench) -> None:
    bench.fails("rate_limited")
    *_, error, last = bench.turn().events
    same("the error event", error, {"type": "error", "message": last.get("error", {}).get("message")})


@FAILURES.rule("stderr", "Why a turn failed stands in the events; standard error does not say it")
def _stderr(bench: Bench) -> None:
    bench.fails("rate_limited")
    run = bench.turn()
    that("Too Many Requests" not in run.stderr, "nothing about the failure", run.stderr)


@FAILURES.rule("resumable", "After a failed turn the thread can be resumed, and the failed turn cost nothing")
def _resumable(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.fails("overloaded")
    same("exit code", bench.resume(thread).code, 1)
    bench.answers("שנייה")
    run = bench.resume(thread)
    bench.answered(run, "שנייה")
    same("tokens", [run.thread, run.usage["input_tokens"]], [thread, 200])


@FAILURES.rule("first-turn", "A thread whose first turn failed can be resumed")
def _first_turn(bench: Bench) -> None:
    bench.fails("overloaded")
    thread = bench.turn().thread
    bench.answers("תשובה")
    run = bench.resume(thread)
    bench.answered(run, "תשובה")
    same("thread", run.thread, thread)
