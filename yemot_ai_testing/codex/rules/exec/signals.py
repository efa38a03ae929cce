"""The rules of signals and of leftover processes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.bench import EXEC
from yemot_ai_testing.codex.rules.process import (
    keeps_running,
    read_until,
    surviving_processes,
    wait_completed,
)
from yemot_ai_testing.conformance.rule import (
    MEASURED,
    NotApplicable,
    RuleGroup,
    expect_contains,
    expect_equal,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.codex.rules.bench import ExecBench
    from yemot_ai_testing.processes.child import ChildProcess

__all__ = ["SIGNAL_RULES"]

SIGNAL_RULES: Final[RuleGroup[ExecBench]] = RuleGroup("signal", source=MEASURED, interface="exec")


def _process_reading_prompt(bench: ExecBench) -> ChildProcess:
    process = bench.start(*EXEC, "-").write_stdin("hello ✓")
    # Reading cannot be observed from outside; a process that still runs after a while is reading.
    keeps_running(process)
    return process


def _process_waiting_for_model(bench: ExecBench) -> ChildProcess:
    bench.model.hangs()
    process = bench.start(*EXEC, "-").write_stdin("hello ✓").close_stdin()
    bench.wait_for_requests(1)
    return process


def _process_answering(bench: ExecBench) -> ChildProcess:
    bench.model.hangs(saying="one moment ✓")
    process = bench.start(*EXEC, "-").write_stdin("hello ✓").close_stdin()
    read_until(process, b"agent_message")
    return process


def _send(process: ChildProcess, number: signal.Signals) -> None:
    """Send a signal that the process can get: what its parent ignores, a program ignores too."""
    if signal.getsignal(number) is signal.SIG_IGN:
        raise NotApplicable(f"{number.name} is ignored here, as in a background job of a shell")
    process.send_signal(number)


def _ends_on_signal(
    start: Callable[[ExecBench], ChildProcess], number: signal.Signals, exit_code: int
) -> Callable[[ExecBench], None]:
    def check(bench: ExecBench) -> None:
        process = start(bench)
        _send(process, number)
        expect_equal("exit code", wait_completed(process, 5).exit_code, exit_code)
        expect_equal("leftover processes", surviving_processes(process), ())

    return check


for _name, _number in {"term": signal.SIGTERM, "int": signal.SIGINT, "kill": signal.SIGKILL}.items():
    _exit_code = 1 if _number is signal.SIGINT else -_number
    _end = f"exit {_exit_code}" if _exit_code > 0 else f"it ends by the signal ({_exit_code})"
    SIGNAL_RULES.rule(
        f"{_name}-reading",
        f"SIG{_name.upper()} while it reads its prompt: it ends by it ({-_number})",
    )(_ends_on_signal(_process_reading_prompt, _number, -_number))
    SIGNAL_RULES.rule(f"{_name}-asking", f"SIG{_name.upper()} before the model answers: {_end}")(
        _ends_on_signal(_process_waiting_for_model, _number, _exit_code)
    )
    SIGNAL_RULES.rule(f"{_name}-answering", f"SIG{_name.upper()} in the middle of an answer: {_end}")(
        _ends_on_signal(_process_answering, _number, _exit_code)
    )


def _resumes_after_signal(number: signal.Signals) -> Callable[[ExecBench], None]:
    def check(bench: ExecBench) -> None:
        thread = bench.answered_thread()
        bench.model.hangs()
        process = bench.start(*EXEC, "resume", thread, "-").write_stdin("more ✓").close_stdin()
        bench.wait_for_requests(2)
        _send(process, number)
        wait_completed(process, 5)
        run = bench.resume(thread, answer="third ✓")
        expect_equal("thread", run.thread_id, thread)

    return check


for _name, _number in {"term": signal.SIGTERM, "int": signal.SIGINT, "kill": signal.SIGKILL}.items():
    SIGNAL_RULES.rule(f"{_name}-resumable", f"A thread can be resumed after SIG{_name.upper()} in a turn")(
        _resumes_after_signal(_number)
    )


@SIGNAL_RULES.rule("stdout-closed", "When its standard output is closed it panics: exit 101")
def _stdout_closed(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    process = bench.start(*EXEC, "-").close_stdout().write_stdin("hello ✓").close_stdin()
    run = wait_completed(process)
    expect_equal("exit code", run.exit_code, 101)
    expect_contains("standard error", run.stderr, "Broken pipe")


@SIGNAL_RULES.rule("leftovers", "After an answered turn no process of its group is alive")
def _leftovers(bench: ExecBench) -> None:
    bench.answers("answer ✓")
    process = bench.start(*EXEC, "-").write_stdin("hello ✓").close_stdin()
    bench.expect_answered(wait_completed(process), "answer ✓")
    expect_equal("leftover processes", surviving_processes(process), ())
