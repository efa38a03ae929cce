"""Writes the command that plays a failed call again, with the options of the run that decide how it ends."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from yemot_ai_testing.pytest_plugin.options import repeat_count, run_settings

__all__ = ["replay_scenario", "replay_test"]


def replay_scenario(config: pytest.Config, node_id: str) -> str:
    """Return the command that plays a scenario again, quoted for a shell."""
    options = [*_targets(config), *_isolation(config), *_comparisons(config), *_settings(config)]
    return shlex.join(["pytest", node_id, *options, "--yemot-scenario"])


def replay_test(config: pytest.Config, node_id: str) -> str:
    """Return the command that runs a Python test again, quoted for a shell."""
    return shlex.join(
        ["pytest", node_id, *_targets(config), *_isolation(config), *_settings(config)],
    )


def _targets(config: pytest.Config) -> Iterator[str]:
    """Yield what is called, and the Codex behind it."""
    settings = run_settings(config)
    targets = {"url": settings.url, "app": settings.app, "serve": settings.serve}
    yield from (f"--yemot-{name}={value}" for name, value in targets.items() if value)
    if settings.codex != "fake":
        yield f"--yemot-codex={settings.codex}"


def _isolation(config: pytest.Config) -> Iterator[str]:
    """Yield what blocks the network, and what is allowed."""
    yield from (f"--yemot-allow={name}" for name in config.getoption("yemot_allow"))
    is_blocked = config.getoption("yemot_block_network")
    if is_blocked is not None:
        yield "--yemot-block-network" if is_blocked else "--no-yemot-block-network"
    kind = config.getoption("yemot_isolation")
    if kind:
        yield f"--yemot-isolation={kind}"


def _comparisons(config: pytest.Config) -> Iterator[str]:
    """Yield the files that a call is compared with, and how often it is played."""
    if config.getoption("yemot_snapshot"):
        yield "--yemot-snapshot"
    baseline = config.getoption("yemot_baseline")
    if baseline:
        yield f"--yemot-baseline={baseline}"
    count = repeat_count(config)
    if count > 1:
        yield f"--yemot-repeat={count}"


def _settings(config: pytest.Config) -> Iterator[str]:
    """Yield the ini file and the ini keys of the plugin that the command line names."""
    if config.option.inifilename:
        yield f"--config-file={config.option.inifilename}"
    overrides = config.option.override_ini or ()
    yield from (f"--override-ini={setting}" for setting in overrides if setting.startswith("yemot_"))
