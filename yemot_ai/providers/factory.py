"""Create the provider for a mode of ``YemotAI``; only that one is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.missing_names import closest
from yemot_ai.providers.adapter import AnyProvider, as_provider
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
        given: object = provider
        if isinstance(given, str) and given in MODES:
            raise ConfigurationError(f"provider={provider!r} is a mode: write YemotAI({provider!r})")
        if model is not None or any(key is not None for key in keys.values()):
            arguments = ", ".join(["model=", *(f"{name}_api_key=" for name in keys)])
            raise ConfigurationError(f"{arguments} go with mode=; give them to the provider")
        return as_provider(provider)
    if mode in {"codex", "codex-app-server"}:
        from yemot_ai.providers.codex import CodexAppServerProvider, CodexCLIProvider  # noqa: PLC0415

        codex = CodexCLIProvider if mode == "codex" else CodexAppServerProvider
        return codex(os.environ.get("YEMOT_AI_CODEX", "codex"), model=model, timeout=timeout)
    if mode == "openai":
        from yemot_ai.providers.openai.provider import OpenAIProvider  # noqa: PLC0415

        return OpenAIProvider(api_key=keys[mode], model=model, timeout=timeout)
    if mode == "anthropic":
        from yemot_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

        return AnthropicProvider(api_key=keys[mode], model=model, timeout=timeout)
    modes = ", ".join(map(repr, MODES))
    if not isinstance(mode, str):
        raise ConfigurationError(f"a mode is one of {modes}; give a provider as YemotAI(provider=…)")
    similar = closest(mode, MODES)
    hint = f"did you mean {similar!r}? Use" if similar else "use"
    raise ConfigurationError(f"unknown mode {mode!r}: {hint} one of {modes}")
