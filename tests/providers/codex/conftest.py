from __future__ import annotations

from tests.support.codex_fixtures import codex, fake, real, real_binary, shell

__all__ = ["codex", "fake", "real", "real_binary", "shell"]
