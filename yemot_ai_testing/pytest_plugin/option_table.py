"""The table of the plugin's command-line options and ini keys."""

from __future__ import annotations

import argparse
from typing import Any, Final

import pytest

__all__ = [
    "GITHUB_REPORTS",
    "INI_KEYS",
    "ISOLATION_KINDS",
    "OPTIONS",
    "SCENARIO_SUFFIX",
    "add_options",
    "percentage",
]

SCENARIO_SUFFIX = ".call.yaml"
FULL = 100
ISOLATION_KINDS = ("auto", "namespace", "python")
CODEX_SPECS = "fake|fake@VERSION|real|real@VERSION|PATH"

GITHUB_REPORTS = ("all", "summary", "annotations", "off")


def percentage(text: str) -> float:
    """Return a number from 0 to 100.

    Raises:
        ValueError: it is none.
    """
    number = float(text.removesuffix("%"))
    if not 0 <= number <= FULL:
        raise ValueError(text)
    return number


def positive(text: str) -> int:
    """Return a whole number from 1.

    Raises:
        ValueError: it is none.
    """
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--yemot-scenario": {
        "action": "append",
        "nargs": "?",
        "const": "",
        "metavar": "PATH",
        "help": f"run only scenarios: those of PATH (a *{SCENARIO_SUFFIX} file or a folder; repeatable), "
        "else those of the ini key yemot_scenarios, else all under testpaths",
    },
    "--yemot-also": {
        "action": "store_true",
        "help": "run Python tests and scenarios together: also play the scenarios under the paths of the "
        "run and of the ini key yemot_scenarios",
    },
    "--yemot-app": {"metavar": "MODULE:ATTR", "help": "the application that scenarios call"},
    "--yemot-url": {"metavar": "URL", "help": "the server that scenarios call"},
    "--yemot-serve": {
        "metavar": "COMMAND",
        "help": "the command that starts the server that scenarios call, with the doubles in its "
        "environment; its port is {port} in COMMAND and PORT in its environment",
    },
    "--yemot-codex": {
        "metavar": CODEX_SPECS,
        "help": "which Codex answers: the fake (default), the fake of a recorded VERSION, or a real binary "
        "with a scripted model service",
    },
    "--yemot-update": {
        "action": "store_true",
        "help": "write what was heard into the hears: of failed turns; change nothing else in the files",
    },
    "--yemot-html": {"metavar": "FILE", "help": "write the calls of the run to an HTML page"},
    "--yemot-coverage": {
        "action": "store_true",
        "help": "print which extensions, keys and exits of each application the calls reached",
    },
    "--yemot-coverage-min": {
        "metavar": "PERCENT",
        "type": percentage,
        "help": "fail the run if the calls reached less of the extensions and menu keys",
    },
    "--yemot-repeat": {
        "metavar": "N",
        "type": positive,
        "default": 1,
        "help": "play each scenario N times, and say how often it failed",
    },
    "--yemot-baseline": {
        "metavar": "FILE",
        "help": "fail calls that are slower than the times in FILE (JSON); calls that it lacks are added",
    },
    "--yemot-baseline-update": {
        "action": "store_true",
        "help": "write the times of this run into the file of --yemot-baseline",
    },
    "--yemot-github": {
        "choices": GITHUB_REPORTS,
        "help": "what to report to GitHub Actions: the summary of the step, annotations, all (the default) "
        "or off",
    },
    "--yemot-block-network": {
        "action": argparse.BooleanOptionalAction,
        "default": None,
        "help": "block connections that leave this machine, and programs that are not allowed (default: only "
        "in runs of scenarios)",
    },
    "--yemot-isolation": {
        "choices": ISOLATION_KINDS,
        "help": "what blocks the network: a network namespace of the kernel of Linux where that is possible, "
        "else Python alone (auto, the default), a namespace or an error, or Python alone",
    },
    "--yemot-allow": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "allow a host or a program in spite of --yemot-block-network; repeatable",
    },
    "--yemot-guard": {
        "action": argparse.BooleanOptionalAction,
        "default": None,
        "help": argparse.SUPPRESS,
    },
    "--yemot-snapshot": {
        "action": "store_true",
        "help": "compare the responses of each scenario with a syrupy snapshot; --snapshot-update writes it",
    },
}
INI_KEYS: Final[dict[str, tuple[str, Any, Any]]] = {
    "yemot_also": ("run Python tests and scenarios together", "bool", False),
    "yemot_baseline": ("the file of times that calls may not exceed", None, ""),
    "yemot_coverage_min": ("the least percentage of extensions and menu keys to reach", None, ""),
    "yemot_github": (f"what to report to GitHub Actions: {', '.join(GITHUB_REPORTS)}", None, "all"),
    "yemot_html": ("the HTML page that each run of scenarios writes", None, ""),
    "yemot_scenarios": ("files or folders of scenarios", "paths", []),
    "yemot_app": ("the application that scenarios call", None, ""),
    "yemot_url": ("the server that scenarios call", None, ""),
    "yemot_serve": ("the command that starts the server that scenarios call", None, ""),
    "yemot_codex": (f"which Codex answers: {CODEX_SPECS}", None, "fake"),
    "yemot_remote": ("allow URLs that are not on this machine", "bool", False),
    "yemot_line": (
        "settings of the line for scenarios and yemot_caller, one each line, such as `lenient = true`",
        "linelist",
        [],
    ),
    "yemot_block_network": (
        "block network and foreign programs in all tests, or in none (default: only in runs of scenarios)",
        "bool",
        None,
    ),
    "yemot_isolation": (f"what blocks the network: {', '.join(ISOLATION_KINDS)}", None, "auto"),
    "yemot_allow": ("hosts and programs that are allowed", "args", []),
    "yemot_guard": ("renamed: use yemot_block_network", None, None),
    "yemot_snapshot": ("compare responses with snapshots", "bool", False),
}
"""The help, the type and the default of each key."""


def add_options(parser: pytest.Parser) -> None:
    """Add the options and ini keys of the plugin."""
    group = parser.getgroup("yemot", "phone calls on a simulated Yemot line")
    for option, arguments in OPTIONS.items():
        group.addoption(option, **arguments)
    for key, (text, kind, default) in INI_KEYS.items():
        parser.addini(key, text, type=kind, default=default)
