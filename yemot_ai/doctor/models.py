"""The models that a flow asks: keys, logins, programs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final

from yemot_ai.doctor.codex import check_codex
from yemot_ai.doctor.finding import Finding, ok, warning
from yemot_ai.flow import AIFlow
from yemot_ai.providers import FallbackProvider, Provider
from yemot_ai.providers.codex import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.factory import make_provider

__all__ = ["check_models", "check_models_of_machine"]

KEYS: Final = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""By the names of the providers: the variables that may have their keys."""


def check_models(flow: AIFlow) -> Iterator[Finding]:
    """Check each provider that the flow asks."""
    for provider in _providers(flow):
        if isinstance(provider, CodexCLIProvider | CodexAppServerProvider):
            yield from check_codex(provider)
        elif provider.name in KEYS:
            yield ok(f"model {provider.name}", "there is a key; whether the service takes it is not tried")
        else:
            yield ok(f"model {provider.name}", "a provider of this project; it is not tried")


def check_models_of_machine() -> Iterator[Finding]:
    """Check what this machine has for each mode of ``YemotAI``; what is missing may not be needed."""
    for name, variable in KEYS.items():
        state = "is set" if os.environ.get(variable, "").strip() else "is not set"
        yield ok(f"model {name}", f"{variable} {state}")
    codex = make_provider("codex", None, model=None, keys={}, timeout=60)
    for finding in check_codex(codex):
        needed = f"{finding.remedy}\nonly needed by YemotAI('codex')".strip()
        yield finding if finding.level == "ok" else warning(finding.check, finding.message, needed)


def _providers(flow: AIFlow) -> Iterable[Provider]:
    """Return the providers of the flow and its agents, each once; of a fallback, all that it asks."""
    agents = [agent.conversation.provider for agent in flow.agents.values()]
    asked = agents or [flow.ai._runtime.provider]  # noqa: SLF001 - as YemotAI asks it
    return dict.fromkeys(leaf for provider in asked for leaf in _leaves(provider))


def _leaves(provider: Provider) -> Iterator[Provider]:
    if isinstance(provider, FallbackProvider):
        for inner in provider.providers:
            yield from _leaves(inner)
    else:
        yield provider
