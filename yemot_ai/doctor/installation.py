"""Python, and the packages that are installed."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from typing import Final

from yemot_ai import __version__
from yemot_ai.doctor.finding import Finding, error, ok, warning

__all__ = ["check_packages", "check_python"]

DISTRIBUTION: Final = "yemot-ai"

NEWEST_PYTHON: Final = (3, 13)
"""The newest version in the classifiers of the package."""

_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_NAME: Final = re.compile(r"[\w.-]+")
_BOUND: Final = re.compile(r"(>=|<)\s*([\d.]+)")


def check_python() -> Iterator[Finding]:
    """Find the version of Python."""
    running = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] > NEWEST_PYTHON:
        yield warning(
            "python", running, f"newer than {'.'.join(map(str, NEWEST_PYTHON))}, the last one that was tried"
        )
    else:
        yield ok("python", running)


def check_packages() -> Iterator[Finding]:
    """Find the versions of the packages, and the extras."""
    yield _own_version()
    requirements = requires(DISTRIBUTION) or []
    for requirement in requirements:
        if not _EXTRA.search(requirement):
            yield _required(requirement)
    yield _extras(requirements)


def _own_version() -> Finding:
    installed = version(DISTRIBUTION)
    if installed != __version__:
        return warning(
            DISTRIBUTION,
            f"{__version__} is imported, {installed} is installed",
            f"one is another program, or an old one: pip uninstall {DISTRIBUTION}, and install it again",
        )
    return ok(DISTRIBUTION, __version__)


def _required(requirement: str) -> Finding:
    name = _NAME.findall(requirement)[0]
    installed = _installed_version(name)
    if installed is None:
        return error(name, "not installed", f"pip install '{requirement}'")
    if not _satisfies(installed, requirement):
        return error(name, f"{installed}, but {requirement} is needed", f"pip install '{requirement}'")
    return ok(name, installed)


def _extras(requirements: list[str]) -> Finding:
    """Return which extras have all their packages."""
    names = distribution(DISTRIBUTION).metadata.get_all("Provides-Extra") or []
    missing = {
        match[1]
        for requirement in requirements
        if (match := _EXTRA.search(requirement)) and _installed_version(_NAME.findall(requirement)[0]) is None
    }
    installed = ", ".join(sorted(set(names) - missing)) or "none"
    return ok("extras", f"{installed} (not installed: {', '.join(sorted(missing)) or 'none'})")


def _installed_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _satisfies(installed: str, requirement: str) -> bool:
    """Return whether a version has the bounds of a requirement: >= and < are all that this package uses.

    >>> _satisfies("0.2.21", "yemot-flow<0.3,>=0.2.20"), _satisfies("0.3", "yemot-flow<0.3,>=0.2.20")
    (True, False)
    """
    numbers = _numbers(installed)
    return all(
        numbers >= _numbers(bound) if sign == ">=" else numbers < _numbers(bound)
        for sign, bound in _BOUND.findall(requirement)
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))
