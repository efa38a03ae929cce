"""The options of the plugin, and their ini keys."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.target import RunSettings

__all__ = ["SCENARIO_SUFFIX", "add_options", "missing_package_error", "run_settings"]

SCENARIO_SUFFIX = ".call.yaml"


def add_options(parser: pytest.Parser) -> None:
    """Add them."""
    group = parser.getgroup("yemot", "phone calls on a simulated Yemot line")
    _add_scenario_options(parser, group)
    _add_isolation_options(parser, group)
    _add_snapshot_options(parser, group)


def _add_scenario_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--yemot-scenario",
        action="append",
        nargs="?",
        const="",
        metavar="PATH",
        help=f"run only scenarios: those of PATH (a *{SCENARIO_SUFFIX} file or a folder; repeatable), else those of "
        "the ini key yemot_scenarios, else all under testpaths",
    )
    group.addoption("--yemot-app", metavar="MODULE:ATTR", help="the application that scenarios call")
    group.addoption("--yemot-url", metavar="URL", help="a server that scenarios call instead")
    group.addoption(
        "--yemot-serve",
        metavar="COMMAND",
        help="a server that is started, with the doubles in its environment, and called instead; "
        "its port is {port} in COMMAND and PORT in its environment",
    )
    group.addoption(
        "--yemot-codex",
        metavar="fake|VERSION|real|real:VERSION|PATH",
        help="who answers as Codex: the fake (default), the fake as a recorded VERSION, or a real binary "
        "with a scripted model service",
    )
    group.addoption(
        "--yemot-update",
        action="store_true",
        help="rewrite what scenarios shall hear as what they heard; nothing else of their files",
    )
    group.addoption("--yemot-html", metavar="FILE", help="write the calls of the run as one page, FILE")
    parser.addini("yemot_html", "where to write the calls of each run of scenarios as a page", default="")
    parser.addini("yemot_scenarios", "where scenarios are (files or folders)", type="paths", default=[])
    parser.addini("yemot_app", "the application that scenarios call", default="")
    parser.addini("yemot_url", "a server that scenarios call instead", default="")
    parser.addini("yemot_serve", "the command of a server that scenarios call instead", default="")
    parser.addini(
        "yemot_codex", "who answers as Codex: fake, a version, real, real:VERSION or a path", default="fake"
    )
    parser.addini("yemot_remote", "let urls point beyond this machine", type="bool", default=False)


def _add_snapshot_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--yemot-snapshot",
        action="store_true",
        help="hold the answers of each scenario to a syrupy snapshot; --snapshot-update writes it",
    )
    parser.addini("yemot_snapshot", "hold the answers of scenarios to snapshots", type="bool", default=False)


def _add_isolation_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--yemot-guard",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="refuse connections that leave this machine, and programs that are not ours (default: on for "
        "scenarios)",
    )
    group.addoption(
        "--yemot-allow",
        action="append",
        default=[],
        metavar="NAME",
        help="a host or a program that the guard lets out; repeatable",
    )
    parser.addini(
        "yemot_guard",
        "guard ordinary tests too, or none (default: scenarios only)",
        type="bool",
        default=None,
    )
    parser.addini("yemot_allow", "hosts and programs that the guard lets out", type="args", default=[])


def run_settings(config: pytest.Config) -> RunSettings:
    """Return what a run says about applications and doubles."""
    from yemot_ai_testing.scenario.play.target import RunSettings  # noqa: PLC0415 - a run without calls pays nothing

    option, ini = config.getoption, config.getini
    return RunSettings(
        app=option("yemot_app"),
        url=option("yemot_url"),
        default_app=ini("yemot_app") or None,
        default_url=ini("yemot_url") or None,
        serve=option("yemot_serve"),
        default_serve=ini("yemot_serve") or None,
        codex=option("yemot_codex") or ini("yemot_codex"),
        remote=ini("yemot_remote"),
        root=config.rootpath,
    )


def missing_package_error(package: str) -> pytest.UsageError:
    """Return the error for a package of the extra that is not there."""
    return pytest.UsageError(f"{package} is not installed: pip install 'yemot-ai[testing]'")
