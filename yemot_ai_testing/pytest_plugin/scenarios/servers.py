"""The servers of a run (``serve:``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.servers.startup import Servers

__all__ = ["servers_for_run"]

SERVERS_KEY: Final = pytest.StashKey["Servers"]()


def servers_for_run(config: pytest.Config) -> Servers:
    """Return the servers of this run; they are stopped at its end."""
    if SERVERS_KEY not in config.stash:
        from yemot_ai_testing.scenario.play.servers.startup import Servers  # noqa: PLC0415 - most runs start none

        config.stash[SERVERS_KEY] = Servers()
        config.add_cleanup(config.stash[SERVERS_KEY].close)
    return config.stash[SERVERS_KEY]
