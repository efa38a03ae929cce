"""``yemot-ai-testing contract``: hold executables to the rules of Codex, and print a table."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from yemot_ai_testing.codex.binary import BinaryNotFoundError
from yemot_ai_testing.codex.rules.suite import RULES, ExecutableUnusableError, open_suite, rule_by_id
from yemot_ai_testing.codex.rules.table import as_data, format_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from yemot_ai_testing.conformance.rule import AnyRule, Interface

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 where all rules are held, 1 where one is broken, 2 where an executable or a case is not there.
    """
    try:
        return _run_suites(arguments)
    except (BinaryNotFoundError, ExecutableUnusableError, LookupError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)  # noqa: T201 - a command line prints
        return 2


def _run_suites(arguments: argparse.Namespace) -> int:
    chosen = [rule_by_id(one) for one in arguments.cases or ()] or _rules_of(arguments.face)
    with ExitStack() as stack:
        # Whatever cannot be run is told before the first rule is tried.
        names = dict.fromkeys(arguments.executables or ("real", "fake"))
        suites = [stack.enter_context(open_suite(name)) for name in names]
        columns = {suite.name: suite.run_all(chosen, workers=arguments.jobs) for suite in suites}
    if arguments.as_json:
        data = as_data(columns, {suite.name: suite.version for suite in suites})
        print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201 - as above
    else:
        print("\n".join(format_table(chosen, columns)))  # noqa: T201 - as above
    outcomes = {verdict.outcome for verdicts in columns.values() for verdict in verdicts}
    return int("breached" in outcomes)


def _rules_of(interface: Interface | Literal["all"]) -> Sequence[AnyRule]:
    faces = RULES if interface == "all" else (interface,)
    return [one for name in faces for one in RULES[name]]
