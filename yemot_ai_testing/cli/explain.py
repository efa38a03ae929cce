"""``yemot-ai-testing explain``: explain each part of a response."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from yemot_ai.protocol.explain import ExplainedPart, Explanation, explain, printable
from yemot_ai_testing.cli.lint import add_lenient
from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.cli.sources import responses_from_arguments

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Name each action, message and field of a response, by its position in the official table. "
        "Exit code: 0 all responses are valid, 1 a response has an error."
    )
    parser.add_argument("text", nargs="+", metavar="TEXT|-", help="responses; - reads standard input")
    parser.add_argument("--whole", action="store_true", help="take all of standard input as one response")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON, not text")
    add_lenient(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain the responses; return the exit code."""
    explanations = [
        explain(response.text, lenient=arguments.lenient)
        for response in responses_from_arguments(arguments.text, whole=arguments.whole)
    ]
    if arguments.as_json:
        print_text(to_json({"answers": [_as_document(explanation) for explanation in explanations]}))
    else:
        for explanation in explanations:
            print_text(printable(explanation.text))
            for line in explanation.lines():
                print_text(f"  {line}")
    return int(not all(explanation.valid for explanation in explanations))


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
    values = {key: getattr(part, key) for key in keys}
    problems = [asdict(problem) for problem in part.problems]
    return {**values, "problems": problems, "parts": [_part(child) for child in part.parts]}
