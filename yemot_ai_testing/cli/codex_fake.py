"""``yemot-ai-testing codex fake``: a fake Codex for tests in any language."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from yemot_ai_testing.codex.fake.standalone import StandaloneFake, create_fake
from yemot_ai_testing.doubles.script import ScriptMismatchError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Create a fake codex and print the folder to put first on PATH, and nothing else. The fake needs no "
        "login, and keeps its threads in its own folder unless CODEX_HOME is set. It lives until --remove."
    )
    parser.add_argument("--as", dest="version", metavar="VERSION", help="imitate this recorded version")
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument(
        "--answer", dest="answers", action="append", metavar="TEXT", help="answer the next call; repeatable"
    )
    steps.add_argument("--script", type=Path, metavar="FILE", help="the steps, as a JSON list")
    steps.add_argument(
        "--requests", type=Path, metavar="FOLDER", help="print the turns of a fake so far, as JSON"
    )
    steps.add_argument(
        "--remove",
        type=Path,
        metavar="FOLDER",
        help="remove a fake; exit code 1: its script and the turns do not match",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0; 1 if the script of a removed fake and its calls differ; 2 if an argument or a step is not valid.
    """
    try:
        return _run(arguments)
    except ScriptMismatchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    except (ValueError, LookupError, OSError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)  # noqa: T201 - as above
        return 2


def _run(arguments: argparse.Namespace) -> int:
    if arguments.remove:
        StandaloneFake.open(arguments.remove).remove()
    elif arguments.requests:
        runs = map(dataclasses.asdict, StandaloneFake.open(arguments.requests).runs)
        print(json.dumps(list(runs), ensure_ascii=False, indent=2, default=sorted))  # noqa: T201 - as above
    else:
        answers = [{"answers": text} for text in arguments.answers or ()]
        print(create_fake(_read_script(arguments.script) or answers, arguments.version))  # noqa: T201 - as above
    return 0


def _read_script(path: Path | None) -> list[object]:
    if path is None:
        return []
    try:
        script = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(script, list):
        raise ValueError(  # noqa: TRY004 - a value in a file
            f'{path}: a list of steps is expected, such as [{{"answers": "hello"}}]'
        )
    return script
