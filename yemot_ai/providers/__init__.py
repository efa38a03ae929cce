"""The provider protocol and the providers: Codex, OpenAI, Anthropic, fallback."""

from __future__ import annotations

from yemot_ai.providers.adapter import AnyProvider
from yemot_ai.providers.anthropic import AnthropicProvider
from yemot_ai.providers.codex import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.fallback import FallbackProvider
from yemot_ai.providers.openai.provider import OpenAIProvider
from yemot_ai.providers.provider import (
    JSON,
    Exchange,
    Provider,
    Reply,
    SessionProvider,
    SupportsAclose,
    SupportsEndSession,
    Usage,
    read_reply,
)

__all__ = [
    "JSON",
    "AnthropicProvider",
    "AnyProvider",
    "CodexAppServerProvider",
    "CodexCLIProvider",
    "Exchange",
    "FallbackProvider",
    "OpenAIProvider",
    "Provider",
    "Reply",
    "SessionProvider",
    "SupportsAclose",
    "SupportsEndSession",
    "Usage",
    "read_reply",
]
