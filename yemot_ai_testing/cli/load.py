"""``yemot-ai-testing load``: many calls at once to a server, on Locust."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.errors import AppError, ScenarioLoadError, ServerFailedError
from yemot_ai_testing.hunt.progress import progress_bar
from yemot_ai_testing.load.load import Load
from yemot_ai_testing.load.locust_process import Distribution, Outputs, check_installed, run_worker
from yemot_ai_testing.load.plan import LoadPlan
from yemot_ai_testing.load.report import LoadReport
from yemot_ai_testing.processes.owned_folder import owned_folder
from yemot_ai_testing.scenario.play.target import parse_command

__all__ = ["add_arguments", "run"]

INTERRUPTED: Final = 130
"""The exit code of a command that Ctrl-C has ended."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Call a server many times at once, with callers of the simulated line on Locust: the silence that "
        "callers hear, errors by kind, and, from the model's side, whether each utterance was asked once. "
        "Exit code: 0 clean, 1 violations, or more errors than --max-errors, 2 wrong use."
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="a server on this machine, as in api_link")
    parser.add_argument(
        "--serve",
        metavar="COMMAND",
        help="instead of URL: start this server, with its models replaced; {port} is its port",
    )
    parser.add_argument(
        "--serve-path",
        default="/",
        metavar="PATH",
        help="the path that the line calls on the server of --serve, such as /yemot (default: /)",
    )
    _add_calls(parser)
    _add_model(parser)
    _add_distribution(parser)
    outputs = parser.add_argument_group("output")
    outputs.add_argument("--html", type=Path, metavar="FILE", help="write Locust's report, with charts")
    outputs.add_argument("--csv", type=Path, metavar="PREFIX", help="write Locust's tables as CSV")
    outputs.add_argument("--json", action="store_true", help="print JSON")
    outputs.add_argument(
        "--max-errors",
        type=_count(0),
        default=0,
        metavar="N",
        help="errors of callers for which the exit code is still 0 (default: 0)",
    )
    parser.set_defaults(command=run)


def _add_calls(parser: argparse.ArgumentParser) -> None:
    calls = parser.add_argument_group("calls")
    calls.add_argument("--calls", type=_count(1), default=100, metavar="N", help="how many (default: 100)")
    calls.add_argument(
        "--rate", type=_rate, default=10.0, metavar="N", help="new calls a second (default: 10)"
    )
    calls.add_argument(
        "--utterances", type=_count(1), default=3, metavar="N", help="utterances of a call (default: 3)"
    )
    calls.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="callers do the steps of these scenarios, in turn, instead of speaking",
    )
    calls.add_argument("--extension", default="", metavar="NAME", help="where they dial (default: the root)")
    calls.add_argument(
        "--i-own-this-server",
        dest="remote",
        action="store_true",
        help="the URL may be that of another machine",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model-port",
        type=_count(1),
        default=0,
        metavar="N",
        help="serve a model here for a running server: OPENAI_BASE_URL=http://127.0.0.1:N/v1",
    )
    model.add_argument(
        "--model-seconds",
        type=_seconds,
        default=1.0,
        metavar="N",
        help="how long it takes for an answer (default: 1)",
    )


def _add_distribution(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("processes")
    kinds = group.add_mutually_exclusive_group()
    kinds.add_argument(
        "--processes", type=_count(1), default=0, metavar="N", help="callers in N processes of this machine"
    )
    kinds.add_argument(
        "--expect-workers", type=_count(1), default=0, metavar="N", help="wait for N commands with --worker"
    )
    kinds.add_argument("--worker", action="store_true", help="make calls for another command; needs no URL")
    group.add_argument(
        "--master-host",
        default="127.0.0.1",
        metavar="HOST",
        help="where the command waits for workers, and they find it (default: 127.0.0.1)",
    )
    group.add_argument("--master-port", type=_count(1), default=5557, metavar="N", help="(default: 5557)")


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if the run was clean, 1 for violations or too many errors, 2 for wrong use, 130 if Ctrl-C has
        ended a run that was clean until then.
    """
    try:
        check_installed()
        if arguments.worker:
            with owned_folder("yemot-ai-locust-") as folder:
                return run_worker(_distribution(arguments), folder)
        report = _run_load(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (AppError, ScenarioLoadError, ServerFailedError, TimeoutError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print_text(to_json(report.data()) if arguments.json else "\n".join(report.lines()))
    if not report.is_clean(arguments.max_errors):
        return 1
    return INTERRUPTED if report.interrupted else 0


def _run_load(arguments: argparse.Namespace) -> LoadReport:
    if bool(arguments.url) == bool(arguments.serve):
        raise AppError("name one URL, such as http://127.0.0.1:8000/; or --serve COMMAND")
    command = parse_command(arguments.serve, arguments.serve_path)
    plan = LoadPlan(
        arguments.url or "",
        arguments.calls,
        arguments.rate,
        arguments.utterances,
        _scenario(arguments.scenario),
        str(arguments.scenario or ""),
        arguments.extension.strip("/"),
        arguments.remote,
    )
    with progress_bar() as on_progress:
        return Load(
            plan,
            command,
            arguments.model_port,
            arguments.model_seconds,
            _distribution(arguments),
            Outputs(arguments.html, arguments.csv),
            lambda done: on_progress(f"{done} of {plan.calls} calls", done / plan.calls),
        ).run()


def _distribution(arguments: argparse.Namespace) -> Distribution:
    return Distribution(
        arguments.processes, arguments.expect_workers, arguments.master_host, arguments.master_port
    )


def _scenario(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AppError(f"{path} cannot be read: {error}") from error


def _count(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number


def _rate(text: str) -> float:
    number = _seconds(text)
    if not number:
        raise argparse.ArgumentTypeError("the rate must be above 0")
    return number
