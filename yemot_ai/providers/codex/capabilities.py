"""What the installed Codex knows: features, options and models, asked of the binary itself.

Codex refuses to start over an unknown name, and names come and go between versions.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from yemot_ai.providers.codex.model_catalogue import without_tools
from yemot_ai.providers.codex.process import LineTooLongError, run_process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Capabilities", "probe"]

_FEATURE: Final = re.compile(r"^([a-z0-9_.]+)\s+.*?(?:true|false)\s*$")
_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one binary knows.

    Attributes:
        features: the names for ``--disable``.
        options: the long options of ``codex exec``, without dashes.
        models: its catalogue of models, without their tools, as JSON; empty if it told none.
    """

    features: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    models: str = ""


_cache: dict[tuple[str, int, int, int, int], Capabilities] = {}


async def probe(executable: str, *, env: Mapping[str, str], cwd: Path) -> Capabilities:
    """What ``executable`` knows; asked once for each state of the file, again if it did not tell.

    The same file is the same program wherever links lead to it, but not under another name: launchers of
    many programs go by the name that they are called.

    A binary that does not answer knows nothing: the command line then does without its names.
    """
    status = await asyncio.to_thread(os.stat, executable)
    name = os.path.basename(executable)  # noqa: PTH119 - asked at each turn
    key = (name, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
    if key in _cache:
        return _cache[key]
    questions = (("features", "list"), ("exec", "--help"), ("debug", "models", "--bundled"))
    features, options, models = await _gather_all(
        _output_lines([executable, *question], env=env, cwd=cwd) for question in questions
    )
    told = Capabilities(
        _features(features), frozenset(_OPTION.findall("\n".join(options))), _catalogue(models)
    )
    if told.features:
        _cache[key] = told
    return told


async def _gather_all(questions: Iterable[Awaitable[list[str]]]) -> list[list[str]]:
    """Wait until every process is gone, also when one could not be started, or all are cancelled."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


async def _output_lines(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> list[str]:
    lines: list[bytes] = []
    try:
        end = await run_process(command, stdin=b"", receive=lines.append, env=env, cwd=cwd)
    except LineTooLongError:
        return []
    return [line.decode("utf-8", "replace") for line in lines] if end.exit_code == 0 else []


def _catalogue(lines: Sequence[str]) -> str:
    return without_tools("\n".join(lines).encode())


def _features(lines: Sequence[str]) -> frozenset[str]:
    found = (_FEATURE.match(line) for line in lines)
    return frozenset(match[1] for match in found if match and " removed " not in f"{match[0]} ")
