"""Create the provider for a mode of ``YemotAI``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.adapter import AnyProvider, as_provider
from yemot_ai.providers.anthropic import AnthropicProvider
from yemot_ai.providers.codex import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.openai.provider import OpenAIProvider
from yemot_ai.providers.provider import Provider

__all__ = ["MODES", "make_provider"]

MODES: Final = ("codex", "codex-app-server", "openai", "anthropic")


def make_provider(
    mode: str | None,
    provider: AnyProvider | None,
    *,
    model: str | None,
    keys: Mapping[str, str | None],
    timeout: float,
) -> Provider:
    """Return ``provider``, or create the one for ``mode``.

    Args:
        mode: one of ``MODES``.
        provider: an existing provider.
        model: the model's name, for ``mode``.
        keys: the key of each mode that needs one (None: the environment's); keys of other modes are
            ignored, so that changing the mode needs no other change.
        timeout: seconds for one answer.

    Raises:
        ConfigurationError: the arguments cannot work together.
    """
    if (mode is None) == (provider is None):
        raise ConfigurationError(f"give either mode= ({', '.join(map(repr, MODES))}) or provider=…")
    if provider is not None:
        if model is not None or any(key is not None for key in keys.values()):
            arguments = ", ".join(["model=", *(f"{name}_api_key=" for name in keys)])
            raise ConfigurationError(f"{arguments} go with mode=; give them to the provider")
        return as_provider(provider)
    if mode == "codex":
        return CodexCLIProvider(os.environ.get("YEMOT_AI_CODEX", "codex"), model=model, timeout=timeout)
    if mode == "codex-app-server":
        return CodexAppServerProvider(os.environ.get("YEMOT_AI_CODEX", "codex"), model=model, timeout=timeout)
    if mode == "openai":
        return OpenAIProvider(api_key=keys[mode], model=model, timeout=timeout)
    if mode == "anthropic":
        return AnthropicProvider(api_key=keys[mode], model=model, timeout=timeout)
    raise ConfigurationError(f"unknown mode {mode!r}: use one of {', '.join(map(repr, MODES))}")
