"""The provider protocol and the providers: Codex, OpenAI, Anthropic, pydantic-ai, fallback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.lazy_names import lazy_names
from yemot_ai.providers.adapter import AnyProvider
from yemot_ai.providers.provider import (
    JSON,
    AnswerPart,
    Exchange,
    Provider,
    Reply,
    SessionProvider,
    SupportsAclose,
    SupportsEndSession,
    ToolCall,
    ToolCalls,
    ToolProvider,
    ToolRequest,
    ToolRound,
    ToolSpec,
    Usage,
    read_answer,
    read_reply,
)

if TYPE_CHECKING:
    from yemot_ai.providers.anthropic import AnthropicProvider
    from yemot_ai.providers.codex import CodexAppServerProvider, CodexCLIProvider
    from yemot_ai.providers.fallback import FallbackProvider
    from yemot_ai.providers.openai.provider import OpenAIProvider
    from yemot_ai.providers.pydantic_ai.provider import PydanticAIProvider
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "AnthropicProvider": ".anthropic",
            "CodexAppServerProvider": ".codex",
            "CodexCLIProvider": ".codex",
            "FallbackProvider": ".fallback",
            "OpenAIProvider": ".openai.provider",
            "PydanticAIProvider": ".pydantic_ai.provider",
        },
    )

__all__ = [
    "JSON",
    "AnswerPart",
    "AnthropicProvider",
    "AnyProvider",
    "CodexAppServerProvider",
    "CodexCLIProvider",
    "Exchange",
    "FallbackProvider",
    "OpenAIProvider",
    "Provider",
    "PydanticAIProvider",
    "Reply",
    "SessionProvider",
    "SupportsAclose",
    "SupportsEndSession",
    "ToolCall",
    "ToolCalls",
    "ToolProvider",
    "ToolRequest",
    "ToolRound",
    "ToolSpec",
    "Usage",
    "read_answer",
    "read_reply",
]
