"""The command-line options of the plugin and their ini keys."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.target import RunSettings

__all__ = ["SCENARIO_SUFFIX", "add_options", "check_old_names", "missing_package_error", "run_settings"]

SCENARIO_SUFFIX = ".call.yaml"
CODEX_SPECS = "fake|fake@VERSION|real|real@VERSION|PATH"


def add_options(parser: pytest.Parser) -> None:
    """Add the options and ini keys of the plugin."""
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
        help=f"run only scenarios: those of PATH (a *{SCENARIO_SUFFIX} file or a folder; repeatable), else "
        "those of the ini key yemot_scenarios, else all under testpaths",
    )
    group.addoption("--yemot-app", metavar="MODULE:ATTR", help="the application that scenarios call")
    group.addoption("--yemot-url", metavar="URL", help="the server that scenarios call")
    group.addoption(
        "--yemot-serve",
        metavar="COMMAND",
        help="the command that starts the server that scenarios call, with the doubles in its environment; "
        "its port is {port} in COMMAND and PORT in its environment",
    )
    group.addoption(
        "--yemot-codex",
        metavar=CODEX_SPECS,
        help="which Codex answers: the fake (default), the fake of a recorded VERSION, or a real binary with "
        "a scripted model service",
    )
    group.addoption(
        "--yemot-update",
        action="store_true",
        help="write what was heard into the hears: of failed turns; change nothing else in the files",
    )
    group.addoption("--yemot-html", metavar="FILE", help="write the calls of the run to an HTML page")
    parser.addini("yemot_html", "the HTML page that each run of scenarios writes", default="")
    parser.addini("yemot_scenarios", "files or folders of scenarios", type="paths", default=[])
    parser.addini("yemot_app", "the application that scenarios call", default="")
    parser.addini("yemot_url", "the server that scenarios call", default="")
    parser.addini("yemot_serve", "the command that starts the server that scenarios call", default="")
    parser.addini("yemot_codex", f"which Codex answers: {CODEX_SPECS}", default="fake")
    parser.addini("yemot_remote", "allow URLs that are not on this machine", type="bool", default=False)


def _add_snapshot_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--yemot-snapshot",
        action="store_true",
        help="compare the responses of each scenario with a syrupy snapshot; --snapshot-update writes it",
    )
    parser.addini("yemot_snapshot", "compare responses with snapshots", type="bool", default=False)


def _add_isolation_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--yemot-block-network",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="block connections that leave this machine, and programs that are not allowed (default: only in "
        "runs of scenarios)",
    )
    group.addoption(
        "--yemot-allow",
        action="append",
        default=[],
        metavar="NAME",
        help="allow a host or a program in spite of --yemot-block-network; repeatable",
    )
    parser.addini(
        "yemot_block_network",
        "block network and foreign programs in all tests, or in none (default: only in runs of scenarios)",
        type="bool",
        default=None,
    )
    parser.addini("yemot_allow", "hosts and programs that are allowed", type="args", default=[])
    group.addoption(
        "--yemot-guard", action=argparse.BooleanOptionalAction, default=None, help=argparse.SUPPRESS
    )
    parser.addini("yemot_guard", "renamed: use yemot_block_network", default=None)


def check_old_names(config: pytest.Config) -> None:
    """Refuse the former names of options and ini keys.

    Raises:
        pytest.UsageError: one of them is used; the message has the new name.
    """
    used = config.getoption("yemot_guard", default=None)
    if used is not None:
        prefix = "--" if used else "--no-"
        raise pytest.UsageError(f"{prefix}yemot-guard is now {prefix}yemot-block-network")
    if config.getini("yemot_guard") is not None:
        raise pytest.UsageError("the ini key yemot_guard is now yemot_block_network")


def run_settings(config: pytest.Config) -> RunSettings:
    """Return the settings of a run: what is called, and with which doubles."""
    from yemot_ai_testing.scenario.play.target import RunSettings  # noqa: PLC0415 - not needed without calls

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
    """Return the error for a missing package of the extra ``testing``."""
    return pytest.UsageError(f"{package} is not installed: pip install 'yemot-ai[testing]'")
