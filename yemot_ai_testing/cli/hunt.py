"""``yemot-ai-testing hunt``: look for violations in an application, without a test of it."""

from __future__ import annotations

import argparse
import math
import random
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.errors import AppError, ServerFailedError
from yemot_ai_testing.history import VIOLATION_KINDS
from yemot_ai_testing.hunt.caller_path import CallerPath, parse_path
from yemot_ai_testing.hunt.hunt import Hunt, NoAgentError
from yemot_ai_testing.hunt.machine import Judgement
from yemot_ai_testing.hunt.progress import OnProgress, progress_bar
from yemot_ai_testing.hunt.report import HuntReport
from yemot_ai_testing.hunt.search import Bounds
from yemot_ai_testing.hunt.server import ServerHunt
from yemot_ai_testing.isolation.audit_hook import activate
from yemot_ai_testing.isolation.guard import IsolationGuard
from yemot_ai_testing.processes.owned_folder import owned_folder
from yemot_ai_testing.property import CallMachine
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.target import parse_command

__all__ = ["add_arguments", "run"]

DEFAULT_SECONDS: Final = 30.0
INTERRUPTED: Final = 130
"""The exit code of a command that Ctrl-C has ended."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Look for violations in a phone application, without a test of it: many calls at once, with keys, "
        "silences, hang-ups, repeated requests and failures of the model, which is replaced by one that "
        "echoes. Exit code: 0 nothing was found, 1 a violation was found, 2 wrong use."
    )
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help="module:attr of a flow, a WSGI or ASGI application, a function of pairs, or a factory; or the "
        "URL of a server on this machine",
    )
    parser.add_argument(
        "--serve",
        metavar="COMMAND",
        help="instead of TARGET: start this server, such as 'node server.js'; {port} is its port",
    )
    parser.add_argument(
        "--serve-path",
        default="/",
        metavar="PATH",
        help="the path that the line calls on the server of --serve, such as /yemot (default: /)",
    )
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument(
        "--seconds",
        type=_positive(float, "a number of seconds above 0"),
        metavar="N",
        help=f"seconds of all searches together (default: {DEFAULT_SECONDS:g})",
    )
    bound.add_argument(
        "--examples",
        type=_positive(int, "a whole number from 1"),
        metavar="N",
        help="examples of each search, instead of seconds",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="chooses the examples (default: a new one)")
    parser.add_argument(
        "--extension",
        dest="extensions",
        action="append",
        default=[],
        metavar="NAME",
        help="where callers dial; may be repeated (default: each extension of a flow, or the root)",
    )
    parser.add_argument(
        "--path",
        type=_path,
        metavar="STEPS",
        help="what callers do until the agent listens: keys and words, with commas between, such as 1,2 "
        "(default: keys are tried)",
    )
    parser.add_argument(
        "--phone",
        dest="phones",
        action="append",
        default=[],
        metavar="NUMBER",
        help="who calls; may be repeated (default: three numbers, and a withheld one)",
    )
    parser.add_argument(
        "--method",
        dest="methods",
        action="append",
        choices=CallMachine.methods,
        help="how the line sends its requests (default: both)",
    )
    parser.add_argument(
        "--reset-key", metavar="KEY", help="the key that starts a new conversation; '' for none"
    )
    parser.add_argument(
        "--kinds",
        type=_kinds,
        default=tuple(VIOLATION_KINDS),
        metavar="KIND,…",
        help="judge only these kinds of violations",
    )
    parser.add_argument("--allow", type=_kinds, default=(), metavar="KIND,…", help="do not judge these kinds")
    parser.add_argument(
        "--retries",
        type=_positive(int, "a whole number from 1"),
        default=0,
        metavar="N",
        help="how often the model must be asked again before an apology (default: that is not judged)",
    )
    parser.add_argument(
        "--no-faults",
        action="store_true",
        help="the model and the store do not fail, and workers are not replaced",
    )
    parser.add_argument(
        "--blocks",
        action="store_true",
        help="the application holds a request while its model runs, and cannot stop it at a hang-up",
    )
    parser.add_argument(
        "--access",
        action="append",
        default=[],
        metavar="NAME",
        help="a host that the application may connect to, or a program that it may start; may be repeated",
    )
    parser.add_argument(
        "--remote", action="store_true", help="the URL may be that of another machine: calls cost money there"
    )
    parser.add_argument(
        "--into",
        type=Path,
        default=Path("found-calls"),
        metavar="FOLDER",
        help="where scenarios of violations are written (default: found-calls)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if nothing was found, 1 if a violation was, 2 for wrong use, 130 if Ctrl-C came before any.
    """
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    report = HuntReport(arguments.target or arguments.serve, again=_command(arguments, seed))
    interrupted = False
    try:
        with progress_bar() as on_progress:
            _run_hunt(arguments, seed, report, on_progress)
    except KeyboardInterrupt:
        interrupted = True
        report.notes.append("interrupted: the rest was not searched")
    except (AppError, NoAgentError, ServerFailedError) as error:
        return _refused(str(error))
    except OSError as error:
        return _refused(f"{error.filename or arguments.into} cannot be written: {error.strerror}")
    print_text(to_json(report.data()) if arguments.json else "\n".join(report.lines()))
    if report.found:
        return 1
    if report.stopped:
        return 2
    return INTERRUPTED if interrupted else 0


def _run_hunt(arguments: argparse.Namespace, seed: int, report: HuntReport, on_progress: OnProgress) -> None:
    seconds = math.inf if arguments.examples else arguments.seconds or DEFAULT_SECONDS
    judgement = Judgement(
        kinds=frozenset(arguments.kinds) - {*arguments.allow},
        phones=tuple(arguments.phones) or Judgement().phones,
        methods=arguments.methods or CallMachine.methods,
        retries=arguments.retries,
        faults=not arguments.no_faults,
        blocks=arguments.blocks,
        reset_key=arguments.reset_key,
    )
    bounds, extensions = (
        Bounds(seconds, arguments.examples, seed),
        [one.strip("/") for one in arguments.extensions],
    )
    target = _server(arguments)
    common = (bounds, judgement, extensions, arguments.path, arguments.into)
    if target is not None:
        ServerHunt(target, *common, arguments.remote, on_progress).run(report)
        return
    with _guarded(arguments.access, report):
        Hunt(arguments.target, *common, on_progress).run(report)


def _server(arguments: argparse.Namespace) -> str | ServerCommand | None:
    """Return the URL or the command of a server; None for an application in this process.

    Raises:
        AppError: there is no target, there are two, the command cannot be split, or a path is wrong.
    """
    if bool(arguments.target) == bool(arguments.serve):
        raise AppError(
            "name one TARGET, such as shop.phone:flow or http://127.0.0.1:8000/; or --serve COMMAND"
        )
    if arguments.serve or arguments.serve_path != "/":
        return parse_command(arguments.serve, arguments.serve_path)
    return arguments.target if "://" in arguments.target else None


@contextmanager
def _guarded(allowed: Sequence[str], report: HuntReport) -> Iterator[None]:
    """Refuse connections to other machines, and foreign programs; note the refusals."""
    with owned_folder("yemot-ai-hunt-") as folder:
        guard = IsolationGuard(folder, allowed)
        with activate(guard):
            try:
                yield
            finally:
                refused = dict.fromkeys(
                    one.partition(": ")[2].partition(";")[0] for one in guard.take_refusals()
                )
                report.notes += [f"{one}: allow it by --access NAME" for one in refused]


def _command(arguments: argparse.Namespace, seed: int) -> str:
    """Return the command that runs the same examples again."""
    words = sys.argv[1:] if sys.argv[1:2] == ["hunt"] else ["hunt", arguments.target or arguments.serve or ""]
    if arguments.seed is None:
        words = [*words, f"--seed={seed}"]
    return shlex.join(["yemot-ai-testing", *words])


def _refused(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 2


def _positive(kind: Callable[[str], float], wanted: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = 0
        if not (number > 0 and math.isfinite(number)):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return number

    return parse


def _kinds(text: str) -> Sequence[str]:
    kinds = tuple(part.strip() for part in text.split(","))
    unknown = [kind for kind in kinds if kind not in VIOLATION_KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no kind {', '.join(map(repr, unknown))}; there are {', '.join(VIOLATION_KINDS)}"
        )
    return kinds


def _path(text: str) -> CallerPath:
    try:
        return parse_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
