"""Which reports of its calls a run writes, and where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yemot_ai_testing.pytest_plugin.option_table import GITHUB_REPORTS, percentage
from yemot_ai_testing.pytest_plugin.options import runs_scenarios

__all__ = [
    "baseline_path",
    "collects_calls",
    "coverage_floor",
    "github_report",
    "measures",
    "page_path",
    "shows_coverage",
    "writes_github",
    "writes_junit",
    "writes_page",
]


def collects_calls(config: pytest.Config) -> bool:
    """Return whether the run keeps the records of its calls."""
    return (
        runs_scenarios(config)
        or page_path(config) is not None
        or shows_coverage(config)
        or coverage_floor(config) is not None
        or _is_on_github(config)
    )


def page_path(config: pytest.Config) -> Path | None:
    """Return the file of the page; None without one. The ini key is for runs of scenarios."""
    path = _file_of(config, "yemot_html")
    return path if config.getoption("yemot_html") or runs_scenarios(config) else None


def writes_page(config: pytest.Config) -> bool:
    """Return whether this process writes the page of the run; workers of xdist do not."""
    return page_path(config) is not None and not _is_silent(config)


def writes_junit(config: pytest.Config) -> bool:
    """Return whether this process writes a JUnit report of scenarios."""
    return bool(config.getoption("xmlpath", default=None)) and runs_scenarios(config)


def baseline_path(config: pytest.Config) -> Path | None:
    """Return the file of ``--yemot-baseline``; None without one."""
    return _file_of(config, "yemot_baseline")


def measures(config: pytest.Config) -> bool:
    """Return whether the run compares its calls with a file of times."""
    return baseline_path(config) is not None and runs_scenarios(config)


def shows_coverage(config: pytest.Config) -> bool:
    """Return whether the run prints the table of what its calls reached."""
    return bool(config.getoption("yemot_coverage", default=None))


def coverage_floor(config: pytest.Config) -> float | None:
    """Return the least percentage of extensions and keys that the calls must reach; None without one.

    Raises:
        pytest.UsageError: the ini key is no number from 0 to 100.
    """
    option: float | None = config.getoption("yemot_coverage_min", default=None)
    text: str = config.getini("yemot_coverage_min")
    if option is not None or not text:
        return option
    try:
        return percentage(text)
    except ValueError as error:
        raise pytest.UsageError(f"yemot_coverage_min is a number from 0 to 100, not {text!r}") from error


def github_report(config: pytest.Config) -> str:
    """Return what is reported to GitHub Actions: one of ``GITHUB_REPORTS``.

    Raises:
        pytest.UsageError: the ini key has another value.
    """
    report = config.getoption("yemot_github", default=None) or config.getini("yemot_github")
    if report not in GITHUB_REPORTS:
        raise pytest.UsageError(f"yemot_github is one of {', '.join(GITHUB_REPORTS)}, not {report!r}")
    return str(report)


def writes_github(config: pytest.Config) -> bool:
    """Return whether this process reports to GitHub Actions; workers of xdist do not."""
    return _is_on_github(config) and not _is_silent(config)


def _is_on_github(config: pytest.Config) -> bool:
    """Return whether GitHub Actions gets a report: of runs of scenarios, and of others that ask for it."""
    is_there = os.environ.get("GITHUB_ACTIONS") == "true" or bool(os.environ.get("GITHUB_STEP_SUMMARY"))
    is_wanted = runs_scenarios(config) or bool(config.getoption("yemot_github", default=None))
    return is_there and is_wanted and github_report(config) != "off"


def _file_of(config: pytest.Config, name: str) -> Path | None:
    """Return a file: an option is relative to the working directory, an ini key to the ini file."""
    option: str | None = config.getoption(name, default=None)
    if option:
        return config.invocation_params.dir / option
    ini: str = config.getini(name)
    return (config.inipath.parent if config.inipath else config.rootpath) / ini if ini else None


def _is_silent(config: pytest.Config) -> bool:
    """Return whether this process reports nothing: a worker of xdist, or a run that only collects."""
    return hasattr(config, "workerinput") or bool(config.option.collectonly)
