"""Chooses and raises the fence of a run: ``--yemot-isolation``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing.isolation.addresses import is_remote
from yemot_ai_testing.isolation.fence import Fence
from yemot_ai_testing.isolation.namespace import enter_namespace, has_loopback_only, namespace_obstacle
from yemot_ai_testing.pytest_plugin.nesting import is_inner_run
from yemot_ai_testing.pytest_plugin.options import isolation_kind

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.target import RunSettings

__all__ = ["raise_fence"]


def raise_fence(config: pytest.Config, settings: RunSettings, allowed: Iterable[str]) -> Fence:
    """Let the kernel hold the network of this process if it can, and if the run allows it.

    Workers of xdist are in the namespace of their controller.

    Args:
        config: the run.
        settings: what it calls.
        allowed: names of hosts and programs that are allowed.

    Returns:
        What holds the network.

    Raises:
        pytest.UsageError: a namespace was demanded and is not possible.
    """
    if has_loopback_only():
        return Fence()
    kind = isolation_kind(config)
    if kind == "python":
        return Fence("as yemot_isolation asks for")
    reason = _need_of_network(config, settings, allowed) or namespace_obstacle()
    if not reason:
        enter_namespace()
        return Fence()
    if kind == "namespace":
        raise pytest.UsageError(
            f"--yemot-isolation=namespace: {reason}. Use --yemot-isolation=auto, take away what is named, "
            "or run pytest where there is no network (docker run --network none)"
        )
    return Fence(reason)


def _need_of_network(config: pytest.Config, settings: RunSettings, allowed: Iterable[str]) -> str:
    """Return why the run cannot be without the network; empty if it can."""
    if is_inner_run():
        return "it runs inside of another pytest run"
    url = settings.url or settings.default_url
    if url:
        return f"it calls {url}"
    hosts = sorted(name for name in allowed if _is_host(name))
    if hosts:
        return f"{', '.join(hosts)} is allowed"
    if any("popen" not in spec for spec in config.getoption("tx", None) or ()):
        return "workers of xdist run elsewhere"
    return ""


def _is_host(name: str) -> bool:
    """Return whether an allowed name is a host that needs the network, and not a program."""
    if Path(name).is_absolute() or shutil.which(name) is not None:
        return False
    return is_remote(name.partition(":")[0])
