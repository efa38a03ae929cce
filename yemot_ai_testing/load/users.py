"""The file that Locust runs: a user is one call, and the test ends when all calls are over.

Locust replaces the sockets and threads of the process that imports it, so only its own processes import this
module. The response time of Locust is the dead air of a turn, in milliseconds.
"""

from __future__ import annotations

import functools
import itertools
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final

from locust import LoadTestShape, User, events, stats, task
from locust.runners import STATE_INIT, WorkerRunner

from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID
from yemot_ai_testing.line.transports.detect import wrap_transports
from yemot_ai_testing.load.caller import LoadCaller, LoadTurn, RecordedTransport, open_caller
from yemot_ai_testing.load.plan import IDS_PER_PROCESS, LoadPlan
from yemot_ai_testing.load.result import LineHistory, LoadResult, TurnError

__all__ = ["AllCalls", "LoadUser"]

stats.PERCENTILES_TO_CHART = [0.5, 0.95, 0.99]
stats.PERCENTILES_TO_STATISTICS = [0.95, 0.99]

NEVER: Final = threading.Event()
"""A user whose call is over waits for it, because Locust would replace one that ends."""

PROGRESS_SECONDS: Final = 1.0

stopping = threading.Event()

result = LoadResult()
"""What this process, and with Locust's workers those, have done."""

history = LineHistory()
numbers = itertools.count(1)


@functools.cache
def _plan(text: str) -> LoadPlan:
    return LoadPlan.loads(text)


@functools.cache
def _ids(worker: int) -> itertools.count[int]:
    """Return the IDs of the utterances of this process, which also records its requests."""
    history.start_at(worker * 10 * IDS_PER_PROCESS)
    wrap_transports(lambda transport, _app, _encoding: RecordedTransport(transport, history))
    return itertools.count(worker * IDS_PER_PROCESS + FIRST_UTTERANCE_ID)


class LoadUser(User):
    """A caller."""

    @task
    def call(self) -> None:
        """Call once."""
        options = self.environment.parsed_options
        plan, worker = _plan(options.yemot_plan), self.environment.runner.worker_index
        planned = plan.call(worker * IDS_PER_PROCESS + next(numbers))
        ids, started, done = _ids(worker), history.now(), False
        caller = open_caller(plan, planned)
        try:
            LoadCaller(caller, planned, history, ids, self._on_turn).run()
            done = True
        finally:
            result.calls.append((started, history.now(), done))
        NEVER.wait()

    def _on_turn(self, turn: LoadTurn) -> None:
        errors = [TurnError(turn.name, *error) for error in turn.errors]
        if turn.dead_air is not None or errors:
            self.environment.events.request.fire(
                request_type="dead air",
                name=turn.name,
                response_time=None if turn.dead_air is None else turn.dead_air * 1000,
                response_length=0,
                exception=errors[0].kind if errors else None,
                context={},
            )
        for error in errors:
            result.add_error(error)


class AllCalls(LoadTestShape):
    """Starts all calls at the planned rate, and ends when they are over."""

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there should be, and how many more a second; None at the end."""
        environment: Any = self.runner and self.runner.environment
        plan = _plan(environment.parsed_options.yemot_plan)
        return None if len(result.calls) >= plan.calls else (plan.calls, plan.rate)


def _add_arguments(parser: Any) -> None:  # noqa: ANN401 - Locust's parser
    parser.add_argument("--yemot-plan-file", default="", include_in_web_ui=False)
    parser.add_argument("--yemot-result", default="", include_in_web_ui=False)


def _read_plan(environment: Any, **_: object) -> None:  # noqa: ANN401 - Locust's environment
    options = environment.parsed_options
    if not isinstance(environment.runner, WorkerRunner):  # which gets it from the master
        options.yemot_plan = Path(options.yemot_plan_file).read_text(encoding="utf-8")
        signal.signal(signal.SIGUSR1, lambda *_: stopping.set())
        threading.Thread(target=_watch, args=(environment,), daemon=True).start()


def _watch(environment: Any) -> None:  # noqa: ANN401 - as above
    """Print how many calls are over, every second; at SIGUSR1, stop them and wait for what they report.

    At SIGINT, Locust would not wait for its workers.
    """
    while not stopping.wait(PROGRESS_SECONDS):
        print(json.dumps({"done": len(result.calls)}), flush=True)  # noqa: T201 - read by the starting process
    if environment.runner.state == STATE_INIT:  # no call was made
        raise KeyboardInterrupt
    environment.runner.stop()


def _note_busy(**_: object) -> None:
    result.busy = True


def _report(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - Locust's names
    data["yemot"] = result.take(history)


def _collect(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - as above
    result.merge(data.get("yemot", {}))


def _write_result(environment: Any, **_: object) -> None:  # noqa: ANN401 - as above
    path = environment.parsed_options.yemot_result
    if path and not isinstance(environment.runner, WorkerRunner):
        result.collect(history)
        data = {
            **result.data(),
            "dead_air": _dead_air(environment.runner.stats.total),
            "exceptions": [one["msg"] for one in environment.runner.exceptions.values()],
        }
        Path(path).write_text(json.dumps(data), encoding="utf-8")
        sys.stdout.flush()


def _dead_air(total: Any) -> dict[str, float]:  # noqa: ANN401 - Locust's statistics
    """Return the figures in seconds; Locust rounds them to two digits, except the longest."""
    if not total.num_requests:
        return {}
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    figures = {name: total.get_response_time_percentile(share) / 1000 for name, share in shares.items()}
    return {
        **figures,
        "longest": total.max_response_time / 1000,
        "turns": total.num_requests - total.num_none_requests,
    }


_hooks: Any = events  # whose methods have no types
_hooks.init_command_line_parser.add_listener(_add_arguments)
_hooks.init.add_listener(_read_plan)
_hooks.cpu_warning.add_listener(_note_busy)
_hooks.report_to_master.add_listener(_report)
_hooks.worker_report.add_listener(_collect)
_hooks.quitting.add_listener(_write_result)
