"""``yemot-ai-testing lint``: report errors and warnings in responses."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from yemot_ai.protocol import lint
from yemot_ai_testing.cli.output import LintResult, print_table, print_text, results_to_json, text_lines
from yemot_ai_testing.cli.sources import SourcedResponse, responses_from_arguments, responses_from_log

__all__ = ["add_arguments", "add_lenient", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Report what the line would not understand in responses, and what is valid but unusual. Standard "
        "input has one response a line. Exit code: 0 no errors, 1 a response has an error, 2 nothing to read."
    )
    parser.add_argument("text", nargs="*", metavar="TEXT|-", help="responses; - reads standard input")
    parser.add_argument("--whole", action="store_true", help="take all of standard input as one response")
    parser.add_argument(
        "--log",
        type=Path,
        action="append",
        default=[],
        metavar="FILE|-",
        help="read the responses from a log (LogApi.ymgr, JSON lines, any text); print those with problems",
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--strict", action="store_true", help="exit with 1 on warnings, too")
    add_lenient(parser)
    parser.set_defaults(command=run)


def add_lenient(parser: argparse.ArgumentParser) -> None:
    """Add ``--lenient``."""
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="an optional field that is not understood counts as its default: a warning, not an error",
    )


def run(arguments: argparse.Namespace) -> int:
    """Lint the responses; return the exit code."""
    if not arguments.text and not arguments.log:
        return _fail("give a response, - for standard input, or --log FILE")
    try:
        in_logs = [
            _lint(response, arguments) for path in arguments.log for response in responses_from_log(path)
        ]
    except OSError as error:
        return _fail(f"cannot read {error.filename}: {error.strerror}")
    in_arguments = [
        _lint(response, arguments)
        for response in responses_from_arguments(arguments.text, whole=arguments.whole)
    ]
    results = [*in_arguments, *in_logs]
    if arguments.log and not in_logs:
        sys.stderr.write("no answers found in the log\n")
    if arguments.as_json:
        print_text(results_to_json(results))
    else:
        _print([*in_arguments, *(result for result in in_logs if result.problems)])
    if arguments.log and not arguments.as_json:
        print_text(_summary(in_logs))
    return int(any(result.problems if arguments.strict else not result.valid for result in results))


def _lint(response: SourcedResponse, arguments: argparse.Namespace) -> LintResult:
    return LintResult(response, lint(response.text, lenient=arguments.lenient))


def _print(results: list[LintResult]) -> None:
    if print_table(results):
        return
    for result in results:
        if ":" in result.response.source:
            print_text(f"{result.response.source}:")
        for line in text_lines(result):
            print_text(line)


def _summary(results: list[LintResult]) -> str:
    errors = sum(not result.valid for result in results)
    warnings = sum(bool(result.problems) and result.valid for result in results)
    return f"{len(results)} answers in the log: {errors} with errors, {warnings} with warnings only"


def _fail(reason: str) -> int:
    sys.stderr.write(f"yemot-ai-testing lint: {reason}\n")
    return 2
