"""Anthropic's Messages API."""

from yemot_ai.providers.anthropic.provider import DEFAULT_MODEL, EFFORTS, AnthropicProvider

__all__ = ["DEFAULT_MODEL", "EFFORTS", "AnthropicProvider"]
