"""Prepare providers before the first call, and find out whether they could answer.

Both are optional methods of a provider: ``check()`` raises what is missing, without asking a model, and
``await warm_up()`` does what its first answer would have to wait for.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Sequence

from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError, ProviderError, YemotAIError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message
from yemot_ai.providers.provider import Provider

__all__ = ["check_takes_tools", "find_failure", "warm_up"]

log = logging.getLogger("yemot_ai")


def check_takes_tools(provider: Provider) -> None:
    """Check that the model of a provider can call tools.

    Raises:
        ConfigurationError: it cannot.
    """
    unable = [member.name for member in _members(provider) if not getattr(member, "takes_tools", False)]
    if unable or not getattr(provider, "takes_tools", False):
        name = unable[0] if unable else provider.name
        hint = "; Codex takes MCP servers instead: mcp_servers=…" if name.startswith("codex") else ""
        raise ConfigurationError(
            f"tools=[…]: the provider {name!r} cannot call tools: use OpenAIProvider, AnthropicProvider or "
            f"PydanticAIProvider for this agent (provider=…), or leave tools out{hint}"
        )


async def find_failure(provider: Provider, engine: Engine) -> str:
    """Return the kind of error that a question to a provider would have; "" if it seems to work.

    Args:
        provider: one without ``check()`` seems to work; of a fallback, one of its providers has to.
        engine: runs it, in a thread unless it is async.
    """
    failures = [await _find_failure(member, engine) for member in _members(provider)]
    return "" if "" in failures else failures[0]


async def _find_failure(provider: Provider, engine: Engine) -> str:
    try:
        await _call(getattr(provider, "check", None), engine)
    except ProviderError as error:
        return error.kind
    except UNEXPECTED as error:
        log_without_message(error, f"{provider.name} could not be checked")
        return ProviderError.kind
    return ""


async def warm_up(providers: Iterable[Provider], engine: Engine) -> None:
    """Check and prepare providers; what fails is logged, because an agent may answer without its model."""
    members = (member for provider in providers for member in _members(provider))
    await asyncio.gather(*(_warm_up(member, engine) for member in members))


def _members(provider: Provider) -> Sequence[Provider]:
    """Return the providers of a fallback, or the provider itself."""
    return [member for inner in getattr(provider, "providers", ()) for member in _members(inner)] or [
        provider
    ]


async def _warm_up(provider: Provider, engine: Engine) -> None:
    try:
        await _call(getattr(provider, "check", None), engine)
        await _call(getattr(provider, "warm_up", None), engine)
    except YemotAIError as error:
        log.error("%s cannot answer now, and callers would hear an apology: %s", provider.name, error)  # noqa: TRY400 - the message says all
    except UNEXPECTED as error:
        log_without_message(error, f"{provider.name} could not be prepared")


async def _call(method: Callable[[], object] | None, engine: Engine) -> None:
    if method is None:
        return
    if inspect.iscoroutinefunction(method):
        await method()
    else:
        await engine.run_in_background(functools.partial(method))
