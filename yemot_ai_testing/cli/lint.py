"""``yemot-ai-testing lint``: what the line would not understand in answers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from yemot_ai.protocol import lint
from yemot_ai_testing.cli.output import LintResult, print_table, print_text, results_to_json, text_lines
from yemot_ai_testing.cli.sources import SourcedResponse, responses_from_arguments, responses_from_log

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Say what the line would not understand in answers, and what may surprise. Standard input holds one "
        "answer a line. Exit code: 0 no errors, 1 an answer has an error, 2 there is nothing to read."
    )
    parser.add_argument("text", nargs="*", metavar="TEXT|-", help="answers; - reads standard input")
    parser.add_argument("--whole", action="store_true", help="take all of standard input as one answer")
    parser.add_argument(
        "--log",
        type=Path,
        action="append",
        default=[],
        metavar="FILE|-",
        help="take the answers out of a log (LogApi.ymgr, JSON lines, any text); shows those with problems",
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--strict", action="store_true", help="let warnings fail, too")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Lint what the arguments name, and tell the exit code."""
    if not arguments.text and not arguments.log:
        return _fail("give an answer, - for standard input, or --log FILE")
    try:
        in_logs = [_lint(one) for path in arguments.log for one in responses_from_log(path)]
    except OSError as error:
        return _fail(f"cannot read {error.filename}: {error.strerror}")
    findings = [_lint(one) for one in responses_from_arguments(arguments.text, whole=arguments.whole)]
    if arguments.log and not in_logs:
        sys.stderr.write("no answers found in the log\n")
    if arguments.as_json:
        print_text(results_to_json([*findings, *in_logs]))
    else:
        _print([*findings, *(one for one in in_logs if one.problems)])
    if arguments.log and not arguments.as_json:
        print_text(_summary(in_logs))
    return int(any(one.problems if arguments.strict else not one.valid for one in [*findings, *in_logs]))


def _lint(found: SourcedResponse) -> LintResult:
    return LintResult(found, lint(found.text))


def _print(findings: list[LintResult]) -> None:
    if print_table(findings):
        return
    for finding in findings:
        if ":" in finding.response.source:
            print_text(f"{finding.response.source}:")
        for line in text_lines(finding):
            print_text(line)


def _summary(findings: list[LintResult]) -> str:
    wrong = sum(not one.valid for one in findings)
    doubtful = sum(bool(one.problems) and one.valid for one in findings)
    return f"{len(findings)} answers in the log: {wrong} with errors, {doubtful} with warnings only"


def _fail(reason: str) -> int:
    sys.stderr.write(f"yemot-ai-testing lint: {reason}\n")
    return 2
