"""``yemot-ai-testing contract``: check executables against the rules of Codex and print a table."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from yemot_ai_testing.codex.binary import BinaryNotFoundError, CodexSpecError
from yemot_ai_testing.codex.rules.suite import RULES, CodexSuite, ExecutableUnusableError, open_suite
from yemot_ai_testing.conformance.table import as_data, format_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from yemot_ai_testing.conformance.rule import AnyRule, Interface

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Check executables against the rules of codex exec --json or of codex app-server, without a key and "
        "without a network. "
        "Exit code: 0 no rule is broken, 1 a rule is broken, 2 an executable cannot be run."
    )
    parser.add_argument(
        "--codex",
        dest="executables",
        nargs="+",
        action="extend",
        metavar="SPEC",
        help="fake, fake@VERSION, real, real@VERSION or a path; default: real and fake",
    )
    parser.add_argument(
        "--interface",
        choices=("exec", "app-server", "all"),
        default="exec",
        help="which rules: of codex exec --json (default), of codex app-server, or both",
    )
    parser.add_argument("--rule", dest="rules", nargs="+", action="extend", metavar="ID", help="only these")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="rules in parallel (default: 4)")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if no rule is broken, 1 if one is, 2 if an executable or a rule does not exist.
    """
    try:
        return _run_suites(arguments)
    except (BinaryNotFoundError, CodexSpecError, ExecutableUnusableError, LookupError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)  # noqa: T201 - a command line prints
        return 2


def _run_suites(arguments: argparse.Namespace) -> int:
    rules = [CodexSuite.find_rule(rule_id) for rule_id in arguments.rules or ()] or _rules_of(
        arguments.interface
    )
    with ExitStack() as stack:
        # All suites are opened first: an executable that cannot be run ends the command before any rule runs.
        specs = dict.fromkeys(arguments.executables or ("real", "fake"))
        suites = [stack.enter_context(open_suite(spec)) for spec in specs]
        columns = {suite.name: suite.run_all(rules, workers=arguments.jobs) for suite in suites}
    if arguments.as_json:
        data = as_data(columns, {suite.name: suite.version for suite in suites})
        print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201 - as above
    else:
        print("\n".join(format_table(rules, columns)))  # noqa: T201 - as above
    outcomes = {verdict.outcome for verdicts in columns.values() for verdict in verdicts}
    return int("breached" in outcomes)


def _rules_of(interface: Interface | Literal["all"]) -> Sequence[AnyRule]:
    interfaces = RULES if interface == "all" else (interface,)
    return [rule for name in interfaces for rule in RULES[name]]
