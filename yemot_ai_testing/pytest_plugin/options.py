"""The command-line options of the plugin and their ini keys."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.target import RunSettings

__all__ = [
    "SCENARIO_SUFFIX",
    "add_options",
    "check_usage",
    "import_feature",
    "is_isolated",
    "isolation_kind",
    "run_settings",
    "runs_scenarios",
    "writes_page",
]

SCENARIO_SUFFIX = ".call.yaml"
ISOLATION_KINDS = ("auto", "namespace", "python")
CODEX_SPECS = "fake|fake@VERSION|real|real@VERSION|PATH"

OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--yemot-scenario": {
        "action": "append",
        "nargs": "?",
        "const": "",
        "metavar": "PATH",
        "help": f"run only scenarios: those of PATH (a *{SCENARIO_SUFFIX} file or a folder; repeatable), "
        "else those of the ini key yemot_scenarios, else all under testpaths",
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


def check_usage(config: pytest.Config) -> None:
    """Check names of options, settings of the line, and that options of scenarios are used with them.

    Raises:
        pytest.UsageError: one of them is not.
    """
    used = config.getoption("yemot_guard", default=None)
    if used is not None:
        prefix = "--" if used else "--no-"
        raise pytest.UsageError(f"{prefix}yemot-guard is now {prefix}yemot-block-network")
    if config.getini("yemot_guard") is not None:
        raise pytest.UsageError("the ini key yemot_guard is now yemot_block_network")
    _line_options(config)
    if runs_scenarios(config):
        return
    for name, purpose in {"update": "rewrites", "html": "shows"}.items():
        if config.getoption(f"yemot_{name}"):
            raise pytest.UsageError(f"--yemot-{name} {purpose} scenarios: add --yemot-scenario")
    for path in (arg for arg in config.args if arg.partition("::")[0].endswith(SCENARIO_SUFFIX)):
        raise pytest.UsageError(f"{path} is a scenario file: add --yemot-scenario")


def runs_scenarios(config: pytest.Config) -> bool:
    """Return whether the run plays scenarios, and nothing else."""
    return bool(config.getoption("yemot_scenario", default=None))


def is_isolated(config: pytest.Config) -> bool:
    """Return whether network access is blocked: by option, by ini key, else in runs of scenarios.

    Who asks for a kind of isolation on the command line asks for isolation.
    """
    values = (
        config.getoption("yemot_block_network", default=None),
        config.getoption("yemot_isolation", default=None) and True,
        config.getini("yemot_block_network"),
    )
    return next((value for value in values if value is not None), runs_scenarios(config))


def isolation_kind(config: pytest.Config) -> str:
    """Return what blocks the network: one of ``ISOLATION_KINDS``.

    Raises:
        pytest.UsageError: the ini key has another value.
    """
    kind = config.getoption("yemot_isolation") or config.getini("yemot_isolation")
    if kind not in ISOLATION_KINDS:
        raise pytest.UsageError(f"yemot_isolation is one of {', '.join(ISOLATION_KINDS)}, not {kind!r}")
    return str(kind)


def writes_page(config: pytest.Config) -> bool:
    """Return whether this process writes the page of the run; workers of xdist do not."""
    wanted = config.getoption("yemot_html") or config.getini("yemot_html")
    return bool(wanted and runs_scenarios(config)) and not (
        hasattr(config, "workerinput") or config.option.collectonly
    )


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
        line=_line_options(config),
    )


def _line_options(config: pytest.Config) -> dict[str, Any]:
    """Return the settings of the line of a run.

    Raises:
        pytest.UsageError: one of them is invalid, or PyYAML is missing.
    """
    lines = config.getini("yemot_line")
    if not lines:
        return {}
    from yemot_ai_testing.errors import ScenarioLoadError  # noqa: PLC0415 - not needed without settings

    try:
        options: dict[str, Any] = import_feature("scenario.format.line_options:line_options_from_ini")(lines)
    except ScenarioLoadError as error:
        raise pytest.UsageError(str(error)) from error
    return options


def import_feature(name: str) -> Any:  # noqa: ANN401 - any object of the toolkit
    """Return ``module:attribute`` of this package.

    Raises:
        pytest.UsageError: a package of the extra ``testing`` is missing.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(f"yemot_ai_testing.{module}"), attribute)
    except ModuleNotFoundError as error:
        package = {"yaml": "PyYAML"}.get(str(error.name), error.name)
        raise pytest.UsageError(f"{package} is not installed: pip install 'yemot-ai[testing]'") from error
