"""The rules of threads: ids, history, and writers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import expect_refused
from yemot_ai_testing.codex.rules.exec.argv_resume import UNKNOWN_THREAD_ID
from yemot_ai_testing.codex.rules.process import read_until, wait_completed
from yemot_ai_testing.conformance.rule import MEASURED, RuleGroup, expect_equal, expect_true

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import ExecBench

__all__ = ["THREAD_RULES"]

THREAD_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("thread", source=MEASURED, interface="exec")

_FIRST_WITH_LOCKS: Final = "0.163.0"
"""The first measured version with a lock for each thread; 0.142.0 has none."""


@THREAD_RULES.rule("same-id", "A resumed turn has the id of its thread")
def _same_id(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.resume(thread, answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@THREAD_RULES.rule("new-id", "Every new thread has a new id")
def _new_id(bench: ExecBench) -> None:
    first = bench.answered_thread()
    expect_true(bench.answered_thread() != first, "another id", first)


@THREAD_RULES.rule("usage-adds-up", "The tokens of a resumed turn are those of the whole thread")
def _usage_adds_up(bench: ExecBench) -> None:
    bench.answers("first ✓", "second ✓", "third ✓")
    runs = [bench.run_turn()]
    runs += [bench.resume(runs[0].thread_id) for _ in range(2)]
    bench.prompts()
    expect_equal("input tokens", [run.usage["input_tokens"] for run in runs], [100, 200, 300])


@THREAD_RULES.rule("remembers", "The model gets the earlier messages of the thread")
def _remembers(bench: ExecBench) -> None:
    bench.answers("first ✓", "second ✓")
    thread = bench.run_turn("my name is Zoë").thread_id
    bench.expect_answered(bench.resume(thread, "what is my name?"), "second ✓")
    expect_equal(
        "what the user said",
        bench.service.requests[-1].user_messages[-2:],
        ("my name is Zoë", "what is my name?"),
    )


@THREAD_RULES.rule("unknown", "An unknown id is refused without an event: exit 1")
def _unknown(bench: ExecBench) -> None:
    expect_refused(
        bench, bench.resume(UNKNOWN_THREAD_ID), 1, f"no rollout found for thread id {UNKNOWN_THREAD_ID}"
    )


@THREAD_RULES.rule("unknown-capitals", "An id in capitals is an id too; the error has it in small letters")
def _unknown_capitals(bench: ExecBench) -> None:
    expect_refused(bench, bench.resume(UNKNOWN_THREAD_ID.upper()), 1)
    run = bench.resume(UNKNOWN_THREAD_ID.upper())
    expect_true(UNKNOWN_THREAD_ID in run.stderr, "the id in small letters", run.summary)


@THREAD_RULES.rule("capitals", "A thread can be resumed by its id in capitals")
def _capitals(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.resume(thread.upper(), answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@THREAD_RULES.rule("name", "With a word that is not a UUID a new thread starts silently: exit 0")
def _name(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.resume("not-a-uuid", answer="answer ✓")
    expect_true(run.thread_id != thread, "a new thread", run.thread_id)


@THREAD_RULES.rule("empty-name", "With an empty word a new thread starts")
def _empty_name(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.resume("", answer="answer ✓")
    expect_true(run.thread_id != thread, "a new thread", run.thread_id)


@THREAD_RULES.rule("foreign", "A thread of another home is unknown: exit 1")
def _foreign(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    other = bench.folder / "other"
    other.mkdir()
    run = bench.run(*EXEC, "resume", thread, "-", stdin="again ✓", env={"CODEX_HOME": str(other)})
    expect_equal("exit code", run.exit_code, 1)
    expect_equal("standard output", run.stdout, b"")
    expect_true(f"no rollout found for thread id {thread}" in run.stderr, "no rollout found", run.summary)


@THREAD_RULES.rule("deleted", "A thread whose rollout was deleted is unknown: exit 1")
def _deleted(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    for path in bench.rollouts():
        path.unlink()
    run = bench.resume(thread)
    expect_equal("exit code", run.exit_code, 1)
    expect_true("no rollout found" in run.stderr, "no rollout found", run.summary)


@THREAD_RULES.rule("rollout", "A thread is a file sessions/YYYY/MM/DD/rollout-…-ID.jsonl of its home")
def _rollout(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    names = [str(path.relative_to(bench.home)) for path in bench.rollouts()]
    form = rf"sessions/\d{{4}}/\d\d/\d\d/rollout-\d{{4}}-\d\d-\d\dT[\d-]{{8}}-{thread}\.jsonl"
    expect_true(len(names) == 1 and re.fullmatch(form, names[0]), "one file of this form", names)


@THREAD_RULES.rule(
    "second-writer",
    "A second turn of a thread at the same time is refused: exit 1, and the first continues",
    since=_FIRST_WITH_LOCKS,
)
def _second_writer(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.model.hold()
    bench.answers("second ✓")
    first = bench.start(*EXEC, "resume", thread, "-").write_stdin("again ✓").close_stdin()
    bench.wait_for_requests(2)
    second = bench.resume(thread, "and more ✓")
    expect_equal("exit code", second.exit_code, 1)
    expect_equal("standard output", second.stdout, b"")
    expect_true(
        f"thread {thread} already has an active writer" in second.stderr, "an active writer", second.summary
    )
    bench.model.release()
    bench.expect_answered(wait_completed(first), "second ✓")


@THREAD_RULES.rule(
    "second-writer-of-new",
    "The same for a thread in its first turn",
    since=_FIRST_WITH_LOCKS,
)
def _second_writer_of_new(bench: ExecBench) -> None:
    bench.model.hangs()
    first = bench.start(*EXEC, "-").write_stdin("hello ✓").close_stdin()
    started = read_until(first, b"thread.started")
    bench.wait_for_requests(1)
    thread = started.split(b'"thread_id":"')[1].split(b'"')[0].decode()
    second = bench.resume(thread, "and more ✓")
    expect_equal("exit code", second.exit_code, 1)
    expect_true("already has an active writer" in second.stderr, "an active writer", second.summary)


@THREAD_RULES.rule(
    "second-writer-admitted",
    "A second turn of a thread at the same time is answered",
    source="measured, 0.142.0",
    until=_FIRST_WITH_LOCKS,
)
def _second_writer_admitted(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.model.hangs()
    bench.start(*EXEC, "resume", thread, "-").write_stdin("again ✓").close_stdin()
    bench.wait_for_requests(2)
    run = bench.resume(thread, "and more ✓", answer="second ✓")
    expect_equal("thread", run.thread_id, thread)


@THREAD_RULES.rule("others-at-once", "Other threads of the home, old and new, can be used at the same time")
def _others_at_once(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    bench.model.hangs()
    bench.start(*EXEC, "-").write_stdin("hello ✓").close_stdin()
    bench.wait_for_requests(2)
    bench.resume(thread, answer="second ✓")
    bench.run_turn(answer="new ✓")


@THREAD_RULES.rule("ephemeral", "--ephemeral writes no rollout, and its thread cannot be resumed")
def _ephemeral(bench: ExecBench) -> None:
    run = bench.run_turn("hello ✓", "--ephemeral", answer="answer ✓")
    expect_equal("rollouts", bench.rollouts(), [])
    resumed = bench.resume(run.thread_id)
    expect_equal("exit code of the resumed turn", resumed.exit_code, 1)
    expect_true("no rollout found" in resumed.stderr, "no rollout found", resumed.summary)


@THREAD_RULES.rule(
    "ephemeral-resume", "--ephemeral before `resume` has no effect: the turn is stored in the thread"
)
def _ephemeral_resume(bench: ExecBench) -> None:
    thread = bench.answered_thread()
    run = bench.resume(thread, "again ✓", "--ephemeral", answer="second ✓")
    bench.answers("third ✓")
    expect_equal("thread", run.thread_id, thread)
    bench.prompts()
    expect_equal("input tokens of the next turn", bench.resume(thread).usage["input_tokens"], 300)
