"""``yemot-ai-testing contract``: hold executables to the rules of Codex, and print a table."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from yemot_ai_testing.codex.binary import BinaryNotFoundError
from yemot_ai_testing.codex.rules.suite import CASES, ExecutableUnusableError, case, open_suite
from yemot_ai_testing.codex.rules.table import as_data, lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from yemot_ai_testing.conformance.rule import AnyCase, Face

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 where all rules are held, 1 where one is broken, 2 where an executable or a case is not there.
    """
    try:
        return _tried(arguments)
    except (BinaryNotFoundError, ExecutableUnusableError, LookupError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)  # noqa: T201 - a command line prints
        return 2


def _tried(arguments: argparse.Namespace) -> int:
    chosen = [case(one) for one in arguments.cases or ()] or _of(arguments.face)
    with ExitStack() as stack:
        # Whatever cannot be run is told before the first rule is tried.
        names = dict.fromkeys(arguments.executables or ("real", "fake"))
        suites = [stack.enter_context(open_suite(name)) for name in names]
        columns = {suite.name: suite.results(chosen, at_once=arguments.jobs) for suite in suites}
    if arguments.as_json:
        data = as_data(columns, {suite.name: suite.version for suite in suites})
        print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201 - as above
    else:
        print("\n".join(lines(chosen, columns)))  # noqa: T201 - as above
    outcomes = {verdict.outcome for verdicts in columns.values() for verdict in verdicts}
    return int("breached" in outcomes)


def _of(face: Face | Literal["all"]) -> Sequence[AnyCase]:
    faces = CASES if face == "all" else (face,)
    return [one for name in faces for one in CASES[name]]
