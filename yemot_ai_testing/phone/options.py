"""The options of ``yemot-ai phone``, and the target that they name."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.errors import AppError, ScenarioLoadError
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.target import DEFAULT_PHONE, PhoneTarget, open_phone_target
from yemot_ai_testing.scenario.format.load import SCENARIO_SUFFIX, load, load_steps

__all__ = ["add_options", "open_target", "parse_options", "read_script"]

REFERENCE: Final = "yemot_ai.reference:flow"
MODELS: Final = ("echo", "real", "script")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the target and the options that say what is called, and how."""
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help=f"module:flow, a URL, or a folder with ext.ini files (default: {REFERENCE})",
    )
    parser.add_argument(
        "--model",
        nargs="+",
        default=["echo"],
        metavar=("MODEL", "FILE"),
        help="who answers behind module:flow: echo (repeats what was said), real, or "
        "script FILE (a *.call.yaml, or a list of steps as in its agent:); default: echo",
    )
    parser.add_argument(
        "--phone", default=DEFAULT_PHONE, metavar="NUMBER", help="who calls; '' for a withheld number"
    )
    parser.add_argument("--extension", default="", help="where the call begins (default: the root)")
    parser.add_argument("--folder", default=".", help="where calls are saved (default: the current folder)")
    parser.add_argument(
        "--i-own-this-server", action="store_true", dest="remote", help="call a URL on another machine"
    )


def parse_options(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the options without those of the face."""
    parser = argparse.ArgumentParser("yemot-ai phone")
    add_options(parser)
    return parser.parse_args(argv)


def open_target(options: argparse.Namespace) -> AbstractContextManager[PhoneTarget]:
    """Open the target of the options.

    Raises:
        AppError: there is no such model or target, or a script cannot be read.
    """
    model, *rest = options.model
    if model not in MODELS:
        raise AppError(f"there is no model {model!r}: --model echo, --model real or --model script FILE")
    if model == "script":
        if not rest:
            raise AppError("--model script needs a file: --model script FILE")
        script, *rest = rest
        steps = read_script(Path(script))
    # A target that follows the model was taken for its file.
    targets = [one for one in (options.target, *rest) if one]
    if len(targets) > 1:
        raise AppError(f"one target can be called, not {' and '.join(targets)}")
    return open_phone_target(
        targets[0] if targets else REFERENCE,
        PhoneModel(steps if model == "script" else ()),
        real=model == "real",
        remote=options.remote,
    )


def read_script(path: Path) -> tuple[Step, ...]:
    """Return the steps of a script.

    Args:
        path: a scenario file, whose steps of all turns count; or a YAML list of steps, as in ``agent:``.

    Raises:
        AppError: it cannot be read, or has no step.
    """
    try:
        steps = _steps_of_scenarios(path) if path.name.endswith(SCENARIO_SUFFIX) else load_steps(path)
    except ScenarioLoadError as error:
        raise AppError(f"{path} is no script of a model: {error}") from error
    if not steps:
        raise AppError(f"{path} has no step of a model: write agent: in a turn, or a list of answers:")
    return steps


def _steps_of_scenarios(path: Path) -> tuple[Step, ...]:
    turns = (turn for scenario in load(path).scenarios for turn in scenario.turns)
    return tuple(step for turn in turns for step in turn.agent)
