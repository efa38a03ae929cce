"""What the options and ini keys of a run ask for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from yemot_ai_testing.pytest_plugin.option_table import ISOLATION_KINDS

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.target import RunSettings

__all__ = [
    "import_feature",
    "is_isolated",
    "isolates_only_scenarios",
    "isolation_kind",
    "line_options",
    "plays_only_scenarios",
    "repeat_count",
    "run_settings",
    "runs_scenarios",
]


def plays_only_scenarios(config: pytest.Config) -> bool:
    """Return whether the run plays scenarios, and nothing else."""
    return bool(config.getoption("yemot_scenario", default=None)) and not config.getoption("yemot_also")


def runs_scenarios(config: pytest.Config) -> bool:
    """Return whether the run plays scenarios."""
    options = (config.getoption(name, default=None) for name in ("yemot_scenario", "yemot_also"))
    return any(options) or bool(config.getini("yemot_also"))


def repeat_count(config: pytest.Config) -> int:
    """Return how often each scenario is played."""
    return int(config.getoption("yemot_repeat", default=1))


def is_isolated(config: pytest.Config) -> bool:
    """Return whether network access is blocked: by option, by ini key, else in runs of scenarios."""
    asked = _asked_isolation(config)
    return runs_scenarios(config) if asked is None else asked


def isolates_only_scenarios(config: pytest.Config) -> bool:
    """Return whether Python tests run too, and nobody has asked to isolate them."""
    return runs_scenarios(config) and not plays_only_scenarios(config) and _asked_isolation(config) is None


def _asked_isolation(config: pytest.Config) -> bool | None:
    """Return whether isolation was asked for; a kind of it on the command line asks for it, too."""
    values = (
        config.getoption("yemot_block_network", default=None),
        config.getoption("yemot_isolation", default=None) and True,
        config.getini("yemot_block_network"),
    )
    return next((value for value in values if value is not None), None)


def isolation_kind(config: pytest.Config) -> str:
    """Return what blocks the network: one of ``ISOLATION_KINDS``.

    Raises:
        pytest.UsageError: the ini key has another value.
    """
    kind = config.getoption("yemot_isolation") or config.getini("yemot_isolation")
    if kind not in ISOLATION_KINDS:
        raise pytest.UsageError(f"yemot_isolation is one of {', '.join(ISOLATION_KINDS)}, not {kind!r}")
    return str(kind)


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
        line=line_options(config),
    )


def line_options(config: pytest.Config) -> dict[str, Any]:
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
