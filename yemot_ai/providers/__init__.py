"""The provider protocol and the providers: Codex, OpenAI, Anthropic, fallback."""

from __future__ import annotations

from yemot_ai.providers.anthropic import AnthropicProvider
from yemot_ai.providers.codex import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.fallback import FallbackProvider
from yemot_ai.providers.openai.provider import OpenAIProvider
from yemot_ai.providers.provider import (
    JSON,
    Exchange,
    Provider,
    Reply,
    StreamingProvider,
    SupportsAclose,
    SupportsEndSession,
    Usage,
)

__all__ = [
    "JSON",
    "AnthropicProvider",
    "CodexAppServerProvider",
    "CodexCLIProvider",
    "Exchange",
    "FallbackProvider",
    "OpenAIProvider",
    "Provider",
    "Reply",
    "StreamingProvider",
    "SupportsAclose",
    "SupportsEndSession",
    "Usage",
]
