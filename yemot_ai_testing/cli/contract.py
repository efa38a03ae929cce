"""``yemot-ai-testing contract``: check executables against the rules of Codex and print a table."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

from yemot_ai_testing.codex.binary import BinaryNotFoundError, CodexSpecError
from yemot_ai_testing.codex.rules.suite import RULES, CodexSuite, ExecutableUnusableError, open_suite
from yemot_ai_testing.conformance.expectations import Expectations, ExpectationsError
from yemot_ai_testing.conformance.table import as_data, format_markdown, format_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from yemot_ai_testing.conformance.rule import AnyRule, Interface, Verdict

__all__ = ["add_arguments", "run"]

_STDOUT: Final = "-"
"""The name of standard output, in place of a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Check executables against the rules of codex exec --json or of codex app-server, without a key and "
        "without a network. "
        "Exit code: 0 no rule is broken, 1 a rule is broken or an expected breach is outdated, 2 an "
        "argument, an executable or a file cannot be used."
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
    parser.add_argument("--list", action="store_true", help="print the rules; run none")
    parser.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="expected breaches: one rule a line, `ID  why`; they do not count as broken. A rule that is "
        "held, or that does not exist, makes the exit code 1",
    )
    parser.add_argument(
        "--allow-outdated",
        action="store_true",
        help="with --expect: rules that are held or do not exist do not change the exit code",
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const=_STDOUT,
        metavar="FILE",
        help="write JSON to this file; without FILE print it, not a table",
    )
    parser.add_argument(
        "--markdown", metavar="FILE", help="write a table in Markdown to this file; - prints it"
    )
    parser.add_argument(
        "--jobs", type=_job_count, default=4, metavar="N", help="rules in parallel (default: 4)"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if no rule is broken, 1 if one is, 2 if an executable, a rule or a file cannot be used.
    """
    try:
        return _run_suites(arguments)
    except (BinaryNotFoundError, CodexSpecError, ExecutableUnusableError, ExpectationsError) as error:
        return _refused(str(error))
    except LookupError as error:
        return _refused(str(error.args[0]))
    except BrokenPipeError:
        raise
    except OSError as error:
        return _refused(f"{error.filename or 'the output'} cannot be written: {error.strerror}")


def _run_suites(arguments: argparse.Namespace) -> int:
    rules = [CodexSuite.find_rule(rule_id) for rule_id in dict.fromkeys(arguments.rules or ())] or _rules_of(
        arguments.interface
    )
    if arguments.list:
        _write("".join(f"{rule.id}  {rule.title}\n" for rule in rules), sys.stdout)
        return 0
    expectations = Expectations.load(arguments.expect) if arguments.expect else Expectations({})
    with ExitStack() as stack:
        # All suites are opened first: an executable that cannot be run ends the command before any rule runs.
        specs = dict.fromkeys(arguments.executables or ("real", "fake"))
        suites = [stack.enter_context(open_suite(spec)) for spec in specs]
        _check_writable(arguments.json, arguments.markdown)
        columns = {
            suite.name: expectations.applied_to(suite.run_all(rules, workers=arguments.jobs))
            for suite in suites
        }
    _write_reports(arguments, rules, columns, {suite.name: suite.version for suite in suites})
    outdated = list(expectations.outdated(CodexSuite.catalogue, columns))
    for line in outdated:
        _write(f"{arguments.expect}: {line}: remove it\n", sys.stderr)
    outcomes = {verdict.outcome for verdicts in columns.values() for verdict in verdicts}
    return int("breached" in outcomes or bool(outdated and not arguments.allow_outdated))


def _rules_of(interface: Interface | Literal["all"]) -> Sequence[AnyRule]:
    interfaces = RULES if interface == "all" else (interface,)
    return [rule for name in interfaces for rule in RULES[name]]


def _write_reports(
    arguments: argparse.Namespace,
    rules: Sequence[AnyRule],
    columns: Mapping[str, Sequence[Verdict]],
    versions: Mapping[str, str],
) -> None:
    targets = (arguments.json, arguments.markdown)
    if _STDOUT not in targets:
        _write("\n".join([*format_table(rules, columns), ""]), sys.stdout)
    if arguments.json is not None:
        data = json.dumps(as_data(columns, versions), ensure_ascii=False, indent=2)
        _write_to(arguments.json, f"{data}\n")
    if arguments.markdown is not None:
        _write_to(arguments.markdown, "\n".join([*format_markdown(rules, columns), ""]))


def _check_writable(*targets: str | None) -> None:
    """Open each file, so that one that cannot be written ends the command before any rule runs."""
    for target in targets:
        if target is not None and target != _STDOUT:
            Path(target).open("a", encoding="utf-8").close()


def _write_to(target: str, text: str) -> None:
    if target == _STDOUT:
        _write(text, sys.stdout)
    else:
        # An executable may have written anything, also what no encoding has.
        Path(target).write_text(text, encoding="utf-8", errors="backslashreplace")


def _write(text: str, stream: TextIO) -> None:
    """Write a text; characters that the encoding of the terminal lacks are escaped."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _refused(message: str) -> int:
    _write(f"{message}\n", sys.stderr)
    return 2


def _job_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
