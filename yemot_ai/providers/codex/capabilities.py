"""Ask the installed Codex which features, options and models it has.

Codex refuses to start with an unknown name, and names differ between versions.
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

__all__ = ["Capabilities", "output_lines", "probe"]

_FEATURE: Final = re.compile(r"^([a-z0-9_.]+)\s+.*?(?:true|false)\s*$")
_OPTION: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The features, options and models of one binary.

    Attributes:
        features: the names for ``--disable``.
        options: the long options of ``codex exec``, without dashes.
        models: its catalogue of models, without their tools, as JSON; empty if it prints none.
    """

    features: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    models: str = ""


_cache: dict[tuple[str, int, int, int, int], Capabilities] = {}


async def probe(executable: str, *, env: Mapping[str, str], cwd: Path) -> Capabilities:
    """Return the capabilities of ``executable``.

    They are cached for each state of the file, unless it printed no features. The same file under another
    link is the same program, but not under another name: a launcher of many programs looks at its name.

    A binary that does not answer has no capabilities, so none of its names are used.
    """
    status = await asyncio.to_thread(os.stat, executable)
    name = os.path.basename(executable)  # noqa: PTH119 - runs at each turn
    key = (name, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
    if key in _cache:
        return _cache[key]
    commands = (("features", "list"), ("exec", "--help"), ("debug", "models", "--bundled"))
    features, options, models = await _gather_all(
        output_lines([executable, *arguments], env=env, cwd=cwd) for arguments in commands
    )
    capabilities = Capabilities(
        _features(features), frozenset(_OPTION.findall("\n".join(options))), _catalogue(models)
    )
    if capabilities.features:
        _cache[key] = capabilities
    return capabilities


async def _gather_all(outputs: Iterable[Awaitable[list[str]]]) -> list[list[str]]:
    """Wait until every process has ended, even if one could not be started or all are cancelled."""
    results = await asyncio.gather(*outputs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def output_lines(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> list[str]:
    """Return the lines that a command prints; none if it fails."""
    lines: list[bytes] = []
    try:
        result = await run_process(command, stdin=b"", receive=lines.append, env=env, cwd=cwd)
    except LineTooLongError:
        return []
    return [line.decode("utf-8", "replace") for line in lines] if result.exit_code == 0 else []


def _catalogue(lines: Sequence[str]) -> str:
    return without_tools("\n".join(lines).encode())


def _features(lines: Sequence[str]) -> frozenset[str]:
    matches = (_FEATURE.match(line) for line in lines)
    return frozenset(match[1] for match in matches if match and " removed " not in f"{match[0]} ")
