"""Providers that run the Codex CLI that is installed on this machine."""

from __future__ import annotations

from yemot_ai.providers.codex.app_server.provider import CodexAppServerProvider
from yemot_ai.providers.codex.exec import CodexCLIProvider

__all__ = ["CodexAppServerProvider", "CodexCLIProvider"]
