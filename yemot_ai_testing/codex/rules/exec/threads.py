"""What ``codex exec`` remembers: the identity of threads, and who may write to one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.exec.argv import refused
from yemot_ai_testing.codex.rules.exec.argv_resume import UNKNOWN
from yemot_ai_testing.conformance.rule import Chapter, same, that

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import Bench

__all__ = ["THREADS"]

THREADS: Final[Chapter[Bench]] = Chapter("thread")

_LOCKED: Final = "0.163.0"
"""The first version known to keep a lock for each thread; 0.142.0 has none (measured)."""


@THREADS.rule("same-id", "A resumed turn names the thread that it resumes")
def _same_id(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.resume(thread)
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@THREADS.rule("new-id", "Every new thread has an id of its own")
def _new_id(bench: Bench) -> None:
    first = bench.first_thread()
    that(bench.first_thread() != first, "another id", first)


@THREADS.rule("usage-adds-up", "The tokens of a resumed turn are those of the whole thread")
def _usage_adds_up(bench: Bench) -> None:
    bench.answers("ראשונה", "שנייה", "שלישית")
    runs = [bench.turn()]
    runs += [bench.resume(runs[0].thread) for _ in range(2)]
    bench.prompts()
    same("input tokens", [run.usage["input_tokens"] for run in runs], [100, 200, 300])


@THREADS.rule("remembers", "The model is told what was said in the thread before")
def _remembers(bench: Bench) -> None:
    bench.answers("ראשונה", "שנייה")
    thread = bench.turn("קוראים לי דנה").thread
    bench.answered(bench.resume(thread, "איך קוראים לי?"), "שנייה")
    same("what the user said", bench.said()[-2:], ("קוראים לי דנה", "איך קוראים לי?"))


@THREADS.rule("unknown", "An id that the home does not know is refused without an event: exit 1")
def _unknown(bench: Bench) -> None:
    refused(bench, bench.resume(UNKNOWN), 1, f"no rollout found for thread id {UNKNOWN}")


@THREADS.rule("unknown-capitals", "An id in capitals is an id too, and is named in small letters")
def _unknown_capitals(bench: Bench) -> None:
    refused(bench, bench.resume(UNKNOWN.upper()), 1)
    run = bench.resume(UNKNOWN.upper())
    that(UNKNOWN in run.stderr, "the id in small letters", run.summary)


@THREADS.rule("capitals", "A thread can be resumed by its id in capitals")
def _capitals(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה")
    run = bench.resume(thread.upper())
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@THREADS.rule("name", "A word that is no UUID is no id: a new thread begins, silently, with exit 0")
def _name(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("תשובה")
    run = bench.resume("not-a-uuid")
    bench.answered(run, "תשובה")
    that(run.thread != thread, "a new thread", run.thread)


@THREADS.rule("empty-name", "An empty word is no id either: a new thread begins")
def _empty_name(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("תשובה")
    run = bench.resume("")
    bench.answered(run, "תשובה")
    that(run.thread != thread, "a new thread", run.thread)


@THREADS.rule("foreign", "A thread of another home is unknown: exit 1")
def _foreign(bench: Bench) -> None:
    thread = bench.first_thread()
    other = bench.folder / "other"
    other.mkdir()
    run = bench.run(*EXEC, "resume", thread, "-", stdin="שוב", env={"CODEX_HOME": str(other)})
    same("exit code", run.code, 1)
    same("standard output", run.stdout, b"")
    that(f"no rollout found for thread id {thread}" in run.stderr, "no rollout found", run.summary)


@THREADS.rule("deleted", "A thread whose rollout was deleted is unknown: exit 1")
def _deleted(bench: Bench) -> None:
    thread = bench.first_thread()
    for path in bench.rollouts():
        path.unlink()
    run = bench.resume(thread)
    same("exit code", run.code, 1)
    that("no rollout found" in run.stderr, "no rollout found", run.summary)


@THREADS.rule("rollout", "A thread is a file sessions/YYYY/MM/DD/rollout-…-ID.jsonl of its home")
def _rollout(bench: Bench) -> None:
    thread = bench.first_thread()
    names = [str(path.relative_to(bench.home)) for path in bench.rollouts()]
    form = rf"sessions/\d{{4}}/\d\d/\d\d/rollout-\d{{4}}-\d\d-\d\dT[\d-]{{8}}-{thread}\.jsonl"
    that(len(names) == 1 and re.fullmatch(form, names[0]), "one file of this form", names)


@THREADS.rule(
    "second-writer",
    "A second turn of a thread at the same time is refused: exit 1, and the first goes on",
    since=_LOCKED,
)
def _second_writer(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.holds()
    bench.answers("שנייה")
    first = bench.start(*EXEC, "resume", thread, "-").tells("שוב").hangs_up()
    bench.wait_asked(2)
    second = bench.resume(thread, "ועוד")
    same("exit code", second.code, 1)
    same("standard output", second.stdout, b"")
    that(f"thread {thread} already has an active writer" in second.stderr, "an active writer", second.summary)
    bench.releases()
    bench.answered(first.ends(), "שנייה")


@THREADS.rule(
    "second-writer-of-new", "A thread that is still in its first turn has a writer, too", since=_LOCKED
)
def _second_writer_of_new(bench: Bench) -> None:
    bench.hangs()
    first = bench.start(*EXEC, "-").tells("שלום").hangs_up()
    started = first.reads_until(b"thread.started")
    bench.wait_asked(1)
    thread = started.split(b'"thread_id":"')[1].split(b'"')[0].decode()
    second = bench.resume(thread, "ועוד")
    same("exit code", second.code, 1)
    that("already has an active writer" in second.stderr, "an active writer", second.summary)


@THREADS.rule(
    "second-writer-admitted",
    "A second turn of a thread at the same time is answered: nobody keeps it out",
    source="measured, 0.142.0",
    until=_LOCKED,
)
def _second_writer_admitted(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.hangs()
    bench.start(*EXEC, "resume", thread, "-").tells("שוב").hangs_up()
    bench.wait_asked(2)
    bench.answers("שנייה")
    run = bench.resume(thread, "ועוד")
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)


@THREADS.rule("others-at-once", "Other threads of the same home, old and new, can be used meanwhile")
def _others_at_once(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.hangs()
    bench.start(*EXEC, "-").tells("שלום").hangs_up()
    bench.wait_asked(2)
    bench.answers("שנייה", "חדשה")
    bench.answered(bench.resume(thread), "שנייה")
    bench.answered(bench.turn(), "חדשה")


@THREADS.rule("ephemeral", "--ephemeral leaves no rollout, and its thread cannot be resumed")
def _ephemeral(bench: Bench) -> None:
    bench.answers("תשובה")
    run = bench.turn("שלום", "--ephemeral")
    bench.answered(run, "תשובה")
    same("rollouts", bench.rollouts(), [])
    resumed = bench.resume(run.thread)
    same("exit code of the resumed turn", resumed.code, 1)
    that("no rollout found" in resumed.stderr, "no rollout found", resumed.summary)


@THREADS.rule(
    "ephemeral-resume", "--ephemeral before `resume` changes nothing: the thread remembers the turn"
)
def _ephemeral_resume(bench: Bench) -> None:
    thread = bench.first_thread()
    bench.answers("שנייה", "שלישית")
    run = bench.resume(thread, "שוב", "--ephemeral")
    bench.answered(run, "שנייה")
    same("thread", run.thread, thread)
    bench.prompts()
    same("input tokens of the next turn", bench.resume(thread).usage["input_tokens"], 300)
