"""``yemot-ai-testing explain``: what each part of an answer means."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from yemot_ai.protocol.explain import ExplainedPart, Explanation, explain, printable
from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.cli.sources import responses_from_arguments

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        "Name each action, message and field of an answer, by its place in the official table. "
        "Exit code: 0 the line would understand all of them, 1 an answer has an error."
    )
    parser.add_argument("text", nargs="+", metavar="TEXT|-", help="answers; - reads standard input")
    parser.add_argument("--whole", action="store_true", help="take all of standard input as one answer")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not text")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain what the arguments name, and tell the exit code."""
    explanations = [
        explain(found.text) for found in responses_from_arguments(arguments.text, whole=arguments.whole)
    ]
    if arguments.as_json:
        print_text(to_json({"answers": [_as_document(one) for one in explanations]}))
    else:
        for one in explanations:
            print_text(printable(one.text))
            for line in one.lines():
                print_text(f"  {line}")
    return int(not all(one.valid for one in explanations))


def _as_document(explanation: Explanation) -> dict[str, Any]:
    return {
        "text": explanation.text,
        "valid": explanation.valid,
        "log": explanation.log,
        "actions": [_part(action) for action in explanation.actions],
        "problems": [asdict(problem) for problem in explanation.problems],
    }


def _part(part: ExplainedPart) -> dict[str, Any]:
    keys = ("kind", "number", "name", "title", "text", "position", "value", "default")
    own = {key: getattr(part, key) for key in keys}
    problems = [asdict(problem) for problem in part.problems]
    return {**own, "problems": problems, "parts": [_part(one) for one in part.parts]}
