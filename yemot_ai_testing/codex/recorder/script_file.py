"""Script files for ``yemot-ai-testing record``: turns to record, as JSON or YAML.

    cases:
      greeting:
        - prompt: מי שם?
          answers: כאן המאפייה
      busy day:
        - {prompt: שלום, answers: [ש, לום]}
        - {prompt: "ועוד?", fails: rate_limited}

Each case is a conversation: its turns go to one thread, in order. A turn has a ``prompt``, at most one step
of the model (``answers``, ``fails``, ``drops``, ``cuts`` or ``hangs``), and ``options``: further arguments of
``codex exec``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.recorder.cases import CASES
from yemot_ai_testing.doubles.arguments import call_verb
from yemot_ai_testing.doubles.scriptable import ScriptableModel
from yemot_ai_testing.doubles.steps import MODEL_STEPS, STEP_SYNTAX, Failure, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ScriptFileError", "ScriptedTurn", "read_script"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VERBS: Final = tuple(syntax.verb for syntax in STEP_SYNTAX if syntax.step in MODEL_STEPS)


class ScriptFileError(ValueError):
    """A script file is not valid; the message lists all problems."""


@dataclass(frozen=True, slots=True)
class ScriptedTurn:
    """One turn.

    Attributes:
        prompt: the prompt, sent through standard input.
        step: what the model does; None for nothing.
        options: further arguments.
    """

    prompt: str
    step: Step | None = None
    options: tuple[str, ...] = ()

    @property
    def failure_kind(self) -> str:
        """The kind of failure that is scripted; empty for none."""
        return self.step.kind if isinstance(self.step, Failure) else ""


def read_script(path: Path, *, live: bool = False) -> dict[str, tuple[ScriptedTurn, ...]]:
    """Read a script file.

    Args:
        path: ``*.json``; any other name is read as YAML, which needs the extra ``testing``.
        live: the model cannot be scripted, so verbs are refused.

    Returns:
        The turns, by the name of their case.

    Raises:
        ScriptFileError: if the file is not valid.
    """
    cases = _read_cases(path)
    problems = [f"{path}: {problem}" for problem in _problems(cases, live=live)]
    if problems:
        raise ScriptFileError("\n".join(problems))
    return {name: tuple(map(_parse_turn, turns)) for name, turns in cases.items()}


def _read_cases(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        read = json.loads(text) if path.suffix == ".json" else _parse_yaml(text)
    except (OSError, ValueError) as error:
        raise ScriptFileError(f"{path}: {error}") from error
    cases = read.get("cases") if isinstance(read, dict) and set(read) == {"cases"} else None
    if not isinstance(cases, dict) or not cases:
        raise ScriptFileError(f"{path}: one key `cases` is expected, with a list of turns for each name")
    return cases


def _parse_yaml(text: str) -> Any:  # noqa: ANN401 - the content of a file
    import yaml  # noqa: PLC0415 - only this needs it, and not every installation has it

    try:
        # BaseLoader creates only strings, lists and dicts; every scalar stays a string.
        return yaml.load(text, yaml.BaseLoader)  # noqa: S506 - see above
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _problems(cases: Mapping[str, Any], *, live: bool) -> Iterator[str]:
    for name, turns in cases.items():
        if not _NAME.fullmatch(str(name)):
            yield f"{name!r} becomes the name of a file: use a-z, 0-9, - and _"
        if name in CASES:
            yield f"{name!r} is a case of the toolkit: use another name"
        if not isinstance(turns, list) or not turns:
            yield f"{name}: a list of turns is expected"
            continue
        for number, turn in enumerate(turns, start=1):
            yield from (f"{name}, turn {number}: {problem}" for problem in _turn_problems(turn, live=live))


def _turn_problems(turn: object, *, live: bool) -> Iterator[str]:
    if not isinstance(turn, dict):
        yield "a turn has a `prompt`"
        return
    verbs = () if live else _VERBS
    unknown = set(turn) - {"prompt", "options", *verbs}
    if unknown:
        allowed = ", ".join(("prompt", "options", *verbs))
        yield f"unknown {', '.join(sorted(map(repr, unknown)))}; allowed{' of a live one' * live}: {allowed}"
    if not isinstance(turn.get("prompt"), str) or not turn["prompt"].strip():
        yield "`prompt` is a text"
    used = [verb for verb in verbs if verb in turn]
    if len(used) > 1:
        yield f"only one of {', '.join(used)}"
    for verb in used:
        try:
            _read_step(verb, turn[verb])
        except (TypeError, ValueError) as error:
            yield f"`{verb}`: {error}"
    if not isinstance(turn.get("options", []), list) or not _is_texts(turn.get("options", [])):
        yield "`options` is a list of texts"


def _is_texts(value: list[object]) -> bool:
    return all(isinstance(one, str) for one in value)


class _Steps(ScriptableModel):
    """Collects steps, so that a file is read by the methods of the doubles."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)


def _read_step(verb: str, value: object) -> Step:
    double = _Steps()
    call_verb(double, verb, value)
    return double.steps[0]


def _parse_turn(turn: Mapping[str, Any]) -> ScriptedTurn:
    step = next((_read_step(verb, turn[verb]) for verb in _VERBS if verb in turn), None)
    return ScriptedTurn(turn["prompt"], step, tuple(turn.get("options", ())))
