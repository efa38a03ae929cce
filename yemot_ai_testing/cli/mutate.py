"""``yemot-ai-testing mutate MODULE:FLOW``: plant faults around a line, and show which tests notice them."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.mutation.calls.suggestion import Suggestion, suggest
from yemot_ai_testing.mutation.catalog import MUTATIONS, select
from yemot_ai_testing.mutation.project_tests import ProjectTests
from yemot_ai_testing.mutation.report import (
    as_data,
    catalog_lines,
    score_line,
    suggestion_lines,
    verdict_line,
)
from yemot_ai_testing.mutation.verdicts import Verdict, judge, score, with_suggestion

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Plant realistic faults around an application, one at a time, and run its tests and scenarios with "
        "each. No file is changed. Exit code: 0; 1 a score below --at-least; 2 wrong use; 130 Ctrl-C."
    )
    parser.add_argument("target", nargs="?", metavar="MODULE:FLOW", help="the application that is tested")
    parser.add_argument(
        "tests",
        nargs="*",
        metavar="TEST",
        help="files, folders or ids of tests; default: pytest's own choice",
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="plant only these faults")
    parser.add_argument("--list", dest="lists", action="store_true", help="print all faults and exit")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="write the scenarios for missed faults")
    parser.add_argument(
        "--at-least", type=_share, metavar="SCORE", help="exit with 1 below this score, 0 to 1"
    )
    parser.add_argument("-j", "--jobs", type=_positive, default=_default_jobs(), help="runs at the same time")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not a table")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what became of each fault; return the exit code."""
    if arguments.lists:
        for line in catalog_lines(MUTATIONS):
            print_text(line)
        return 0
    problem = _usage_problem(arguments)
    if problem:
        return _fail(problem)
    try:
        return _report(arguments)
    except ToolkitError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(130)  # without waiting for the runs, which end with this process


def _report(arguments: argparse.Namespace) -> int:
    mutations = select(arguments.only)
    project = ProjectTests.of(arguments.tests, target=arguments.target).run_baseline()
    verdicts: list[Verdict] = []
    for verdict in judge(project, mutations, arguments.jobs):
        verdicts.append(verdict)
        _print_unless(arguments.as_json, verdict_line(verdict))
    suggestions = _suggest(arguments, project, verdicts)
    verdicts = [_after(verdict, suggestions) for verdict in verdicts]
    _print_unless(arguments.as_json, f"\n{score_line(verdicts)}")
    if arguments.as_json:
        print_text(to_json(as_data(verdicts, list(suggestions.values()))))
    share = score(verdicts)
    is_below = arguments.at_least is not None and (share is None or share < arguments.at_least)
    return int(is_below)


def _suggest(
    arguments: argparse.Namespace, project: ProjectTests, verdicts: Sequence[Verdict]
) -> dict[str, Suggestion]:
    """Print or write a scenario for each missed fault; return the suggestions by the ids of the faults."""
    missed = [verdict.mutation for verdict in verdicts if verdict.state == "missed"]
    suggestions: dict[str, Suggestion] = {}
    for suggestion in suggest(project, missed, arguments.jobs):
        suggestions[suggestion.mutation.id] = suggestion
        path = _write(suggestion, arguments.into)
        for line in suggestion_lines(suggestion, path):
            _print_unless(arguments.as_json, line)
    return suggestions


def _after(verdict: Verdict, suggestions: Mapping[str, Suggestion]) -> Verdict:
    suggestion = suggestions.get(verdict.mutation.id)
    return (
        verdict if suggestion is None else with_suggestion(verdict, is_noticeable=suggestion.text is not None)
    )


def _print_unless(is_quiet: bool, line: str) -> None:  # noqa: FBT001 - the condition
    if not is_quiet:
        print_text(line)
        sys.stdout.flush()


def _write(suggestion: Suggestion, folder: Path | None) -> Path | None:
    """Write a scenario; return its path, or None if nothing was written."""
    if folder is None or suggestion.text is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suggestion.mutation.id}.call.yaml"
    path.write_text(suggestion.text, encoding="utf-8")
    return path


def _usage_problem(arguments: argparse.Namespace) -> str:
    """Return what is wrong with the arguments; empty if nothing is."""
    if not arguments.target:
        return "name the application that the tests call, such as shop:flow; --list prints all faults"
    if ":" not in arguments.target:
        return f"{arguments.target} is no module:flow, such as shop:flow"
    if "://" in arguments.target:
        return f"{arguments.target} is a URL: name an application in this process, such as shop:flow"
    if arguments.into is not None and arguments.into.exists() and not arguments.into.is_dir():
        return f"{arguments.into} is no folder: --into names the folder for scenarios"
    missing = [name for name in ("pytest", "yaml") if importlib.util.find_spec(name) is None]
    return f"{missing[0]} is not installed: pip install 'yemot-ai[testing]'" if missing else ""


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of runs: 1 or more")
    return int(text)


def _default_jobs() -> int:
    return max(1, (os.cpu_count() or 1) // 2)


def _fail(reason: str) -> int:
    sys.stderr.write(f"yemot-ai-testing mutate: {reason}\n")
    return 2
