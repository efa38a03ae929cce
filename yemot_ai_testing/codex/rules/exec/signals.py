"""How ``codex exec`` ends before its time, and what it leaves behind."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.conformance.rule import Chapter, contains, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import Bench
    from yemot_ai_testing.codex.rules.process import Process

__all__ = ["SIGNALS"]

SIGNALS: Final[Chapter[Bench]] = Chapter("signal")


def _reading(bench: Bench) -> Process:
    process = bench.start(*EXEC, "-").tells("שלום")
    # Nothing tells from outside that it has come to read; waiting is all that it may do.
    process.waits()
    return process


def _asking(bench: Bench) -> Process:
    bench.hangs()
    process = bench.start(*EXEC, "-").tells("שלום").hangs_up()
    bench.wait_asked(1)
    return process


def _answering(bench: Bench) -> Process:
    bench.hangs(saying="רגע, אני בודק.")
    process = bench.start(*EXEC, "-").tells("שלום").hangs_up()
    process.reads_until(b"agent_message")
    return process


def _ends(begin: Callable[[Bench], Process], number: signal.Signals, code: int) -> Callable[[Bench], None]:
    def check(bench: Bench) -> None:
        process = begin(bench)
        process.popen.send_signal(number)
        same("exit code", process.ends(5).code, code)
        same("processes left behind", process.leftovers(), ())

    return check


for _name, _number in {"term": signal.SIGTERM, "int": signal.SIGINT, "kill": signal.SIGKILL}.items():
    _within = 1 if _number is signal.SIGINT else -_number
    _told = f"exit {_within}" if _within > 0 else f"it dies of the signal ({_within})"
    SIGNALS.rule(
        f"{_name}-reading", f"SIG{_name.upper()} while it reads its prompt: it dies of it ({-_number})"
    )(_ends(_reading, _number, -_number))
    SIGNALS.rule(f"{_name}-asking", f"SIG{_name.upper()} before the model answers: {_told}")(
        _ends(_asking, _number, _within)
    )
    SIGNALS.rule(f"{_name}-answering", f"SIG{_name.upper()} in the middle of an answer: {_told}")(
        _ends(_answering, _number, _within)
    )


def _resumes(number: signal.Signals) -> Callable[[Bench], None]:
    def check(bench: Bench) -> None:
        thread = bench.first_thread()
        bench.hangs()
        process = bench.start(*EXEC, "resume", thread, "-").tells("עוד").hangs_up()
        bench.wait_asked(2)
        process.popen.send_signal(number)
        process.ends(5)
        bench.answers("שלישית")
        run = bench.resume(thread)
        bench.answered(run, "שלישית")
        same("thread", run.thread, thread)

    return check


for _name, _number in {"term": signal.SIGTERM, "int": signal.SIGINT, "kill": signal.SIGKILL}.items():
    SIGNALS.rule(f"{_name}-resumable", f"A thread can be resumed after SIG{_name.upper()} in a turn")(
        _resumes(_number)
    )


@SIGNALS.rule("stdout-closed", "When nobody reads its standard output any more it panics: exit 101")
def _stdout_closed(bench: Bench) -> None:
    bench.answers("תשובה")
    process = bench.start(*EXEC, "-").closes_stdout().tells("שלום").hangs_up()
    run = process.ends()
    same("exit code", run.code, 101)
    contains("standard error", run.stderr, "Broken pipe")


@SIGNALS.rule("leftovers", "After an answered turn nothing of its process group is alive")
def _leftovers(bench: Bench) -> None:
    bench.answers("תשובה")
    process = bench.start(*EXEC, "-").tells("שלום").hangs_up()
    bench.answered(process.ends(), "תשובה")
    same("processes left behind", process.leftovers(), ())
