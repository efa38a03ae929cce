"""Whether calls can be answered now: the engine, the store and the providers, each within a bound."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final

from yemot_ai._calls.provider_checks import find_failure
from yemot_ai._calls.runtime import Runtime
from yemot_ai.errors import StoreError

__all__ = ["Readiness"]

log = logging.getLogger("yemot_ai")

CHECK_SECONDS: Final = 2.0
"""Seconds that the store, and each provider, has for its check."""

ENGINE_SECONDS: Final = 4.0
"""Seconds after which the event loop counts as blocked: more than all checks take together."""

KEPT_SECONDS: Final = 5.0
"""Seconds for which a result is returned again: anybody may ask."""

BLOCKED: Final = {"engine": "blocked"}


class Readiness:
    """Checks what calls need.

    Args:
        runtime: has the store, the engine and the providers.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._checks: dict[str, str] = {}
        self._until = 0.0
        self._running: asyncio.Task[dict[str, str]] | None = None

    def find(self) -> Mapping[str, str]:
        """Return each part with ``ok`` or the reason why it does not work; blocks."""
        future = self._runtime.engine.submit(self._find())
        try:
            return future.result(ENGINE_SECONDS)
        except FutureTimeoutError:
            future.cancel()
            return BLOCKED

    async def afind(self) -> Mapping[str, str]:
        """Do what ``find`` does, awaited from any event loop."""
        try:
            async with asyncio.timeout(ENGINE_SECONDS):
                return await self._runtime.engine.arun(self._find())
        except TimeoutError:
            return BLOCKED

    async def _find(self) -> dict[str, str]:
        """Return the last result, or wait for the next one, which is the same for all who ask."""
        if self._runtime.is_ending:
            return {"engine": "ending"}
        loop = asyncio.get_running_loop()
        if self._checks and loop.time() < self._until:
            return self._checks
        running = self._running
        if running is None or running.done() or running.get_loop() is not loop:
            running = self._running = loop.create_task(self._check())
        return await asyncio.shield(running)

    async def _check(self) -> dict[str, str]:
        runtime = self._runtime
        providers = {f"provider {provider.name}": provider for provider in runtime.providers}
        results = await asyncio.gather(
            _within_bound(self._check_store()),
            *(_within_bound(find_failure(provider, runtime.engine)) for provider in providers.values()),
        )
        checks = dict(zip(("engine", "store", *providers), ("ok", *results), strict=True))
        failures = {part: result for part, result in checks.items() if result != "ok"}
        if failures and checks != self._checks:
            log.warning("not ready: %s", ", ".join(f"{part}: {result}" for part, result in failures.items()))
        self._checks, self._until = checks, asyncio.get_running_loop().time() + KEPT_SECONDS
        return checks

    async def _check_store(self) -> str:
        try:
            await self._runtime.check()
        except StoreError:
            return "unavailable"
        return ""


async def _within_bound(checking: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await checking or "ok"
    except TimeoutError:
        return "timeout"
